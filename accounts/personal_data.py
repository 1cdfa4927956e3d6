"""What is stored about a person: handing it out, forgetting it, and forgetting it again after a restore.

Each app that stores something about people registers a holder in `AppConfig.ready`; nobody else has to know where
people are. A person is named by their address, either within one organisation (which its organisers may ask for) or in
the whole service (which the person may ask for at their personal link).

That somebody was erased is kept as a keyed hash, in the database and beside the files, which a restored database does
not take along: `repeat_erasures` then forgets them again (promise P2). Whoever comes back after being erased is a new
person: only what was there before is forgotten.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.file_names import clean_file_name
from accounts.models import AuditEntry, ErasedPerson, Organisation, User
from accounts.services import record_action

FOLDER: Final = "erased"
ERASED_DOMAIN: Final = "erased.invalid"  # RFC 6761: never a mailbox


@dataclass(frozen=True)
class Person:
    """Whose data: an address, in one organisation or (None) everywhere; with `before`, only what is older."""

    email: str
    organisation: Organisation | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class Known:
    """An address that is stored somewhere, and since when."""

    email: str
    organisation_id: Any
    since: datetime


class Holder(Protocol):
    """One app's data about people. Every method may run twice."""

    name: str

    def export(self, person: Person) -> Any:
        """What is stored, ready for JSON; empty if nothing."""

    def files(self, person: Person) -> Iterable[tuple[str, bytes]]:
        """The person's files: a name to show, and the content."""

    def erase(self, person: Person) -> int:
        """Forget the person, within the caller's transaction. Returns how many rows it was about."""

    def known(self) -> Iterator[Known]:
        """Every address that is stored."""


_holders: list[Holder] = []


def register(holder: Holder) -> None:
    """Have a holder asked at each export and erasure, in the order of registering."""
    _holders.append(holder)


# --- Handing out ---------------------------------------------------------------------------------------------------
def export_person(*, email: str, organisation: Organisation | None = None) -> bytes:
    """Return a ZIP with `data.json` and the person's files (GDPR, articles 15 and 20)."""
    person = Person(email.strip().lower(), organisation)
    data = {"address": person.email, "made_at": timezone.now()}
    data |= {holder.name: found for holder in _holders if (found := holder.export(person))}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
        number = 0
        for holder in _holders:
            for name, content in holder.files(person):
                number += 1  # two files may have one name
                archive.writestr(f"files/{number}-{clean_file_name(name)}", content)
    return file.getvalue()


# --- Forgetting ----------------------------------------------------------------------------------------------------
def erase_person(
    *, email: str, organisation: Organisation | None = None, user: User | None = None, actor: str = ""
) -> dict[str, int]:
    """Forget a person; sums stay right. Returns how many rows of each holder it was about.

    Args:
        user: the organiser who does it; None when they do it themselves, or the operator at a shell.
    """
    person = Person(email.strip().lower(), organisation)
    digest = digest_of(person.email, organisation)
    with transaction.atomic():
        counts = _forget(person)
        erased, _is_new = ErasedPerson.objects.update_or_create(digest=digest)
        ErasedPerson.objects.filter(pk=digest).update(at=timezone.now())
        record_action(
            action="person.erased", target=erased, organisation=organisation, user=user, actor=actor, counts=counts
        )
        transaction.on_commit(lambda: _remember_outside(digest))
    return counts


def _forget(person: Person) -> dict[str, int]:
    counts = {holder.name: count for holder in _holders if (count := holder.erase(person))}
    _scrub_audit(person)
    return counts


def _scrub_audit(person: Person) -> None:
    """Take the address out of what was done. This is the one change that the log allows; who did what, when and to
    which row stays."""
    for entry in AuditEntry.objects.filter(detail__icontains=person.email):
        if person.organisation is None or entry.organisation_id == person.organisation.pk:
            AuditEntry.objects.filter(pk=entry.pk).update(detail=without(entry.detail, person.email))


