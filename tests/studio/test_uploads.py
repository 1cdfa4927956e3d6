"""What uploads may be for, and who may send them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Role
from library.models import Recording
from media import uploads
from media.models import Asset, Package, Upload
from media.upload_errors import QuotaExceeded
from studio import services
from studio.errors import WrongPurpose
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


@pytest.mark.parametrize(
    "purpose", ["recording:", "channel:x:fr", "channel:00000000-0000-4000-8000-000000000000:fr", "replacement"]
)
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


def test_quota_of_a_webinar_counts_all_its_files_arrived_and_arriving(recording: Recording, settings: Settings) -> None:
    settings.UPLOAD_WEBINAR_QUOTA_BYTES = 1000 + 1000 + 10 + 10 + 5
    Asset.objects.filter(pk=recording.asset_id).update(size=1000)
    finished(recording, replacement_purpose(recording))  # of 1000 bytes
    start(recording, channel_purpose(recording, "ar"))
    start(recording, purpose_for(recording.webinar))
    for purpose in (
        purpose_for(recording.webinar),
        channel_purpose(recording, "fr"),
        replacement_purpose(recording),
    ):
        with pytest.raises(QuotaExceeded) as caught:
            start(recording, purpose)
        assert caught.value.facts["free"] == 5
    other = RecordingFactory.create(webinar__organisation=recording.webinar.organisation)
    assert start(other, replacement_purpose(other)).state == WorkState.WAITING


def test_quota_of_a_webinar_holds_under_parallel_uploads(recording: Recording, settings: Settings) -> None:
    """Promise U12."""
    settings.UPLOAD_WEBINAR_QUOTA_BYTES = recording.asset.size + 5 * 10

    def announce(number: int) -> str:
        purposes = [purpose_for(recording.webinar), channel_purpose(recording, "fr"), replacement_purpose(recording)]
        try:
            start(recording, purposes[number % 3])
        except QuotaExceeded:
            return "refused"
        else:
            return "taken"
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = sorted(pool.map(announce, range(10)))
    assert answers == ["refused"] * 5 + ["taken"] * 5


def test_channel_does_not_become_a_recording(recording: Recording) -> None:
    upload = start(recording, channel_purpose(recording, "ar"))
    asset = AssetFactory.create(organisation=upload.organisation)
    Upload.objects.filter(pk=upload.pk).update(state=WorkState.DONE, asset=asset)
    upload.refresh_from_db()
    with pytest.raises(WrongPurpose):
        services.receive_recording(
            upload=upload, webinar=recording.webinar, user=None, spoken_language="en", subtitle_languages=[]
        )
