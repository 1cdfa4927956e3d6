"""What speech recognition invents, and how it is caught. Pure Python: segments in, segments with doubts out.

Whisper models were trained on films and broadcasts with their subtitles. Over silence and music they write what stood
there: credits, thanks for watching, one line again and again. Each guard looks for one of these; what one of them
doubts is marked for the reviewer. Only what two agree on, one of them that nobody speaks there, is left out, and then
the track says so.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from transcripts import languages
from transcripts.cues import SpeechSegment, Word, rules_for, width

Interval = tuple[int, int]

LEAST_SPEECH = 0.2  # of a segment's time, for its text to be believed
LOW_CONFIDENCE = 0.4
RUSHED = 1.9  # times the reading speed of the language
LEAST_RUSHED = 20  # characters; engines give short words times that are too short
MOST_REPEATS = 3  # people say "yes, yes, yes"; nobody says it a fourth time
LONGEST_PHRASE = 12  # words of a phrase that may be repeated

# Lines of subtitlers and broadcasters that Whisper models are known to write over silence, by the languages' own words.
_CREDITS = re.compile(
    r"""
    amara\.org | opensubtitles | addic7ed | \bwww\.\w | https?://
    | subtitles?\ (?:by|made|created|provided) | (?:closed\ )?caption(?:s|ing|ed)\ (?:by|provided)
    | transcri(?:pt|bed)\ by
    | (?:thanks?|thank\ you)\ (?:so\ much\ )?for\ watching | please\ (?:like\ and\ )?subscribe | like\ and\ subscribe
    | sous-titr(?:es|age)\ (?:r[ée]alis|fait|par|de|st|:|soci) | merci\ d['’]avoir\ regard | abonnez-vous
    | untertitel(?:ung)?\ (?:von|der|des|im|erstellt|by|:) | vielen\ dank\ f[üu]rs\ zuschauen
    | subt[íi]tulos\ (?:por|realizados|de\ la|:) | gracias\ por\ ver | suscr[íi]bete
    | legendas?\ (?:por|pela|feitas) | obrigad[oa]\ por\ assistir | inscreva-se
    | sottotitoli\ (?:creati|a\ cura|di|e\ revisione) | grazie\ per\ (?:aver|la\ visione)
    | ondertitel(?:ing|d|s)\ (?:door|ingediend|:|tv) | bedankt\ voor\ het\ kijken
    | napisy\ (?:stworzone|wykonane|:|by|przez) | dzi[ęe]kuj[ęe]\ za\ (?:uwag[ęe]\ i\ do|obejrzenie|ogl[ąa]danie)
    | titulky\ (?:vytvo|p[řr]elo|:) | d[ěe]kuj[ui]\ za\ sledov | altyaz[ıi]\ m\.?k | izledi[ğg]iniz\ i[çc]in
    | undertekst(?:er|ning)\ (?:av|af|:|by) | textning(?:\ av|\.nu)\b | svensktextning | tekstitys
    | suomenn(?:os|ettu)\ (?:by|:)
    | felirat(?:ok)?\ (?:k[ée]sz|:) | k[öo]sz[öo]n[öo]m,?\ hogy\ megn[ée]z
    | subtitrarea | v[ăa]\ mul[țt]umi(?:m|ți)\ pentru\ vizionare
    | prevod\ (?:i\ obrada|in\ podnapisi) | titlovi\ | hvala\ [šs]to\ (?:pratite|gledate)
    | субтитр[ыи]\ (?:сделал|созда|подог|делал|до\ фил|добав) | редактор\ субтитров
    | корректор\ [а-яё]\. | продолжение\ следует
    | спасибо\ за\ просмотр | подпи(?:сывайтесь|шись)\ на | дякую\ за\ перегляд | редактор\ субтитрів | субтитрування
    | υπ[όο]τιτλο[ιί]\ (?:απ|authorwave|:) | ترجمة\ نانسي | اشترك(?:وا)?\ في\ القناة | شكرا\ (?:على|ل)\ ?(?:ال)?مشاهدة
    | زیرنویس | תרגום(?:\ ו|:)|כתוביות
    | 字幕(?:由|by|志愿|製作|制作|組|组|:|：|\ ) | 请不吝点赞 | 謝謝(?:大家)?(?:收看|觀看) | 谢谢(?:大家)?(?:收看|观看)
    | ご視聴ありがとう | チャンネル登録 | 시청해\ ?주셔서 | 구독과\ 좋아요 | 자막\ ?(?:제공|by|:)
    | ขอบคุณที่(?:รับชม|ติดตาม) | cảm\ ơn\ các\ bạn\ đã\ (?:theo|xem) | ghiền\ mì\ gõ
    | terima\ kasih\ (?:kerana|telah|sudah)\ menonton
    """,
    re.IGNORECASE | re.VERBOSE,
)
MOST_CREDIT_CHARS = 90  # a speaker who talks about subtitles says more than that


class Examined(NamedTuple):
    """Segments that stay, with their doubts; and those that were left out."""

    kept: list[SpeechSegment]
    left_out: list[SpeechSegment]


def examine(segments: Sequence[SpeechSegment], *, language: str, speech: Sequence[Interval] | None = None) -> Examined:
    """Mark what is doubtful, and leave out what two guards agree on when one of them is that nobody speaks.

    Args:
        language: what is spoken; a segment's own language comes first where the engine says one.
        speech: when somebody speaks; None if it is not known.
    """
    repeated = repeats(segments)
    kept: list[SpeechSegment] = []
    left_out: list[SpeechSegment] = []
    for number, segment in enumerate(segments):
        doubts = list(segment.doubts)
        if speech is not None and is_over_silence(segment, speech):
            doubts.append("over_silence")
        if number in repeated or is_loop(segment.text):
            doubts.append("repeated")
        if looks_like_credits(segment.text):
            doubts.append("credits")
        if is_in_wrong_script(segment.text, segment.language or language):
            doubts.append("wrong_script")
        if is_rushed(segment, language):
            doubts.append("rushed")
        if segment.confidence is not None and segment.confidence < LOW_CONFIDENCE:
            doubts.append("low_confidence")
        doubts = list(dict.fromkeys(doubts))
        marked = replace(segment, doubts=tuple(doubts))
        (left_out if "over_silence" in doubts and len(doubts) > 1 else kept).append(marked)
    return Examined(kept, left_out)


def is_over_silence(segment: SpeechSegment, speech: Iterable[Interval]) -> bool:
    """True if hardly anybody speaks while the text is said to be spoken."""
    length = max(1, segment.end_ms - segment.start_ms)
    heard = sum(max(0, min(segment.end_ms, end) - max(segment.start_ms, start)) for start, end in speech)
    return heard < LEAST_SPEECH * length


def is_rushed(segment: SpeechSegment, language: str) -> bool:
    """True if nobody can have said so much in that time: about twice what people read."""
    rules = rules_for(segment.language or language)
    seconds = max(1, segment.end_ms - segment.start_ms) / 1000
    return len(segment.text) > LEAST_RUSHED and width(segment.text, rules) / seconds > RUSHED * rules.chars_per_second


def is_loop(text: str) -> bool:
    """True if a word or a phrase comes more than three times in a row.

    >>> is_loop("and so on and so on and so on and so on")
    True
    """
    words = _normal(text).split()
    if len(words) <= MOST_REPEATS:
        # Without spaces the whole is one word: look at its characters.
        return _has_run(list("".join(words)), 20) if len(words) == 1 and len(words[0]) > 12 else False
    return _has_run(words, LONGEST_PHRASE)


def _has_run(items: Sequence[str], longest: int) -> bool:
    for size in range(1, min(longest, len(items) // (MOST_REPEATS + 1)) + 1):
        run = 0
        for at in range(size, len(items)):
            run = run + 1 if items[at] == items[at - size] else 0
            if run >= size * MOST_REPEATS:
                return True
    return False


def repeats(segments: Sequence[SpeechSegment]) -> set[int]:
    """Indices of segments that say the same as the two before them, the first of such a row left aside."""
    found: set[int] = set()
    texts = [_normal(segment.text) for segment in segments]
    for at in range(2, len(texts)):
        if texts[at] and texts[at] == texts[at - 1] == texts[at - 2]:
            found.update((at - 1, at))
    return found


def looks_like_credits(text: str) -> bool:
    """True for the lines of subtitlers and channels, such as "Subtitles by the Amara.org community"."""
    return len(text) <= MOST_CREDIT_CHARS and _CREDITS.search(unicodedata.normalize("NFC", text)) is not None


def is_in_wrong_script(text: str, language: str) -> bool:
    """True if hardly a letter is one of the language's. Arabic is right in Arabic, and wrong in French."""
    return languages.is_known(language) and not languages.is_written_in(languages.get(language), text)


def _normal(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())


EARLY_MS = 200  # a text that begins more than this before anybody speaks begins with the speech instead
MOST_EARLY_MS = 2000


def begun_with_speech(segments: Iterable[SpeechSegment], speech: Sequence[Interval]) -> list[SpeechSegment]:
    """Move starts that lie in the silence before the speech to where that begins; ends and words stay."""
    done = []
    for segment in segments:
        on = next((start for start, end in speech if end > segment.start_ms), None)
        is_early = on is not None and EARLY_MS < on - segment.start_ms <= MOST_EARLY_MS and on < segment.end_ms
        done.append(replace(segment, start_ms=on) if is_early and on is not None else segment)
    return done


# --- Parts ---------------------------------------------------------------------------------------------------------

BORDER_MS = 3000  # how near to a border words may have been heard twice
MOST_DOUBLED = 12


def kept_between(segments: Iterable[SpeechSegment], start_ms: int, end_ms: int) -> list[SpeechSegment]:
    """What was said between two moments: words count where their middle is, so none is in two parts or in none."""
    kept: list[SpeechSegment] = []
    for segment in segments:
        if start_ms <= segment.start_ms and segment.end_ms <= end_ms:
            kept.append(segment)
        elif segment.words:
            words = tuple(word for word in segment.words if start_ms <= (word.start_ms + word.end_ms) / 2 < end_ms)
            if words:
                kept.append(_of_words(segment, words, start_ms, end_ms))
        elif start_ms <= (segment.start_ms + segment.end_ms) / 2 < end_ms:
            first = min(max(segment.start_ms, start_ms), end_ms - 1)
            kept.append(replace(segment, start_ms=first, end_ms=max(first + 1, min(segment.end_ms, end_ms))))
    return kept


def _of_words(segment: SpeechSegment, words: Sequence[Word], start_ms: int, end_ms: int) -> SpeechSegment:
    if len(words) == len(segment.words):
        text = segment.text
    else:
        # The engines' words bring their own blanks; where all are stripped, one belongs between them.
        joiner = "" if any(word.text[:1].isspace() for word in segment.words) else " "
        text = joiner.join(word.text for word in words).strip()
    first = min(max(words[0].start_ms, start_ms), end_ms - 1)
    last = max(first + 1, min(words[-1].end_ms, end_ms))
    return replace(segment, start_ms=first, end_ms=last, text=text, words=tuple(words))


def without_doubles(before: Sequence[SpeechSegment], after: Sequence[SpeechSegment]) -> list[SpeechSegment]:
    """`after` without the words at its beginning that `before` ends with: both parts heard what lies on the border."""
    if not before or not after or after[0].start_ms - before[-1].end_ms > BORDER_MS:
        return list(after)
    ended, begun = before[-1].text.split(), after[0].text.split()
    for count in range(min(MOST_DOUBLED, len(ended), len(begun)), 0, -1):
        if [_normal(word) for word in ended[-count:]] != [_normal(word) for word in begun[:count]]:
            continue
        if count < 2 and len(_normal(begun[0])) < 4:
            return list(after)  # "the ... the" may well have been said twice
        rest = " ".join(begun[count:])
        if not rest:
            # A whole sentence said twice in a row is a repetition, unless both cannot have been said in that time.
            return list(after) if after[0].start_ms >= before[-1].end_ms - 100 else list(after[1:])
        words = after[0].words[count:] if len(after[0].words) == len(begun) else ()
        start = words[0].start_ms if words else after[0].start_ms
        return [replace(after[0], text=rest, words=words, start_ms=min(start, after[0].end_ms - 1)), *after[1:]]
    return list(after)
