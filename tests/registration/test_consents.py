"""Versioned consents: what was agreed to stays what it was."""

import pytest

from accounts.models import AuditEntry, Organisation
from registration import consents
from registration.errors import ConsentChanged, ConsentMissing, InvalidQuestion
from registration.models import Consent, ConsentKind, Registration
from tests.factories.registration import RegistrationFactory


@pytest.fixture
def registration(db: None) -> Registration:
    return RegistrationFactory()


@pytest.fixture
def organisation(registration: Registration) -> Organisation:
    return registration.webinar.organisation


def test_new_wording_is_a_new_version_and_old_consents_keep_theirs(
    registration: Registration, organisation: Organisation
) -> None:
    first = consents.write_text(organisation=organisation, kind=ConsentKind.RECORDING, text={"en": "We record."})
    consents.give(registration=registration, texts=[first])

    second = consents.write_text(organisation=organisation, kind=ConsentKind.RECORDING, text={"en": "We record all."})

    assert (first.version, second.version) == (1, 2)
    assert str(Consent.objects.get().text.text) == "We record."
    assert consents.has_consent(registration, ConsentKind.RECORDING)
    assert consents.current_texts(organisation) == {"recording": second}


def test_same_words_are_no_new_version(organisation: Organisation) -> None:
    for _again in range(2):
        text = consents.write_text(organisation=organisation, kind=ConsentKind.CONTACT, text="We write to you.")
    assert text.version == 1
    assert AuditEntry.objects.filter(action="consent_text.written").count() == 1


def test_empty_text_ends_the_asking(organisation: Organisation) -> None:
    consents.write_text(organisation=organisation, kind=ConsentKind.CONTACT, text="We write to you.")
    consents.write_text(organisation=organisation, kind=ConsentKind.CONTACT, text="")
    assert consents.current_texts(organisation) == {}


@pytest.mark.parametrize(("kind", "required"), [("privacy", True), ("contact", False), ("recording", True)])
def test_only_what_may_be_required_is(organisation: Organisation, kind: str, required: bool) -> None:
    text = consents.write_text(organisation=organisation, kind=kind, text="Words", is_required=True)
    assert text.is_required is required


def test_required_text_must_be_agreed_to(organisation: Organisation) -> None:
    consents.write_text(organisation=organisation, kind="contact", text="Words")
    text = consents.write_text(organisation=organisation, kind="recording", text="Words", is_required=True)
    with pytest.raises(ConsentMissing):
        consents.agreed_texts(organisation=organisation, given={})
    assert consents.agreed_texts(organisation=organisation, given={"recording": str(text.pk)}) == [text]


def test_text_that_changed_while_it_was_read_must_be_read_again(organisation: Organisation) -> None:
    old = consents.write_text(organisation=organisation, kind="recording", text="Words")
    consents.write_text(organisation=organisation, kind="recording", text="Other words")
    with pytest.raises(ConsentChanged):
        consents.agreed_texts(organisation=organisation, given={"recording": str(old.pk)})


def test_consent_can_be_taken_back_and_given_again(registration: Registration, organisation: Organisation) -> None:
    text = consents.write_text(organisation=organisation, kind="contact", text="Words")
    consents.give(registration=registration, texts=[text])

    consents.change(registration=registration, kind="contact", is_given=False)

    assert not consents.has_consent(registration, "contact")
    assert not consents.with_consent(Registration.objects.all(), "contact").exists()
    assert Consent.objects.get().withdrawn_at is not None
    consents.change(registration=registration, kind="contact", is_given=True)
    assert consents.with_consent(Registration.objects.all(), "contact").get() == registration


def test_privacy_cannot_be_taken_back_alone(registration: Registration) -> None:
    with pytest.raises(InvalidQuestion):
        consents.change(registration=registration, kind="privacy", is_given=False)


def test_contact_is_withdrawn_for_the_address_in_its_organisation_only(
    registration: Registration, organisation: Organisation
) -> None:
    text = consents.write_text(organisation=organisation, kind="contact", text="Words")
    elsewhere = RegistrationFactory.create(email=registration.email)
    foreign = consents.write_text(organisation=elsewhere.webinar.organisation, kind="contact", text="Words")
    second = RegistrationFactory.create(email=registration.email.upper(), webinar__organisation=organisation)
    for one, words in ((registration, text), (second, text), (elsewhere, foreign)):
        consents.give(registration=one, texts=[words])

    assert consents.withdraw_contact(registration=registration) == 2

    assert [consents.has_consent(one, "contact") for one in (registration, second, elsewhere)] == [False, False, True]
