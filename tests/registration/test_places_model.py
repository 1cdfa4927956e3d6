"""Any order of registering, cancelling, resizing and promoting agrees with a plain model of it (promise B5)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.models import Webinar
from registration import services
from registration.models import Places, RegistrationState
from tests.factories.events import WebinarFactory
from tests.registration.helpers import register

pytestmark = pytest.mark.django_db
PEOPLE = [f"p{number}@example.org" for number in range(6)]
ACTIONS = st.one_of(
    st.tuples(st.just("register"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("cancel"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("resize"), st.one_of(st.none(), st.integers(1, 5))),
    st.tuples(st.just("promote"), st.none()),
)


class Model:
    """Who has a place, who waits in which order, and how many places there are."""

    def __init__(self, capacity: int | None) -> None:
        self.capacity = capacity
        self.confirmed: set[str] = set()
        self.waiting: list[str] = []

    def do(self, action: str, value: Any) -> None:
        if action == "register" and value not in self.confirmed and value not in self.waiting:
            self.waiting.append(value)
        elif action == "cancel":
            self.confirmed.discard(value)
            self.waiting = [person for person in self.waiting if person != value]
        elif action == "resize":
            self.capacity = value
        while self.waiting and (self.capacity is None or len(self.confirmed) < self.capacity):
            self.confirmed.add(self.waiting.pop(0))


def do(webinar: Webinar, action: str, value: Any) -> None:
    if action == "register":
        register(webinar, value)
    elif action == "cancel":
        for registration in webinar.registrations.filter(email=value):
            services.cancel_registration(registration=registration)
    elif action == "resize":
        Webinar.objects.filter(pk=webinar.pk).update(capacity=value)
        services.set_capacity(webinar=webinar)
    else:
        services.promote_from_waitlist(webinar=webinar)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(ACTIONS, max_size=25))
def test_any_order_of_actions_agrees_with_the_model(actions: list[tuple[str, Any]]) -> None:
    webinar = WebinarFactory(capacity=2)
    model = Model(2)
    for action, value in actions:
        do(webinar, action, value)
        model.do(action, value)
        rows = webinar.registrations
        waiting = rows.filter(state=RegistrationState.WAITLISTED).order_by("waitlist_position")
        confirmed = set(rows.filter(state=RegistrationState.CONFIRMED).values_list("email", flat=True))
        assert (confirmed, list(waiting.values_list("email", flat=True))) == (model.confirmed, model.waiting)
    if webinar.registrations.exists():
        assert Places.objects.get(pk=webinar.pk).confirmed == len(model.confirmed)
        assert not services.recount(webinar=webinar)
