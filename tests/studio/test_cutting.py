"""Cutting a recording: asked for on its page, done as work, undone; viewers go on with what they have."""

import json
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from pytest_django import Settings

import work.services
from accounts.models import AuditEntry
from library import playback
from library.models import Recording
from library.rules import Right
from media import services as media_services
from media.models import Asset, DerivativeKind, Package, PackageState
from studio import burn_in, cutting
from studio.models import BurnIn, Cut
from tests.factories.events import WebinarFactory
from tests.factories.library import RecordingFactory, give_track, watchable_recording
from tests.factories.media import make_asset
from tests.media.counted import DISTINCT, make_counted_clip, numbers
from tests.media.measure import stored_path
from tests.media.production import produce
from tests.studio.conftest import Person
from transcripts.models import TrackKind
from work.models import WorkState

pytestmark = pytest.mark.django_db(transaction=True)  # a lease looks at its row from a thread


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_counted_clip(tmp_path_factory.mktemp("counted") / "clip.mp4", seconds=8, size="320x180")


@pytest.fixture
def recording(clip: Path, organiser: Person, tmp_path: Path) -> Recording:
    """A published recording of eight seconds, everything of which is made, with a cue every two seconds."""
    organisation = organiser.user.memberships.get().organisation
    webinar = WebinarFactory.create(organisation=organisation, slug="talk")
    asset = make_asset(clip, organisation=organisation)
    produce(asset, tmp_path)
    made: Recording = RecordingFactory.create(webinar=webinar, asset=asset, state="published")
    give_track(made.asset, "en", ["First.", "Second.", "Third.", "Fourth."], kind=TrackKind.CAPTIONS)
    return made


def do(cut: Cut) -> Cut:
    work.services.execute("studio.cut", cut.pk)
    cut.refresh_from_db()
    return cut


def fresh(recording: Recording) -> Recording:
    return Recording.objects.select_related("asset__current_package").get(pk=recording.pk)


def test_viewers_see_the_cut_version_with_everything_that_belongs_to_it(recording: Recording, client: Client) -> None:
    whole = recording.asset.current_package
    assert whole is not None
    cut = do(cutting.request_cut(recording=recording, start_ms=2_000, end_ms=6_000, user=None))
    assert (cut.state, cut.error) == (WorkState.DONE, "")
    package = fresh(recording).asset.current_package
    assert package is not None
    assert package.pk != whole.pk
    assert (package.trim_start_ms, package.trim_end_ms) == (2_000, 6_000)
    names = [sorted(one.renditions.values_list("name", flat=True)) for one in (whole, package)]
    assert names[0] == names[1]
    kinds = set(package.derivatives.values_list("kind", flat=True))
    assert {DerivativeKind.POSTER, DerivativeKind.STORYBOARD, DerivativeKind.MP4, DerivativeKind.MP4_SUBTITLED} <= kinds
    video = package.derivatives.get(kind=DerivativeKind.MP4, name="180p")
    assert numbers(stored_path(video)) == [number % DISTINCT for number in range(50, 150)]
    text = b"".join(client.get("/webinars/talk/downloads/subtitles/en.vtt")).decode()
    assert "00:00:00.000 --> 00:00:01.900\nSecond." in text
    assert "00:00:02.000 --> 00:00:03.900\nThird." in text
    assert "First" not in text
    assert "Fourth" not in text
    page = client.get("/webinars/talk/watch/").content.decode()
    assert 'data-start="0" data-end="1900"' in page
    entry = AuditEntry.objects.get(action="recording.cut")
    assert entry.detail == {"start_ms": 2_000, "end_ms": 6_000}


def test_whoever_watches_goes_on_with_the_former_version(recording: Recording, client: Client) -> None:
    before = recording.asset.current_package
    assert before is not None
    grant = playback.make_grant(recording=recording, package=before, right=Right("public"))
    text = client.get(f"/playback/{grant}/subtitles/en.vtt").content
    do(cutting.request_cut(recording=recording, start_ms=2_000, end_ms=None, user=None))
    media_services.delete_superseded_packages()
    assert client.get(f"/playback/{grant}/master.m3u8").status_code == 200
    assert client.get(f"/playback/{grant}/subtitles/en.vtt").content == text
    for rendition in before.renditions.all():
        assert default_storage.exists(rendition.key)


def test_a_cut_is_undone_and_changed_from_the_whole_version(recording: Recording) -> None:
    whole = recording.asset.current_package
    assert whole is not None
    do(cutting.request_cut(recording=recording, start_ms=2_000, end_ms=6_000, user=None))
    do(cutting.request_cut(recording=recording, start_ms=1_000, end_ms=None, user=None))
    package = fresh(recording).asset.current_package
    assert package is not None
    assert numbers(stored_path(package.renditions.get(name="180p")))[0] == 25 % DISTINCT
    do(cutting.request_cut(recording=recording, start_ms=0, end_ms=None, user=None))
    asset = fresh(recording).asset
    assert (asset.current_package, asset.trim_start_ms, asset.trim_end_ms) == (whole, 0, None)


def test_former_cuts_are_deleted_once_nobody_can_watch_them(recording: Recording, settings: Settings) -> None:
    first = do(cutting.request_cut(recording=recording, start_ms=2_000, end_ms=None, user=None)).package
    do(cutting.request_cut(recording=recording, start_ms=1_000, end_ms=None, user=None))
    assert first is not None
    settings.PLAYBACK_GRANT_LIFE_S = settings.MEDIA_LINK_LIFE_S = 0
    assert media_services.delete_superseded_packages() == 1
    assert not Package.objects.filter(pk=first.pk).exists()
    # The whole one stays: cuts are made from it.
    assert media_services.whole_package(recording.asset) is not None


