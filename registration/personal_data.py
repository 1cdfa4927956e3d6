"""What is stored about people who register (accounts.personal_data, accounts.keeping).

A registration that is forgotten stays as a number: that somebody from that country and profession had a place, was
there so many minutes and chose these answers. Name, address, organisation, texts, files, consents and certificates go,
and nothing leads from the row to the person.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts import keeping
from accounts.models import Organisation
from accounts.personal_data import ERASED_DOMAIN, Known, Person, without
from events.models import random_nonce
from media.storage import private_storage
from notifications.models import Message
from registration import services
from registration.answer_files import delete_on_commit, read_file
from registration.answers import ENDED, in_words
from registration.certificates import forget_certificates
from registration.choices import PROFESSIONS, SECTORS
from registration.messages import about
from registration.models import (
    Answer,
    AttendanceImport,
    CalendarFeed,
    Group,
    Invitation,
    QuestionKind,
    Registration,
    RegistrationImport,
)
from work.models import FINISHED_STATES

# Answers that count; what else was answered is a person's own words or files.
COUNTED: Final = (QuestionKind.CHOICE, QuestionKind.MULTIPLE, QuestionKind.SCALE)


class Registrations:
    """Registrations with all that hangs on them, teams, invitations and lists."""

    name = "registrations"

    def _rows(self, person: Person) -> "QuerySet[Registration]":
        rows = Registration.objects.filter(email__iexact=person.email).select_related("webinar__organisation")
        found: QuerySet[Registration] = _since(person, rows)
        return found

    def export(self, person: Person) -> Any:
        return [_told(row) for row in self._rows(person).order_by("created_at")]

    def files(self, person: Person) -> Iterable[tuple[str, bytes]]:
        for row in self._rows(person).order_by("created_at"):
            for answer in _answers(row).exclude(file_key=""):
                yield str((answer.value or {}).get("name", "file")), read_file(answer.file_key)
            for certificate in row.certificates.all():
                with private_storage().open(certificate.key) as file:
                    yield f"certificate-{certificate.number}.pdf", file.read()

    def erase(self, person: Person) -> int:
        rows = list(self._rows(person))
        for row in rows:
            anonymise(row)
        _forget_lists(person, {row.name for row in rows if row.name})
        for group in _since(person, Group.objects.filter(coordinator_email__iexact=person.email)):
            group.coordinator_name, group.coordinator_email = "", _nobody(group)
            group.link_nonce = random_nonce()
            group.save(update_fields=["coordinator_name", "coordinator_email", "link_nonce", "updated_at"])
        _since(person, Invitation.objects.filter(email__iexact=person.email)).delete()
        if person.organisation is None:
            CalendarFeed.objects.filter(email__iexact=person.email).delete()
        return len(rows)

    def known(self) -> Iterator[Known]:
        for model, column in ((Registration, "email"), (Group, "coordinator_email"), (Invitation, "email")):
            rows = model.objects.exclude(**{column: ""}).exclude(**{f"{column}__endswith": f"@{ERASED_DOMAIN}"})
            for email, organisation, since in rows.values_list(
                column, "webinar__organisation", "created_at"
            ).iterator():
                yield Known(email, organisation, since)


def _since(person: Person, rows: Any) -> Any:
    if person.organisation is not None:
        rows = rows.filter(webinar__organisation=person.organisation)
    return rows if person.before is None else rows.filter(created_at__lt=person.before)


def _nobody(row: Any) -> str:
    return f"{row.pk.hex}@{ERASED_DOMAIN}"


def is_anonymous(registration: Registration) -> bool:
    """Whether the person behind the registration was forgotten."""
    return registration.email.endswith(f"@{ERASED_DOMAIN}")


# --- Forgetting ----------------------------------------------------------------------------------------------------
def anonymise(registration: Registration) -> None:
    """Forget who a registration is of. One for a session to come is cancelled first, so that its place is free."""
    with transaction.atomic():
        if not registration.webinar.is_over and registration.state not in ENDED:
            services.cancel_registration(registration=registration)
        forget_certificates(registration)
        _forget_words(_answers(registration).exclude(item__question__kind__in=COUNTED))
        registration.given_consents.all().delete()
        # Also those about this registration that went to an address it no longer has.
        Message.objects.filter(about=about(registration)).delete()
        Registration.objects.filter(pk=registration.pk).update(
            email=_nobody(registration),
            name="",
            affiliation="",
            profession=registration.profession if registration.profession in _listed() else "",
            sector=registration.sector if registration.sector in _listed() else "",
            time_zone="UTC",
            consents={},
            group=None,
            invitation=None,
            link_nonce=random_nonce(),
            updated_at=timezone.now(),
        )


def _answers(registration: Registration) -> "QuerySet[Answer]":
    return Answer.objects.filter(response__registration=registration).select_related("item__question")


def _forget_words(answers: "QuerySet[Answer]") -> int:
    delete_on_commit(answers.exclude(file_key="").values_list("file_key", flat=True))
    return answers.delete()[0]


@cache
def _listed() -> frozenset[str]:
    """Professions and sectors that the form offers, in every language: words of ours, not a person's own."""
    found = set()
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found |= {str(one) for one in (*PROFESSIONS, *SECTORS)}
    return frozenset(found)


