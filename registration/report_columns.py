"""What the columns of attendance reports are called, in the languages in which products write them. No Django.

The words of English are those of the products. Those of the other languages are the products' where they are known,
and else what such a column may be called: a heading that means something else does not look like them, and whoever
reads a report in sees what became of it before it counts. Headings that nobody knows are matched by hand.
"""

import re
import unicodedata
from collections.abc import Iterable

COLUMNS = {
    "name": """
        name; user name; full name; participant; participant name; display name
        vollständiger name; teilnehmer; teilnehmername; benutzername; anzeigename
        nom; nom complet; nom d'utilisateur; nom du participant; participant·e
        nombre; nombre completo; nombre de usuario; participante; nombre del participante
        nome; nome completo; nome utente; partecipante; nome partecipante; nome de usuário; nome do participante
        naam; volledige naam; gebruikersnaam; deelnemer
        imię i nazwisko; nazwa; pełna nazwa; imię i nazwisko uczestnika; uczestnik; nazwa użytkownika
    """,
    "email": """
        email; user email; email address; e-mail; e-mail address
        e-mail-adresse; e-mail adresse; benutzer-e-mail
        adresse e-mail; adresse email; courriel; adresse de messagerie; e-mail de l'utilisateur
        correo electrónico; correo; dirección de correo electrónico; correo electrónico del usuario
        indirizzo e-mail; indirizzo email; posta elettronica; indirizzo di posta elettronica; e-mail utente
        endereço de e-mail; endereço de email; e-mail do usuário; correio eletrónico
        e-mailadres; adres e-mail; adres email; adres poczty e-mail
    """,
    "upn": """
        participant id; teilnehmer-id; id du participant; id de participante; id del participante; id partecipante
        id do participante; deelnemer-id; identyfikator uczestnika
    """,
    "joined": """
        join time; join
        beitrittszeit; zeitpunkt des beitritts; beitritt; teilnahmezeit; beigetreten um; beginn der teilnahme
        heure de participation; heure de connexion; heure d'arrivée; heure d'entrée; rejoint à
        hora de unión; hora de incorporación; hora de entrada; hora de conexión; hora para unirse
        ora di accesso; ora di ingresso; ora di partecipazione; ora di entrata; orario di ingresso
        hora de ingresso; horário de entrada; hora de adesão; horário de ingresso; hora da entrada
        deelnametijd; tijd van deelname; toetredingstijd; tijdstip van deelname
        czas dołączenia; godzina dołączenia
    """,
    "left": """
        leave time; left; leave
        verlassenszeit; zeitpunkt des verlassens; austrittszeit; verlassen um; ende der teilnahme
        heure de sortie; heure de départ; heure de déconnexion; quitté à
        hora de salida; hora de abandono; hora de desconexión
        ora di uscita; ora di abbandono; orario di uscita
        hora de saída; horário de saída; hora da saída
        vertrektijd; tijd van vertrek; tijdstip van vertrek
        czas opuszczenia; godzina opuszczenia; czas wyjścia; godzina wyjścia
    """,
    "first_joined": """
        first join; first join time
        erster beitritt; première participation; première connexion; primera unión; primera incorporación
        primo accesso; prima partecipazione; primeira entrada; primeiro ingresso; eerste deelname; pierwsze dołączenie
    """,
    "last_left": """
        last leave; last leave time
        letztes verlassen; dernier départ; dernière sortie; última salida; último abandono
        ultima uscita; ultimo abbandono; última saída; laatste vertrek; ostatnie opuszczenie; ostatnie wyjście
    """,
    "duration": """
        duration; in-meeting duration; time in session; total duration
        dauer; besprechungsdauer; dauer der teilnahme; durée; durée de la réunion; duración; duración en la reunión
        durata; durata della riunione; duração; duração na reunião; duur; duur van vergadering; czas trwania
    """,
    "attended": "attended; teilgenommen; a participé; asistió; ha partecipato; participou; deelgenomen; uczestniczył",
    "waiting": """
        in waiting room; im warteraum; dans la salle d'attente; en la sala de espera; in sala d'attesa
        na sala de espera; in wachtkamer; w poczekalni
    """,
    "action": """
        user action; benutzeraktion; action de l'utilisateur; acción del usuario; acción de usuario; azione utente
        ação do usuário; ação do utilizador; gebruikersactie; akcja użytkownika
    """,
    "moment": """
        timestamp; zeitstempel; horodatage; marca de tiempo; marca temporal; indicatore data/ora; timestamp evento
        carimbo de data/hora; carimbo de hora; tijdstempel; sygnatura czasowa; znacznik czasu
    """,
}
_ROLES = "role; rolle; rôle; rol; ruolo; função; rola"
_YES = "yes; ja; oui; sí; si; sim; tak"
_NO = "no; nein; non; não; nee; nie"
_JOINED = (
    "joined; beigetreten; a rejoint; rejoint; se unió; se ha unido; unido; ha partecipato; è entrato; entrou; ingressou"
)
_JOINED += "; deelgenomen; dołączył"


def plain(heading: str) -> str:
    """A heading in small letters, without what is in brackets: "Name (original name)" is "name"."""
    text = unicodedata.normalize("NFC", heading.replace("\u00a0", " ").replace("’", "'"))
    return " ".join(re.sub(r"\(.*?\)", " ", text).casefold().rstrip(":").split())


def _words(text: str) -> list[str]:
    return [plain(word) for line in text.splitlines() for word in line.split(";") if word.strip()]


_COLUMN_OF = {word: column for column, text in COLUMNS.items() for word in _words(text)}
_TEAMS = {word for column in ("first_joined", "upn", "action") for word in _words(COLUMNS[column])}
_TEAMS |= {*_words(_ROLES), "full name", "in-meeting duration"}
YES, NO = frozenset(_words(_YES)), frozenset(_words(_NO))


def column_of(heading: str) -> str | None:
    """Which column a heading names, if any.

    >>> column_of("Nom complet"), column_of("Hora de salida"), column_of("Shoe size")
    ('name', 'left', None)
    """
    return _COLUMN_OF.get(plain(heading))


def has_joined(action: str) -> bool:
    """Whether an action of a participant is that of coming: "Joined", "Joined before", "Beigetreten"."""
    return plain(action).startswith(tuple(_words(_JOINED)))


def is_of_teams(headings: Iterable[str]) -> bool:
    return bool(_TEAMS & {plain(heading) for heading in headings})
