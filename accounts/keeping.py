"""How long each kind of data is kept, and the nightly purge of what is older (promise P3).

An app registers a rule per kind of data. Its days come from the settings (KEEP_..._DAYS); an organisation may have
its own (`Organisation.keeping_days`). 0 keeps for ever.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, Organisation, Purge, User
from accounts.services import record_action
from work import services as work
from work.errors import DomainError
from work.leases import Lease

WORK_KIND: Final = "accounts.purge"
STARTS_AT_HOUR: Final = 2  # UTC
CHUNK: Final = 200
MOST_DAYS: Final = 36_500


class InvalidKeepingTime(DomainError):
    """A keeping time cannot be meant. `field` names it."""

    code = "invalid"


@dataclass(frozen=True)
class Rule:
    """One kind of data.

    Attributes:
        name: stable, for programs.
        days: the key of its keeping time in `settings.KEEP_DAYS` and `Organisation.keeping_days`.
        label: for people.
        due: the rows older than a moment, of an organisation (None: of those that belong to none).
        purge: deletes or blanks some of these rows, a limited number, and returns how many; called until it says 0.
        per_organisation: False for what belongs to no organisation.
    """

    name: str
    days: str
    label: str | Promise
    due: Callable[[datetime, Organisation | None], Any]
    purge: Callable[[datetime, Organisation | None], int]
    per_organisation: bool = True


_rules: list[Rule] = []


def register(rule: Rule) -> None:
    _rules.append(rule)


def rules() -> list[Rule]:
    return list(_rules)


def days_of(rule: Rule, organisation: Organisation | None) -> int:
    """How many days this kind is kept there; 0 for ever."""
    own = organisation.keeping_days.get(rule.days) if organisation else None
    return own if isinstance(own, int) and not isinstance(own, bool) and own >= 0 else settings.KEEP_DAYS[rule.days]


@dataclass(frozen=True)
class KeepingTime:
    """One keeping time of an organisation.

    Attributes:
        name: the key in `settings.KEEP_DAYS` and `Organisation.keeping_days`.
        labels: the kinds of data that it holds for.
        own_days: the organisation's own; None where the service's holds. 0 is for ever.
        standard_days: the service's.
        due: how many rows the next purge would take.
    """

    name: str
    labels: tuple[str, ...]
    own_days: int | None
    standard_days: int
    due: int


def names_for_organisations() -> list[str]:
    """The keeping times that an organisation may have of its own, in the order in which kinds were registered."""
    return list(dict.fromkeys(rule.days for rule in _rules if rule.per_organisation))


def times_of(
    organisation: Organisation, *, days: Mapping[str, int | None] | None = None, now: datetime | None = None
) -> list[KeepingTime]:
    """An organisation's keeping times with what tonight's purge would take of its data. Changes nothing.

    Args:
        days: as if these were its own, see `set_keeping_days`; None for those that hold.
    """
    now = now or timezone.now()
    own = organisation.keeping_days if days is None else days
    found = []
    for name in names_for_organisations():
        mine = [rule for rule in _rules if rule.per_organisation and rule.days == name]
        given, standard = own.get(name), settings.KEEP_DAYS[name]
        kept = standard if given is None else given
        cutoff = now - timedelta(days=kept)
        due = sum(rule.due(cutoff, organisation).count() for rule in mine) if kept else 0
        labels = tuple(dict.fromkeys(str(rule.label) for rule in mine))
        found.append(KeepingTime(name, labels, given, standard, due))
    return found


def clean_days(days: Mapping[str, int | None]) -> dict[str, int]:
    """Keeping times as they are stored: those that differ from the service's.

    Raises:
        InvalidKeepingTime: there is no such kind of data, or so many days cannot be meant.
    """
    unknown = [name for name in days if name not in names_for_organisations()]
    if unknown:
        raise InvalidKeepingTime(_("There is no such kind of data."), field=unknown[0][:40])
    for name, number in days.items():
        if number is not None and not 0 <= number <= MOST_DAYS:
            raise InvalidKeepingTime(
                _("Give a number of days up to %(most)s, or 0 to keep it for ever.") % {"most": MOST_DAYS}, field=name
            )
    return {name: number for name, number in days.items() if number is not None}


def set_keeping_days(*, organisation: Organisation, days: Mapping[str, int | None], user: User | None) -> Organisation:
    """Set how long an organisation keeps each kind of data; the purge of the next night goes by it.

    Args:
        days: by the name of the keeping time; None, or a name that is left out, goes by the service's.

    Raises:
        InvalidKeepingTime: see `clean_days`.
    """
    cleaned = clean_days(days)
    with transaction.atomic():
        # An UPDATE locks the row on every database.
        Organisation.objects.filter(pk=organisation.pk).update(updated_at=timezone.now())
        before = Organisation.objects.get(pk=organisation.pk).keeping_days
        organisation.keeping_days = cleaned
        organisation.save(update_fields=["keeping_days", "updated_at"])
        if before != cleaned:
            record_action(
                action="organisation.keeping_days",
                target=organisation,
                organisation=organisation,
                user=user,
                before=before,
                after=cleaned,
            )
    return organisation


def preview(*, now: datetime | None = None) -> dict[str, int]:
    """How many rows of each kind the next purge would take. Changes nothing."""
    now = now or timezone.now()
    return {
        rule.name: sum(rule.due(cutoff, organisation).count() for cutoff, organisation in _scopes(rule, now))
        for rule in _rules
    }


def purge(
    *, now: datetime | None = None, report: Callable[[int, str], None] = lambda _percent, _text: None
) -> dict[str, int]:
    """Delete what has been kept long enough, some hundred rows at a time. Safe to repeat. Returns how many per kind."""
    now = now or timezone.now()
    counts: dict[str, int] = {}
    for number, rule in enumerate(_rules):
        report(100 * number // len(_rules), str(rule.label))
        total = 0
        for cutoff, organisation in _scopes(rule, now):
            while done := rule.purge(cutoff, organisation):
                total += done
                report(100 * number // len(_rules), str(rule.label))
        counts[rule.name] = total
    return counts


def _scopes(rule: Rule, now: datetime) -> list[tuple[datetime, Organisation | None]]:
    found: list[tuple[datetime, Organisation | None]] = []
    organisations: list[Organisation | None] = [None]
    if rule.per_organisation:
        organisations += Organisation.objects.order_by("created_at")
    for organisation in organisations:
        days = days_of(rule, organisation)
        if days:
            found.append((now - timedelta(days=days), organisation))
    return found


# --- Every night ---------------------------------------------------------------------------------------------------
def start_nightly() -> None:
    """Queue tonight's purge unless that was done; a chore of the sweeper."""
    now = timezone.now()
    if now.hour < STARTS_AT_HOUR or Purge.objects.filter(day=now.date()).exists():
        return
    row, is_new = Purge.objects.get_or_create(day=now.date())
    if is_new:
        work.enqueue(row)


