"""Mails to a person, and addresses that get none (accounts.personal_data, accounts.keeping)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import keeping
from accounts.models import Organisation
from accounts.personal_data import Known, Person
from notifications.models import Bounce, Message, OptOut, Suppression
from work.models import FINISHED_STATES

BLANK = {"subject": "", "text": "", "html": "", "calendar": "", "recipient_name": "", "error": "", "log_tail": ""}


class Mails:
    """What was and will be mailed to the person. Forgotten mails are not sent; one that is being sent cannot be
    called back."""

    name = "mails"

    def _messages(self, person: Person) -> "QuerySet[Message]":
        found: QuerySet[Message] = _of(person, Message.objects.filter(recipient_email__iexact=person.email))
        return found

    def export(self, person: Person) -> Any:
        mails = [
            {"purpose": row.purpose, "subject": row.subject, "text": row.text, "sent_at": row.sent_at}
            for row in self._messages(person).order_by("created_at")
        ]
        opted_out = list(_of(person, OptOut.objects.filter(email__iexact=person.email)).values_list("scope", flat=True))
        return {"mails": mails, "no_more_of": opted_out} if mails or opted_out else None

    def files(self, person: Person) -> Iterable[tuple[str, bytes]]:
        return ()

    def erase(self, person: Person) -> int:
        messages = self._messages(person)
        count = messages.count()
        bounces = Bounce.objects.filter(Q(message__in=messages) | Q(email__iexact=person.email, message=None))
        (bounces if person.organisation is None else bounces.exclude(message=None)).delete()
        messages.delete()
        _of(person, OptOut.objects.filter(email__iexact=person.email)).delete()
        if person.organisation is None:
            Suppression.objects.filter(email__iexact=person.email).delete()
        return count

    def known(self) -> Iterator[Known]:
        rows = Message.objects.values_list("recipient_email", "organisation", "created_at")
        for email, organisation, since in rows.iterator():
            yield Known(email, organisation, since)


def _of(person: Person, rows: Any) -> Any:
    if person.organisation is not None:
        rows = rows.filter(organisation=person.organisation)
    return rows if person.before is None else rows.filter(created_at__lt=person.before)


def _due_mails(cutoff: datetime, organisation: Organisation | None) -> "QuerySet[Message]":
    finished = Message.objects.filter(state__in=FINISHED_STATES, created_at__lt=cutoff, organisation=organisation)
    return finished.exclude(text="", subject="")


def _blank_mails(cutoff: datetime, organisation: Organisation | None) -> int:
    # The row stays, without what it said: it is what keeps the same mail from being sent twice.
    keys = list(_due_mails(cutoff, organisation).order_by("pk").values_list("pk", flat=True)[: keeping.CHUNK])
    return Message.objects.filter(pk__in=keys).update(**BLANK) if keys else 0


def _due_bounces(cutoff: datetime, organisation: Organisation | None) -> "QuerySet[Bounce]":
    of = Q(message__organisation=organisation)
    return Bounce.objects.filter(of | Q(message=None) if organisation is None else of, created_at__lt=cutoff)


def register_rules() -> None:
    """What mails said is kept as long as `mails`; what came back for them too."""
    keeping.register(keeping.Rule("mails", "mails", _("texts of mails"), _due_mails, _blank_mails))
    keeping.register(
        keeping.Rule(
            "bounces",
            "mails",
            _("returned mails"),
            _due_bounces,
            lambda cutoff, organisation: keeping.delete_some(_due_bounces(cutoff, organisation)),
        )
    )
