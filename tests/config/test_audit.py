"""Who did what is written down, once, and stays (promise P6)."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import AuditEntry
from accounts.services import record_action
from tests.config.access import World
from tests.config.test_access_matrix import TABLES, body_for, world
from tests.factories.accounts import OrganisationFactory

__all__ = ["world"]
DONE = (200, 201, 202, 204, 302)
ENTRY = "accounts_auditentry"
# Nobody does these to anybody: sessions, counters that are made when first needed, an empty list of questions; what was
# watched, without names; the outbox, which is a record itself.
MACHINERY = {
    "django_session",
    "axes_accesslog",
    "library_viewing",
    "notifications_message",
    "registration_places",
    "registration_questionnaire",
}
_CHANGE = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')


class Changes:
    """Wraps statements, and notes the tables in which they changed a row."""

    def __init__(self) -> None:
        self.tables: set[str] = set()

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if (found := _CHANGE.match(sql)) and context["cursor"].rowcount > 0:
            self.tables.add(found[1])
        return result


@pytest.mark.timeout(600)  # every address that changes something, asked for by those who may
def test_what_changes_something_leaves_an_entry(world: World) -> None:
    silent = []
    for row in (row for table in TABLES.values() for row in table if row.method not in ("GET", "HEAD")):
        for role in ("anonymous", "registrant", "speaker", "owner"):
            if row.expected.get(role) not in DONE:
                continue
            changes = Changes()
            with connection.execute_wrapper(changes):
                world.ask(role, row.method, world.address(row.address, role), body_for(row.method, row.address, world))
            changed = changes.tables - MACHINERY
            if changed and ENTRY not in changed:
                silent.append(f"{row.method} {row.address} by {role}: {', '.join(sorted(changed))}")
    assert not silent, "\n".join(["", *silent])


@pytest.mark.django_db
def test_an_entry_is_neither_changed_nor_deleted() -> None:
    entry = record_action(action="test", target=OrganisationFactory(), organisation=None)
    entry.action = "another"
    for forbidden in (entry.save, entry.delete):
        with pytest.raises(TypeError):
            forbidden()
    assert AuditEntry.objects.get().action == "test"


def test_only_erasing_and_keeping_times_reach_entries_that_were_written() -> None:
    """Everywhere else entries are only read; the service is the only one that makes them."""
    apps = [path for path in Path(settings.BASE_DIR).glob("*/apps.py") if path.parent.name != "tests"]
    sources = [path for app in apps for path in app.parent.rglob("*.py") if "migrations" not in path.parts]
    found = {
        (path.relative_to(settings.BASE_DIR).as_posix(), word)
        for path in sources
        for line in path.read_text().splitlines()
        if "AuditEntry" in line or "audit_entries" in line
        for word in re.findall(r"\.(create|bulk_create|update|bulk_update|delete|raw)\(", line)
    }
    assert found == {("accounts/services.py", "create"), ("accounts/personal_data.py", "update")}
