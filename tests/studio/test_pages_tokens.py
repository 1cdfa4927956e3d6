"""API tokens: made, shown once, revoked."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, AuditEntry, Organisation, Role
from accounts.services import create_api_token, find_api_token
from tests.studio.conftest import Person, member


def make(person: Person, organisation: Organisation, **fields: str) -> tuple[str, str]:
    data = {"organisation": str(organisation.pk), "name": "Website", "days": "90", **fields}
    answer = person.client.post(reverse("studio:tokens"), data)
    return answer.context["made"], answer.content.decode()


def test_new_token_works_and_is_shown_once(organisation: Organisation, organiser: Person) -> None:
    token, page = make(organiser, organisation)

    row = find_api_token(token=token)
    assert token in page
    assert token not in organiser.client.get(reverse("studio:tokens")).content.decode()
    assert row is not None
    assert (row.organisation, row.created_by, row.can_write) == (organisation, organiser.user, False)
    assert row.expires_at is not None
    assert abs(row.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)


def test_token_may_change_things_only_if_asked_for(organisation: Organisation, organiser: Person) -> None:
    make(organiser, organisation, can_write="on", days="")

    row = ApiToken.objects.get()
    assert (row.can_write, row.expires_at) == (True, None)


def test_making_and_revoking_are_recorded(organisation: Organisation, organiser: Person) -> None:
    make(organiser, organisation)
    organiser.client.post(reverse("studio:token_revoke", args=[ApiToken.objects.get().pk]))

    assert list(AuditEntry.objects.order_by("at").values_list("action", flat=True)) == [
        "token.created",
        "token.revoked",
    ]


def test_token_is_made_for_own_organisations_only(stranger: Person, organisation: Organisation) -> None:
    make(stranger, organisation)

    assert not ApiToken.objects.exists()


def test_revoking_asks_first_and_ends_it(organisation: Organisation, organiser: Person) -> None:
    row, token = create_api_token(organisation=organisation, created_by=organiser.user, name="Website")
    url = reverse("studio:token_revoke", args=[row.pk])

    organiser.client.get(url)
    still_works = find_api_token(token=token) is not None
    organiser.client.post(url)

    assert (still_works, find_api_token(token=token)) == (True, None)


def test_owner_revokes_every_token_of_the_organisation(organisation: Organisation, organiser: Person) -> None:
    row, token = create_api_token(organisation=organisation, created_by=organiser.user, name="Website")

    member(organisation, Role.OWNER).client.post(reverse("studio:token_revoke", args=[row.pk]))

    assert find_api_token(token=token) is None


def test_list_holds_own_tokens_only(organisation: Organisation, organiser: Person, reviewer: Person) -> None:
    create_api_token(organisation=organisation, created_by=organiser.user, name="Website of the ministry")

    assert "Website of the ministry" not in reviewer.client.get(reverse("studio:tokens")).content.decode()


def test_strangers_do_not_find_a_token(organisation: Organisation, organiser: Person, stranger: Person) -> None:
    row, _token = create_api_token(organisation=organisation, created_by=organiser.user, name="Website")

    assert stranger.client.post(reverse("studio:token_revoke", args=[row.pk])).status_code == 404


def test_token_page_asks_strangers_to_sign_in(db: None) -> None:
    from django.test import Client

    assert Client().get(reverse("studio:tokens")).status_code == 302