def without(value: Any, text: str) -> Any:
    """The JSON value with every string emptied that holds the text, in whatever case.

    >>> without({"a": ["Anna@example.org", "b"]}, "anna@example.org")
    {'a': ['', 'b']}
    """
    if isinstance(value, str):
        return "" if text.lower() in value.lower() else value
    if isinstance(value, dict):
        return {key: without(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [without(inner, text) for inner in value]
    return value


# --- After a restore -----------------------------------------------------------------------------------------------
def digest_of(email: str, organisation: Organisation | None = None, *, organisation_id: Any = None) -> str:
    """The keyed hash that says that a person was erased, in that organisation or everywhere."""
    scope = organisation.pk if organisation else organisation_id
    return salted_hmac("accounts.erased", f"{email.strip().lower()}|{scope or ''}", algorithm="sha256").hexdigest()


def repeat_erasures() -> int:
    """Forget everybody again who was erased before, after a backup brought them back. Returns how many.

    The list is the one in the database and the one beside the files, which may be newer than a restored database.
    """
    erased = _erased()
    everywhere: set[Person] = set()
    for holder in _holders:
        for known in holder.known():
            for organisation_id in {None, known.organisation_id}:
                at = erased.get(digest_of(known.email, organisation_id=organisation_id))
                if at is not None and known.since < at:
                    organisation = Organisation.objects.filter(pk=organisation_id).first() if organisation_id else None
                    everywhere.add(Person(known.email.lower(), organisation, before=at))
    for person in everywhere:
        with transaction.atomic():
            counts = _forget(person)
            digest = digest_of(person.email, person.organisation)
            row = ErasedPerson.objects.get_or_create(digest=digest)[0]
            ErasedPerson.objects.filter(pk=digest).update(at=person.before)
            record_action(action="person.erased_again", target=row, organisation=person.organisation, counts=counts)
    return len(everywhere)


def _erased() -> dict[str, datetime]:
    found = dict(ErasedPerson.objects.values_list("digest", "at"))
    try:
        names = default_storage.listdir(FOLDER)[1]
    except FileNotFoundError:
        names = []
    for name in names:
        digest = name.partition(".")[0]
        if digest not in found:
            with default_storage.open(f"{FOLDER}/{name}") as file:
                found[digest] = datetime.fromisoformat(file.read().decode())
    return found


def _remember_outside(digest: str) -> None:
    name = f"{FOLDER}/{digest}.txt"
    default_storage.delete(name)
    default_storage.save(name, ContentFile(timezone.now().isoformat().encode()))


# --- This app's own ------------------------------------------------------------------------------------------------
class Accounts:
    """Accounts that belong to no organisation, and traces of signing in. Members are forgotten by taking their
    membership away first: an organisation must not lose its owner because somebody registered with that address."""

    name = "account"

    def export(self, person: Person) -> Any:
        user = User.objects.filter(email__iexact=person.email).first()
        if user is None or person.organisation is not None:
            return None
        return {
            "name": user.name,
            "email": user.email,
            "language": user.language,
            "time_zone": user.time_zone,
            "since": user.date_joined,
            "last_login": user.last_login,
            "organisations": [str(one.organisation) for one in user.memberships.select_related("organisation")],
            "did": list(AuditEntry.objects.filter(user=user).values("at", "action", "target_type")),
        }

    def files(self, person: Person) -> Iterable[tuple[str, bytes]]:
        return ()

    def erase(self, person: Person) -> int:
        from axes.models import AccessAttempt, AccessFailureLog, AccessLog
        from django.contrib.admin.models import LogEntry

        from accounts.models import IdempotentAnswer

        IdempotentAnswer.objects.filter(body__icontains=person.email).delete()
        if person.organisation is not None:
            return 0
        for model in (AccessAttempt, AccessFailureLog, AccessLog):
            model.objects.filter(username__iexact=person.email).delete()
        LogEntry.objects.filter(object_repr__icontains=person.email).delete()
        users = User.objects.filter(email__iexact=person.email, memberships=None, is_superuser=False)
        if person.before is not None:
            users = users.filter(date_joined__lt=person.before)
        count = users.count()
        for user in users:
            user.delete()
        return count

    def known(self) -> Iterator[Known]:
        for email, since in User.objects.filter(memberships=None).values_list("email", "date_joined").iterator():
            yield Known(email, None, since)