def _forget_lists(person: Person, names: Iterable[str]) -> None:
    for model in (RegistrationImport, AttendanceImport):
        for row in _since(person, model.objects.exclude(rows=[])):
            cleaned = row.rows
            for text in (person.email, *names):
                cleaned = [_without_person(line, text) for line in cleaned]
            if cleaned != row.rows:
                model.objects.filter(pk=row.pk).update(rows=cleaned)


def _without_person(line: Any, text: str) -> Any:
    """A line of a list with all it says of a person emptied, if the text stands in it."""
    if not isinstance(line, dict) or without(line, text) == line:
        return line
    kept = {"line", "outcome", "registration", "match", "joined_at", "left_at"}
    return {key: value if key in kept else type(value)() for key, value in line.items()}


# --- Telling -------------------------------------------------------------------------------------------------------
def _told(row: Registration) -> dict[str, Any]:
    fields = (
        "state email name language time_zone country profession sector affiliation source consents created_at "
        "confirmed_at cancelled_at proved_at"
    )
    return {
        "webinar": str(row.webinar.title),
        "organisation": row.webinar.organisation.name,
        "starts_at": row.webinar.starts_at,
        **{name: getattr(row, name) for name in fields.split()},
        "answers": [
            {
                "asked_at": answer.response.questionnaire.purpose,
                "question": str(answer.item.question.label),
                "answer": in_words(answer.item.question, answer.value),
            }
            for answer in _answers(row).select_related("response__questionnaire").order_by("created_at")
        ],
        "scores": [
            {"quiz": one.questionnaire.purpose, "share_right": one.score}
            for one in row.responses.exclude(score=None).select_related("questionnaire")
        ],
        "agreed_to": [
            {
                "kind": one.text.kind,
                "version": one.text.version,
                "text": str(one.text.text),
                "at": one.created_at,
                "taken_back_at": one.withdrawn_at,
            }
            for one in row.given_consents.select_related("text")
        ],
        "attended": list(row.attendances.values("joined_at", "left_at", "source")),
        "certificates": list(row.certificates.values("number", "minutes", "created_at", "revoked_at")),
    }


# --- Keeping times -------------------------------------------------------------------------------------------------
def _due_registrations(cutoff: datetime, organisation: Organisation | None) -> "QuerySet[Registration]":
    return Registration.objects.filter(webinar__organisation=organisation, webinar__ends_at__lt=cutoff).exclude(
        email__endswith=f"@{ERASED_DOMAIN}"
    )


def _purge_registrations(cutoff: datetime, organisation: Organisation | None) -> int:
    rows = list(_due_registrations(cutoff, organisation).select_related("webinar")[: keeping.CHUNK])
    for row in rows:
        anonymise(row)
    return len(rows)


def _due_answers(cutoff: datetime, organisation: Organisation | None) -> "QuerySet[Answer]":
    return Answer.objects.filter(
        response__questionnaire__webinar__organisation=organisation,
        response__questionnaire__webinar__ends_at__lt=cutoff,
    ).exclude(item__question__kind__in=COUNTED)


def _purge_answers(cutoff: datetime, organisation: Organisation | None) -> int:
    keys = list(_due_answers(cutoff, organisation).values_list("pk", flat=True)[: keeping.CHUNK])
    with transaction.atomic():
        return _forget_words(Answer.objects.filter(pk__in=keys)) if keys else 0


def _due_lists(model: Any) -> Any:
    def due(cutoff: datetime, organisation: Organisation | None) -> Any:
        # One that was never finished is as old as it is; nobody waits for it after the keeping time.
        old = Q(finished_at__lt=cutoff, state__in=FINISHED_STATES) | Q(created_at__lt=cutoff - timedelta(days=30))
        return model.objects.filter(old, webinar__organisation=organisation).exclude(rows=[])

    return due


def _purge_lists(model: Any) -> Any:
    def purge(cutoff: datetime, organisation: Organisation | None) -> int:
        keys = list(_due_lists(model)(cutoff, organisation).values_list("pk", flat=True)[: keeping.CHUNK])
        return int(model.objects.filter(pk__in=keys).update(rows=[])) if keys else 0

    return purge


def _due_people(model: Any) -> Any:
    def due(cutoff: datetime, organisation: Organisation | None) -> Any:
        return model.objects.filter(webinar__organisation=organisation, webinar__ends_at__lt=cutoff)

    return due


def _purge_people(model: Any) -> Any:
    return lambda cutoff, organisation: keeping.delete_some(_due_people(model)(cutoff, organisation))


def register_rules() -> None:
    """Registrations, people's own words, lists that were read in, teams and invitations."""
    keeping.register(
        keeping.Rule("answers", "answers", _("texts and files that people answered"), _due_answers, _purge_answers)
    )
    keeping.register(
        keeping.Rule("registrations", "registrations", _("who registered"), _due_registrations, _purge_registrations)
    )
    for name, lists in (("registration_lists", RegistrationImport), ("attendance_lists", AttendanceImport)):
        keeping.register(
            keeping.Rule(name, "lists", _("lists that were read in"), _due_lists(lists), _purge_lists(lists))
        )
    for name, label, people in (("groups", _("teams"), Group), ("invitations", _("invitations"), Invitation)):
        keeping.register(keeping.Rule(name, "registrations", label, _due_people(people), _purge_people(people)))
