import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from events.models import Visibility, WebinarState
from library import services
from library.errors import LibraryError, RecordingNotReady, WrongRecordingState
from library.models import RecordingState
from library.signals import recording_published
from tests.factories.accounts import UserFactory
from tests.factories.events import WebinarFactory
from tests.factories.library import RecordingFactory, give_package, watchable_recording
from tests.factories.media import AssetFactory

pytestmark = pytest.mark.django_db


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_new_recording_is_a_draft() -> None:
    webinar = WebinarFactory.create()
    asset = AssetFactory.create(organisation=webinar.organisation)
    recording = services.create_recording(webinar=webinar, asset=asset, user=None)
    assert (recording.state, recording.visibility) == (RecordingState.DRAFT, Visibility.PUBLIC)
    assert actions() == ["recording_created"]


def test_creating_the_recording_of_an_asset_again_returns_the_first() -> None:
    webinar = WebinarFactory.create()
    asset = AssetFactory.create(organisation=webinar.organisation)
    first = services.create_recording(webinar=webinar, asset=asset)
    assert services.create_recording(webinar=webinar, asset=asset) == first
    assert actions() == ["recording_created"]


def test_an_asset_of_another_organisation_is_refused() -> None:
    with pytest.raises(LibraryError) as caught:
        services.create_recording(webinar=WebinarFactory.create(), asset=AssetFactory.create())
    assert caught.value.code == "other_organisation"


def test_an_asset_that_is_another_webinars_recording_is_refused() -> None:
    recording = RecordingFactory.create()
    other = WebinarFactory.create(organisation=recording.webinar.organisation)
    with pytest.raises(LibraryError) as caught:
        services.create_recording(webinar=other, asset=recording.asset)
    assert caught.value.code == "in_use"


def test_publishing_notes_when_and_by_whom() -> None:
    recording, user = RecordingFactory.create(), UserFactory.create()
    give_package(recording.asset)
    published = services.publish_recording(recording=recording, user=user)
    assert (published.state, published.published_by) == (RecordingState.PUBLISHED, user)
    assert published.published_at is not None
    assert published.published_at <= timezone.now()
    assert actions() == ["recording_published"]


def test_publishing_twice_is_one_publication() -> None:
    recording = RecordingFactory.create()
    give_package(recording.asset)
    first = services.publish_recording(recording=recording)
    assert services.publish_recording(recording=recording).published_at == first.published_at
    assert actions() == ["recording_published"]


@pytest.mark.django_db(transaction=True)
def test_publishing_tells_other_apps() -> None:
    heard = []

    def listen(recording: object, **_kwargs: object) -> None:
        heard.append(recording)

    recording_published.connect(listen)
    recording = RecordingFactory.create()
    give_package(recording.asset)
    services.publish_recording(recording=recording)
    recording_published.disconnect(listen)
    assert heard == [recording]


def test_nothing_to_watch_cannot_be_published() -> None:
    recording = RecordingFactory.create()
    with pytest.raises(RecordingNotReady):
        services.publish_recording(recording=recording)
    recording.refresh_from_db()
    assert recording.state == RecordingState.DRAFT


def test_the_recording_of_a_draft_webinar_cannot_be_published() -> None:
    recording = RecordingFactory.create(webinar__state=WebinarState.DRAFT)
    give_package(recording.asset)
    with pytest.raises(RecordingNotReady) as caught:
        services.publish_recording(recording=recording)
    assert caught.value.code == "webinar_draft"


def test_withdrawing_leaves_an_entry() -> None:
    recording = watchable_recording()
    assert services.withdraw_recording(recording=recording).state == RecordingState.WITHDRAWN
    assert services.withdraw_recording(recording=recording).state == RecordingState.WITHDRAWN
    assert actions() == ["recording_withdrawn"]


def test_a_draft_cannot_be_withdrawn() -> None:
    with pytest.raises(WrongRecordingState):
        services.withdraw_recording(recording=RecordingFactory.create())


def test_a_withdrawn_recording_can_be_published_again() -> None:
    recording = services.withdraw_recording(recording=watchable_recording())
    assert services.publish_recording(recording=recording).state == RecordingState.PUBLISHED


def test_a_change_of_visibility_is_written_down_with_both_values() -> None:
    recording = watchable_recording()
    services.change_visibility(recording=recording, visibility=Visibility.REGISTERED)
    services.change_visibility(recording=recording, visibility=Visibility.REGISTERED)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == (
        "recording_visibility_changed",
        {"before": "public", "after": "registered"},
    )
