"""Who earned a certificate is told once, and again of one that replaces it."""

import pytest

import work.services
from notifications.models import Message
from notifications.purposes import is_still_wanted
from registration import certificate_mails, certificates
from registration.models import Announcement, CertificateBatch, Registration
from tests.factories.registration import RegistrationFactory
from work.models import WorkState

pytestmark = pytest.mark.django_db


def finish_batch(registration: Registration) -> list[Message]:
    batch = CertificateBatch.objects.create(webinar=registration.webinar, state=WorkState.DONE)
    certificate_mails.tell(batch)
    for row in Announcement.objects.filter(state=WorkState.QUEUED):
        work.services.execute("registration.announcement", row.pk)
    return list(Message.objects.order_by("created_at"))


def test_holders_are_told_once() -> None:
    registration: Registration = RegistrationFactory()
    RegistrationFactory(webinar=registration.webinar)
    first = registration.certificates.create(number="1", language="en", key="a")
    (message,) = finish_batch(registration)
    assert message.recipient_email == registration.email
    assert "/certificate.pdf" in message.text
    assert is_still_wanted(message)
    assert len(finish_batch(registration)) == 1
    registration.certificates.filter(pk=first.pk).update(revoked_at=first.created_at)
    assert not is_still_wanted(message)
    registration.certificates.create(number="2", language="en", key="b")
    assert len(finish_batch(registration)) == 2


def test_a_certificate_that_takes_the_place_of_another_is_told_at_once() -> None:
    registration: Registration = RegistrationFactory(language="fr")
    old = registration.certificates.create(number="1", language="en", key="a")
    finish_batch(registration)
    certificates.reissue(certificate=old, user=None)
    first, second = Message.objects.order_by("created_at")
    assert (first.version, second.version, second.language) == (1, 2, "fr")
    assert "/certificate.pdf" in second.text
    assert is_still_wanted(second)
    assert len(finish_batch(registration)) == 2
