"""Approval, invitations, institutions and opening times, one by one and together."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry
from events.models import Webinar
from notifications.models import Message
from notifications.purposes import is_still_wanted
from registration import services
from registration.errors import (
    InvitationEnded,
    InvitationForAnother,
    InvitationNeeded,
    RegistrationClosed,
    RegistrationNotOpen,
    WrongDomain,
    WrongState,
)
from registration.models import Invitation, Registration, RegistrationState
from tests.factories.accounts import UserFactory
from tests.factories.events import WebinarFactory
from tests.registration.helpers import check_counts, mails, register

pytestmark = pytest.mark.django_db


def invited(webinar: Webinar, email: str = "anna@example.org", **values: Any) -> Invitation:
    services.invite(webinar=webinar, people=[(email, "Anna")], user=UserFactory(), **values)
    return webinar.invitations.get(email=email)


def shared(webinar: Webinar, **values: Any) -> Invitation:
    return services.make_shared_invitation(webinar=webinar, user=UserFactory(), **{"name": "Ministry", **values})


# --- Times ---------------------------------------------------------------------------------------------------------
def test_before_registration_opens_nobody_can_register() -> None:
    webinar = WebinarFactory(registration_opens_at=timezone.now() + timedelta(hours=2))
    with pytest.raises(RegistrationNotOpen, match="Europe/Brussels"):
        register(webinar)


def test_organiser_can_add_somebody_outside_the_times() -> None:
    webinar = WebinarFactory(registration_closes_at=timezone.now() - timedelta(hours=2))
    with pytest.raises(RegistrationClosed):
        register(webinar)
    assert register(webinar, user=UserFactory()).state == RegistrationState.CONFIRMED


# --- Approval ------------------------------------------------------------------------------------------------------
def test_approval_takes_no_place_before_it_is_given() -> None:
    webinar = WebinarFactory(needs_approval=True, capacity=1)
    first, second = register(webinar, "a@example.org"), register(webinar, "b@example.org")
    assert (first.state, second.state) == (RegistrationState.PENDING, RegistrationState.PENDING)
    assert check_counts(webinar) == (0, 0)
    user = UserFactory()
    assert services.approve(registration=second, user=user).state == RegistrationState.CONFIRMED
    assert services.approve(registration=first, user=user).state == RegistrationState.WAITLISTED
    assert mails(first) == ["pending", "waitlisted"]
    assert mails(second) == ["pending", "confirmation"]
    assert AuditEntry.objects.filter(action="registration.approved", user=user).count() == 2


def test_declined_person_is_told_and_can_be_approved_later() -> None:
    webinar = WebinarFactory(needs_approval=True)
    registration, user = register(webinar), UserFactory()
    declined = services.decline(registration=registration, user=user)
    assert (declined.state, declined.decided_by) == (RegistrationState.DECLINED, user)
    with pytest.raises(WrongState):
        services.decline(registration=registration, user=user)
    assert register(webinar).state == RegistrationState.DECLINED
    services.approve(registration=registration, user=user)
    assert mails(registration) == ["pending", "declined", "confirmation"]
    with pytest.raises(WrongState):
        services.approve(registration=registration, user=user)


def test_many_are_decided_the_earliest_first() -> None:
    webinar = WebinarFactory(needs_approval=True, capacity=1)
    rows = [register(webinar, f"p{n}@example.org") for n in range(3)]
    services.cancel_registration(registration=rows[2])
    result = services.decide(webinar=webinar, pks=[row.pk for row in reversed(rows)], approved=True, user=UserFactory())
    assert (result.done, result.passed_over) == (2, 1)
    states = [Registration.objects.get(pk=row.pk).state for row in rows]
    assert states == [RegistrationState.CONFIRMED, RegistrationState.WAITLISTED, RegistrationState.CANCELLED]


def test_organiser_who_adds_somebody_that_waits_approves_them() -> None:
    webinar = WebinarFactory(needs_approval=True, email_domains=["who.int"])
    waiting = register(webinar, "anna@who.int")
    assert waiting.state == RegistrationState.UNPROVED
    assert register(webinar, "anna@who.int", user=UserFactory()).state == RegistrationState.CONFIRMED
    assert Registration.objects.count() == 1


# --- Institutions --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["anna@gmail.com", "anna@notwho.int", "anna@who.int.example.org"])
def test_addresses_of_other_institutions_are_refused(address: str) -> None:
    with pytest.raises(WrongDomain, match=r"who\.int"):
        register(WebinarFactory(email_domains=["who.int"]), address)


def test_place_is_taken_only_when_the_address_is_proved() -> None:
    webinar = WebinarFactory(email_domains=["who.int"], capacity=1)
    first, second = register(webinar, "a@who.int"), register(webinar, "b@euro.who.int")
    assert check_counts(webinar) == (0, 0)
    assert services.prove(registration=second).state == RegistrationState.CONFIRMED
    assert services.prove(registration=second).state == RegistrationState.CONFIRMED
    assert services.prove(registration=first).state == RegistrationState.WAITLISTED
    assert check_counts(webinar) == (1, 1)
    assert mails(second) == ["proof", "confirmation"]


def test_proof_leads_to_approval_where_both_are_wanted() -> None:
    webinar = WebinarFactory(email_domains=["who.int"], needs_approval=True)
    registration = services.prove(registration=register(webinar, "a@who.int"))
    assert registration.state == RegistrationState.PENDING
    assert mails(registration) == ["proof", "pending"]


def test_unproved_registrations_are_removed_after_three_days() -> None:
    webinar = WebinarFactory(email_domains=["who.int"])
    old, _new = register(webinar, "a@who.int"), register(webinar, "b@who.int")
    proved = services.prove(registration=register(webinar, "c@who.int"))
    Registration.objects.filter(pk__in=[old.pk, proved.pk]).update(updated_at=timezone.now() - timedelta(days=4))
    assert services.remove_unproved() == 1
    assert set(webinar.registrations.values_list("email", flat=True)) == {"b@who.int", "c@who.int"}


# --- Invitations ---------------------------------------------------------------------------------------------------
def test_without_an_invitation_nobody_registers_where_one_is_needed() -> None:
    with pytest.raises(InvitationNeeded):
        register(WebinarFactory(needs_invitation=True))


def test_personal_invitation_works_once_and_for_its_address() -> None:
    webinar = WebinarFactory(needs_invitation=True)
    invitation = invited(webinar)
    with pytest.raises(InvitationForAnother):
        register(webinar, "eva@example.org", invitation=invitation)
    registration = register(webinar, "Anna@example.org", invitation=invitation)
    assert registration.state == RegistrationState.CONFIRMED
    with pytest.raises(InvitationEnded):
        register(webinar, invitation=invitation)
    services.cancel_registration(registration=registration)
    assert register(webinar, invitation=invitation).state == RegistrationState.CONFIRMED


def test_personal_invitation_proves_the_address() -> None:
    webinar = WebinarFactory(needs_invitation=True, email_domains=["who.int"])
    registration = register(webinar, "a@who.int", invitation=invited(webinar, "a@who.int"))
    assert (registration.state, registration.proved_at is not None) == (RegistrationState.CONFIRMED, True)
    assert register(webinar, "b@who.int", invitation=shared(webinar)).state == RegistrationState.UNPROVED


def test_shared_invitation_has_a_limit_which_cancelling_gives_back() -> None:
    webinar = WebinarFactory(needs_invitation=True)
    invitation = shared(webinar, max_uses=2)
    first, _second = (register(webinar, f"{name}@example.org", invitation=invitation) for name in "ab")
    for address in ("a@example.org", "c@example.org"):  # the same answer, known or not
        with pytest.raises(InvitationEnded):
            register(webinar, address, invitation=invitation)
    services.cancel_registration(registration=first)
    services.cancel_registration(registration=first)
    invitation.refresh_from_db()
    assert invitation.uses == 1
    register(webinar, "c@example.org", invitation=invitation)


def test_declined_and_approved_again_count_one_use() -> None:
    webinar = WebinarFactory(needs_approval=True)
    invitation = shared(webinar)
    registration, user = register(webinar, invitation=invitation), UserFactory()
    services.decline(registration=registration, user=user)
    services.approve(registration=registration, user=user)
    invitation.refresh_from_db()
    assert invitation.uses == 1


@pytest.mark.parametrize("fields", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now()}])
def test_ended_invitation_opens_nothing(fields: dict[str, Any]) -> None:
    webinar = WebinarFactory(needs_invitation=True)
    invitation = shared(webinar)
    Invitation.objects.update(**fields)
    with pytest.raises(InvitationEnded):
        register(webinar, invitation=invitation)


def test_invitation_to_another_webinar_opens_nothing() -> None:
    invitation = shared(WebinarFactory())
    with pytest.raises(InvitationEnded):
        register(WebinarFactory(needs_invitation=True), invitation=invitation)


def test_inviting_a_list_takes_the_good_lines_and_names_the_bad() -> None:
    webinar = WebinarFactory()
    people = [("a@example.org", "Anna"), ("nonsense", ""), ("b@example.org", "see www.evil.example/")]
    result = services.invite(webinar=webinar, people=people, user=UserFactory())
    assert [invitation.email for invitation in result.made] == ["a@example.org"]
    assert [line for line, _reason in result.wrong] == [2, 3]
    again = services.invite(webinar=webinar, people=people[:1], user=UserFactory())
    assert (len(again.made), len(again.again)) == (0, 1)
    assert Message.objects.filter(purpose="registration.invitation").count() == 2


def test_revoked_invitation_stops_its_mail_too() -> None:
    invitation = invited(WebinarFactory())
    message = Message.objects.get(purpose="registration.invitation")
    assert is_still_wanted(message)
    services.revoke_invitation(invitation=invitation, user=UserFactory())
    assert not is_still_wanted(message)


# --- What nobody learns (promise A9) -------------------------------------------------------------------------------
def test_links_again_does_the_same_work_for_known_and_unknown() -> None:
    webinar = WebinarFactory()
    register(webinar)  # its confirmation is minutes old, so nothing is sent again
    counts = {}
    for address in ("anna@example.org", "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            services.send_links_again(email=address, webinar=webinar)
        counts[address] = len([q for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))])
    assert abs(counts["anna@example.org"] - counts["nobody@example.org"]) <= 2
    assert Message.objects.count() == 1
    assert Registration.objects.count() == 1


def test_organiser_can_have_the_links_sent_at_once() -> None:
    registration = register(WebinarFactory())
    services.resend_links(registration=registration, user=UserFactory())
    assert mails(registration) == ["confirmation", "confirmation"]
