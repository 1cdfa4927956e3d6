"""Slides of a webinar for registered people are theirs alone (promise A3)."""

import pytest
from django.test import Client

from events.models import Visibility
from registration.links import token_for
from registration.models import RegistrationState
from tests.factories.events import PDF, MaterialFactory
from tests.factories.registration import RegistrationFactory

pytestmark = pytest.mark.django_db


def test_slides_for_registered_people_need_the_link_from_the_mail(client: Client) -> None:
    material = MaterialFactory(webinar__visibility=Visibility.REGISTERED)
    address = f"/webinars/{material.webinar.slug}/downloads/slides/{material.pk}/"
    page = f"/webinars/{material.webinar.slug}/"
    assert client.get(address).status_code == 404
    assert address not in client.get(page).content.decode()
    opened = client.get(address, {"registration": token_for(RegistrationFactory(webinar=material.webinar))})
    assert opened["Location"] == address
    answer = client.get(address)
    assert (answer.status_code, answer.getvalue()) == (200, PDF)
    assert address in client.get(page).content.decode()


@pytest.mark.parametrize("state", [RegistrationState.WAITLISTED, RegistrationState.CANCELLED])
def test_people_without_a_place_do_not_get_them(client: Client, state: RegistrationState) -> None:
    material = MaterialFactory(webinar__visibility=Visibility.REGISTERED)
    registration = RegistrationFactory(webinar=material.webinar, state=state)
    address = f"/webinars/{material.webinar.slug}/downloads/slides/{material.pk}/"
    client.get(address, {"registration": token_for(registration)})
    assert client.get(address).status_code == 404


def test_registration_at_another_webinar_opens_nothing(client: Client) -> None:
    material = MaterialFactory(webinar__visibility=Visibility.REGISTERED)
    address = f"/webinars/{material.webinar.slug}/downloads/slides/{material.pk}/"
    client.get(address, {"registration": token_for(RegistrationFactory())})
    assert client.get(address).status_code == 404
