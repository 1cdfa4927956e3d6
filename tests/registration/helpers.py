"""Registering in one line, and doing things at the same moment."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

from events.models import Webinar
from notifications.models import Message
from registration import services
from registration.messages import about
from registration.models import Places, Registration, RegistrationState


def register(webinar: Webinar, email: str = "anna@example.org", **values: Any) -> Registration:
    return services.register(
        **{
            "webinar": webinar,
            "email": email,
            "name": "Anna Example",
            "language": "en",
            "time_zone": "Europe/Berlin",
            "consents": ["privacy"],
            **values,
        }
    )


def mails(registration: Registration) -> list[str]:
    """The purposes of the mails queued for a registration, oldest first, without their common prefix."""
    found = Message.objects.filter(about=about(registration)).order_by("created_at")
    return [message.purpose.removeprefix("registration.") for message in found]


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all calls in threads that start together; return their results, exceptions included."""
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = calls[number]()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def check_counts(webinar: Webinar) -> tuple[int, int]:
    """Assert that the counter agrees with the rows; return how many have a place and how many wait."""
    places = Places.objects.get(pk=webinar.pk)
    confirmed = webinar.registrations.filter(state=RegistrationState.CONFIRMED).count()
    waiting = webinar.registrations.filter(state=RegistrationState.WAITLISTED)
    positions = list(waiting.values_list("waitlist_position", flat=True))
    assert places.confirmed == confirmed
    assert len(set(positions)) == len(positions)
    assert not services.recount(webinar=webinar)
    return confirmed, len(positions)
