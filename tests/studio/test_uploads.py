"""What uploads may be for, and who may send them."""

import uuid

import pytest

from accounts.models import Role
from library.models import Recording
from media import uploads
from media.models import Asset, Package, Upload
from studio.uploads import (
    ChannelLanguageUnknown,
    UploadRefused,
    channel_purpose,
    purpose_for,
    replacement_purpose,
    unused_uploads,
    unused_uploads_for,
)
from tests.factories.accounts import MembershipFactory, OrganisationFactory
from tests.factories.library import RecordingFactory
from tests.factories.media import AssetFactory
from work.models import WorkState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def recording() -> Recording:
    made: Recording = RecordingFactory.create()
    return made


def start(recording: Recording, purpose: str, **fields: object) -> Upload:
    fields = {"organisation": recording.webinar.organisation, "user": None, **fields}
    return uploads.start_upload(file_name="sound.m4a", size=10, purpose=purpose, **fields)  # type: ignore[arg-type]  # by name


def finished(recording: Recording, purpose: str) -> Asset:
    upload = start(recording, purpose)
    asset: Asset = AssetFactory.create(organisation=upload.organisation)
    Upload.objects.filter(pk=upload.pk).update(state=WorkState.DONE, asset=asset)
    return asset


def test_organiser_uploads_every_kind_of_file_for_a_recording(recording: Recording) -> None:
    organiser = MembershipFactory.create(organisation=recording.webinar.organisation).user
    for purpose in (
        purpose_for(recording.webinar),
        channel_purpose(recording, "ar"),
        channel_purpose(recording, "pt-BR"),
        replacement_purpose(recording),
    ):
        assert start(recording, purpose, user=organiser).purpose == purpose


@pytest.mark.parametrize("make", [lambda r: channel_purpose(r, "fr"), replacement_purpose])
def test_reviewers_and_other_organisations_upload_nothing_for_a_recording(recording: Recording, make: object) -> None:
    assert callable(make)
    organisation = recording.webinar.organisation
    reviewer = MembershipFactory.create(organisation=organisation, role=Role.REVIEWER).user
    with pytest.raises(UploadRefused):
        start(recording, make(recording), user=reviewer)
    with pytest.raises(UploadRefused):
        start(recording, make(recording), organisation=OrganisationFactory.create())
    assert not Upload.objects.exists()


@pytest.mark.parametrize("language", ["", "xx", "fr:ar", "not a tag"])
def test_channel_of_an_unknown_language_is_refused(recording: Recording, language: str) -> None:
    with pytest.raises(ChannelLanguageUnknown):
        start(recording, channel_purpose(recording, language))


@pytest.mark.parametrize("purpose", ["recording:", "channel:x:fr", f"channel:{uuid.uuid4()}:fr", "replacement"])
def test_purpose_that_names_nothing_is_refused(recording: Recording, purpose: str) -> None:
    with pytest.raises(UploadRefused):
        start(recording, purpose)


def test_unused_uploads_are_those_of_which_nothing_was_made(recording: Recording) -> None:
    purpose = replacement_purpose(recording)
    unused, used = finished(recording, purpose), finished(recording, purpose)
    Package.objects.create(asset=used)
    start(recording, purpose)
    assert [upload.asset for upload in unused_uploads_for(purpose)] == [unused]
    assert not unused_uploads(recording.webinar).exists()
