from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Membership, Organisation, Role, User
from tests.factories.accounts import OrganisationFactory, UserFactory

pytestmark = pytest.mark.django_db


def create_owner(**options: str) -> str:
    out = StringIO()
    call_command("create_owner", stdout=out, **options)
    return out.getvalue()


def test_owner_gets_an_organisation_and_a_password_that_works() -> None:
    said = create_owner(email="Ada@Example.org", organisation="Migrant health")
    user = User.objects.get()
    membership = Membership.objects.get()
    assert (membership.user, membership.role, membership.organisation.slug) == (user, Role.OWNER, "migrant-health")
    assert user.check_password(said.split("Password (shown only now): ")[1].strip())
    assert not user.is_staff


def test_known_person_becomes_owner_of_a_known_organisation_and_keeps_the_password() -> None:
    organisation, user = OrganisationFactory(), UserFactory()
    password = user.password
    said = create_owner(email=user.email, organisation=organisation.name)
    assert "keeps its password" in said
    assert (Organisation.objects.count(), User.objects.get().password) == (1, password)
    assert Membership.objects.get().role == Role.OWNER


def test_organisation_without_latin_letters_gets_an_address() -> None:
    create_owner(email="a@example.org", organisation="الصحة")
    assert Organisation.objects.get().slug == "organisation"


@pytest.mark.parametrize("options", [{"email": "ada", "organisation": "X"}, {"email": "a@b.org", "organisation": " "}])
def test_what_is_no_address_or_name_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(CommandError):
        create_owner(**options)
    assert not User.objects.exists()