def run(lease: Lease[Purge]) -> None:
    """The handler of the nightly row."""
    counts = purge(report=lease.report)
    lease.write(counts=counts)


# --- This app's own ------------------------------------------------------------------------------------------------
def register_own() -> None:
    """Rules for what accounts keeps: who did what, and traces of signing in."""
    from axes.models import AccessAttempt, AccessFailureLog, AccessLog  # models are not ready when this is imported
    from django.contrib.sessions.models import Session

    def audit(cutoff: datetime, organisation: Organisation | None) -> Any:
        return AuditEntry.objects.filter(at__lt=cutoff, organisation=organisation)

    register(Rule("audit", "audit", _("who did what"), audit, lambda cutoff, one: delete_some(audit(cutoff, one))))
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        register(_access_rule(model, "attempt_time"))
    register(_access_rule(Session, "expire_date"))


def _access_rule(model: Any, column: str) -> Rule:
    def due(cutoff: datetime, _organisation: Organisation | None) -> Any:
        return model.objects.filter(**{f"{column}__lt": cutoff})

    name = f"access_{model._meta.model_name}"
    return Rule(
        name, "access", _("traces of signing in"), due, lambda cutoff, one: delete_some(due(cutoff, one)), False
    )


def delete_some(rows: Any) -> int:
    """Delete at most CHUNK of the rows; returns how many."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    if keys:
        rows.model.objects.filter(pk__in=keys).delete()
    return len(keys)
