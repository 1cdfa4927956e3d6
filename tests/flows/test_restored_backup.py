"""Erasure survives a restore (promise P2): a real dump, made before, is restored by PostgreSQL's own tools."""

import io
from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.personal_data import erase_person
from registration.models import Registration, RegistrationState
from tests.factories.events import WebinarFactory
from tests.registration.test_personal_data import EMAIL, MARK, database, plant, stored_files
from tests.support import postgres

RESTORED = "restored"


@pytest.fixture
def use_database() -> Iterator[Callable[[str], None]]:
    """Have Django talk to another database of the tests' server."""
    own = str(connection.settings_dict["NAME"])

    def use(name: str) -> None:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
        connection.settings_dict["NAME"] = name

    yield use
    use(own)
    postgres.drop(folder=str(connection.settings_dict["HOST"]), database=RESTORED)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("own_store")
def test_who_was_erased_after_the_backup_is_erased_again_after_its_restore(use_database: Callable[[str], None]) -> None:
    folder, name = str(connection.settings_dict["HOST"]), str(connection.settings_dict["NAME"])
    webinar = WebinarFactory(capacity=5)
    plant(webinar)
    plant(webinar, mark="bystander")
    backup = postgres.dump(folder=folder, database=name)
    assert MARK.encode() in backup.lower()
    erase_person(email=EMAIL)
    assert MARK not in database()

    postgres.restore(backup, folder=folder, database=RESTORED)
    use_database(RESTORED)
    assert MARK in database()
    out = io.StringIO()
    call_command("repeat_erasures", stdout=out)

    assert "1" in out.getvalue()
    assert MARK not in database() + stored_files()
    assert "bystander" in database()
    # Not in a column either that no model knows.
    assert MARK.encode() not in postgres.dump(folder=folder, database=RESTORED).lower()
    assert Registration.objects.exclude(state=RegistrationState.CANCELLED).count() == webinar.places.confirmed
