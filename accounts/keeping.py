"""How long each kind of data is kept, and the nightly purge of what is older (promise P3).

An app registers a rule per kind of data. Its days come from the settings (KEEP_..._DAYS); an organisation may have
its own (`Organisation.keeping_days`). 0 keeps for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, Organisation, Purge
from work import services as work
from work.leases import Lease

WORK_KIND: Final = "accounts.purge"
STARTS_AT_HOUR: Final = 2  # UTC
CHUNK: Final = 200


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