def test_a_new_whole_version_is_cut_like_the_one_before(recording: Recording) -> None:
    cut = do(cutting.request_cut(recording=recording, start_ms=2_000, end_ms=6_000, user=None))
    whole = media_services.whole_package(recording.asset)
    assert whole is not None
    copy = Package.objects.create(asset=recording.asset)
    for rendition in whole.renditions.all():
        rendition.pk, rendition.package = None, copy
        rendition._state.adding = True
        rendition.save()
    media_services.complete_package(package=copy)
    assert fresh(recording).asset.current_package == cut.package  # still
    again = Cut.objects.exclude(pk=cut.pk).get()
    assert (do(again).state, again.package) != (WorkState.DONE, cut.package)
    assert fresh(recording).asset.current_package == again.package


def test_a_cancelled_cut_leaves_nothing_and_viewers_what_they_had(recording: Recording) -> None:
    before = recording.asset.current_package
    cut = cutting.request_cut(recording=recording, start_ms=2_000, end_ms=None, user=None)
    cutting.cancel_cut(cut=cut, user=None)
    asset = fresh(recording).asset
    assert (asset.current_package, asset.trim_start_ms) == (before, 0)
    assert asset.packages.count() == 1
    cutting.retry_cut(cut=Cut.objects.get(), user=None)
    assert do(Cut.objects.get()).state == WorkState.DONE
    assert fresh(recording).asset.trim_start_ms == 2_000


def test_a_new_wish_stops_the_work_on_the_former_one(recording: Recording) -> None:
    first = cutting.request_cut(recording=recording, start_ms=2_000, end_ms=None, user=None)
    second = cutting.request_cut(recording=recording, start_ms=3_000, end_ms=None, user=None)
    first.refresh_from_db()
    assert first.state == WorkState.CANCELLED
    assert Asset.objects.get(pk=recording.asset_id).trim_start_ms == 3_000
    assert do(second).state == WorkState.DONE


def test_a_second_try_goes_on_where_the_first_stopped(recording: Recording) -> None:
    cut = cutting.request_cut(recording=recording, start_ms=2_000, end_ms=6_000, user=None)
    package = Package.objects.create(asset=recording.asset, trim_start_ms=2_000, trim_end_ms=6_000)
    Cut.objects.filter(pk=cut.pk).update(package=package)
    do(cut)
    assert fresh(recording).asset.current_package == package
    assert package.renditions.count() == 2


def test_a_recording_in_preparation_cannot_be_cut(organiser: Person) -> None:
    recording = RecordingFactory.create()
    with pytest.raises(cutting.NothingToCut):
        cutting.request_cut(recording=recording, start_ms=1_000, end_ms=None, user=None)


def test_videos_with_subtitles_in_the_picture_are_made_again_for_the_cut(recording: Recording) -> None:
    row = burn_in.request_burn_in(recording=recording, language="en", user=None)
    work.services.execute("studio.burn_in", row.pk)
    row.refresh_from_db()
    assert (row.state, row.error) == (WorkState.DONE, "")
    do(cutting.request_cut(recording=recording, start_ms=2_000, end_ms=6_000, user=None))
    again = BurnIn.objects.get(package=fresh(recording).asset.current_package)
    work.services.execute("studio.burn_in", again.pk)
    again.refresh_from_db()
    assert again.derivative is not None
    assert len(numbers(stored_path(again.derivative))) == 100


@pytest.fixture
def watchable(organiser: Person) -> Recording:
    """As `recording`, without real files: for the page alone."""
    organisation = organiser.user.memberships.get().organisation
    probe = {"container": "mov", "needs_remux": False, "claimed_ms": 0, "start_ms": 0, "duration_ms": 60_000}
    return watchable_recording(webinar__organisation=organisation, asset__probe=probe)


def test_the_page_takes_typed_times_in_any_digits(watchable: Recording, organiser: Person) -> None:
    answer = organiser.client.post(f"/studio/recordings/{watchable.pk}/cut/", {"start": "٠:٠٥", "end": "50.6"})
    assert answer.status_code == 302
    cut = Cut.objects.get()
    assert (cut.start_ms, cut.end_ms, cut.created_by) == (5_000, 50_600, organiser.user)
    page = organiser.client.get(f"/studio/recordings/{watchable.pk}/cut/").content.decode()
    assert 'value="0:05"' in page
    assert 'value="0:50.600"' in page
    assert f'hx-get="/studio/recordings/{watchable.pk}/cut/state/"' in page


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"start": "soon", "end": ""}, "Write a moment such as"),
        ({"start": "2:00", "end": ""}, "The start must lie within the recording."),
        ({"start": "0:30", "end": "0:20"}, "The end must be at least a second after the start."),
    ],
)
def test_the_page_says_what_is_wrong_with_a_time(
    watchable: Recording, organiser: Person, typed: dict[str, str], complaint: str
) -> None:
    answer = organiser.client.post(f"/studio/recordings/{watchable.pk}/cut/", typed)
    assert answer.status_code == 400
    assert complaint in answer.content.decode()
    assert not Cut.objects.exists()


def test_reviewers_see_the_page_and_change_nothing(watchable: Recording, reviewer: Person) -> None:
    address = f"/studio/recordings/{watchable.pk}/cut/"
    assert reviewer.client.get(address).status_code == 200
    assert reviewer.client.post(address, {"start": "1"}).status_code == 403


def test_a_package_is_complete_before_it_is_shown(recording: Recording) -> None:
    do(cutting.request_cut(recording=recording, start_ms=2_000, end_ms=None, user=None))
    package = fresh(recording).asset.current_package
    assert package is not None
    assert package.state == PackageState.COMPLETE
    json.dumps([rendition.index for rendition in package.renditions.all()])
