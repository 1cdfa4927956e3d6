"""Any order of registering, cancelling, resizing, deciding, proving and inviting agrees with a plain model (B5)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.models import Webinar
from registration import services
from registration.errors import InvitationEnded, WrongState
from registration.models import Invitation, Places, RegistrationState
from tests.factories.accounts import UserFactory
from tests.factories.events import WebinarFactory
from tests.registration.helpers import register

pytestmark = pytest.mark.django_db
PEOPLE = [f"p{number}@example.org" for number in range(6)]
INVITATION_USES = 3
ACTIONS = st.one_of(
    st.tuples(
        st.sampled_from(["register", "cancel", "approve", "decline", "prove", "invite"]), st.sampled_from(PEOPLE)
    ),
    st.tuples(st.just("resize"), st.one_of(st.none(), st.integers(1, 5))),
    st.tuples(st.just("conditions"), st.sets(st.sampled_from(["approval", "proof"]))),
    st.tuples(st.just("promote"), st.none()),
)


class Model:
    """Who stands where, how many places there are, and what people have to pass before they get one."""

    def __init__(self, capacity: int | None) -> None:
        self.capacity = capacity
        self.conditions: set[str] = set()
        self.states: dict[str, str] = {}
        self.waiting: list[str] = []
        self.with_invitation: set[str] = set()

    def do(self, action: str, person: Any) -> None:
        state = self.states.get(person) if isinstance(person, str) else None
        if action == "register" and state in (None, "cancelled"):
            self._begin(person, is_invited=False)
        elif action == "invite" and self.uses < INVITATION_USES and state in (None, "cancelled"):
            self._begin(person, is_invited=True)
        elif action == "cancel" and state not in (None, "cancelled", "declined"):
            self.waiting = [one for one in self.waiting if one != person]
            self.states[person] = "cancelled"
        elif action == "approve" and state in ("pending", "declined"):
            self._queue(person)
        elif action == "decline" and state == "pending":
            self.states[person] = "declined"
        elif action == "prove" and state == "unproved":
            self._after_proof(person)
        elif action == "resize":
            self.capacity = person
        elif action == "conditions":
            self.conditions = person
        self._promote()

    @property
    def uses(self) -> int:
        return sum(self.states[person] not in ("cancelled", "declined") for person in self.with_invitation)

    @property
    def confirmed(self) -> int:
        return sum(state == "confirmed" for state in self.states.values())

    def _begin(self, person: str, *, is_invited: bool) -> None:
        (self.with_invitation.add if is_invited else self.with_invitation.discard)(person)
        if "proof" in self.conditions:
            self.states[person] = "unproved"
        else:
            self._after_proof(person)

    def _after_proof(self, person: str) -> None:
        if "approval" in self.conditions:
            self.states[person] = "pending"
        else:
            self._queue(person)

    def _queue(self, person: str) -> None:
        # Free places are never kept from those who wait, so the end of the queue is the right place to begin.
        self.states[person] = "waitlisted"
        self.waiting.append(person)

    def _promote(self) -> None:
        while self.waiting and (self.capacity is None or self.confirmed < self.capacity):
            self.states[self.waiting.pop(0)] = "confirmed"


def do(webinar: Webinar, invitation: Invitation, user: Any, action: str, value: Any) -> None:
    webinar.refresh_from_db()
    mine = webinar.registrations.filter(email=value).first() if isinstance(value, str) else None
    try:
        if action == "register":
            register(webinar, value)
        elif action == "invite":
            register(webinar, value, invitation=invitation)
        elif action == "resize":
            Webinar.objects.filter(pk=webinar.pk).update(capacity=value)
            services.set_capacity(webinar=webinar)
        elif action == "conditions":
            domains = ["example.org"] if "proof" in value else []
            Webinar.objects.filter(pk=webinar.pk).update(needs_approval="approval" in value, email_domains=domains)
        elif action == "promote":
            services.promote_from_waitlist(webinar=webinar)
        elif mine is not None and action == "cancel":
            services.cancel_registration(registration=mine)
        elif mine is not None and action == "approve":
            services.approve(registration=mine, user=user)
        elif mine is not None and action == "decline":
            services.decline(registration=mine, user=user)
        elif mine is not None and action == "prove":
            services.prove(registration=mine)
    except (WrongState, InvitationEnded):
        pass  # the model says what these leave as it was


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(ACTIONS, max_size=25))
def test_any_order_of_actions_agrees_with_the_model(actions: list[tuple[str, Any]]) -> None:
    webinar, user = WebinarFactory(capacity=2), UserFactory()
    invitation = services.make_shared_invitation(webinar=webinar, user=user, name="", max_uses=INVITATION_USES)
    model = Model(2)
    for action, value in actions:
        do(webinar, invitation, user, action, value)
        model.do(action, value)
        assert dict(webinar.registrations.values_list("email", "state")) == model.states
        waiting = webinar.registrations.filter(state=RegistrationState.WAITLISTED).order_by("waitlist_position")
        assert list(waiting.values_list("email", flat=True)) == model.waiting
        assert Invitation.objects.get(pk=invitation.pk).uses == model.uses
    if webinar.registrations.exists():
        assert Places.objects.get(pk=webinar.pk).confirmed == model.confirmed
        assert not services.recount(webinar=webinar)
