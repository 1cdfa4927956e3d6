"""Replacing a recording's file: one flip, former versions kept for a while, subtitles kept or made anew (D4)."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client
from django.utils import timezone

import work.services
from accounts.models import AuditEntry
from library import playback, versions
from library.errors import RecordingNotReady
from library.models import Chapter, FormerVersion, Recording
from library.rules import Right
from media.models import Asset, Upload
from media.services import whole_package
from studio import pipeline, replacement, services
from studio.models import Production
from studio.uploads import replacement_purpose
from tests.factories.library import give_package, give_track, watchable_recording
from tests.factories.media import AssetFactory
from tests.studio.conftest import Person
from transcripts.models import TextTrack, TrackState
from work.models import WorkState

pytestmark = pytest.mark.django_db


@pytest.fixture
def recording(organiser: Person) -> Recording:
    organisation = organiser.user.memberships.get().organisation
    made: Recording = watchable_recording(webinar__organisation=organisation, webinar__slug="talk")
    Chapter.objects.create(recording=made, start_ms=3_000, title="Care")
    return made


def arrived(recording: Recording, **fields: object) -> Upload:
    """A file that was uploaded to take the place of the recording's."""
    asset = AssetFactory.create(
        organisation=recording.webinar.organisation,
        **{"file_name": "better.mp4", "duration_ms": 50_000, "has_video": True, **fields},
    )
    upload: Upload = Upload.objects.create(
        organisation=recording.webinar.organisation,
        purpose=replacement_purpose(recording),
        file_name="better.mp4",
        size=1000,
        part_size=1000,
        storage_key=f"uploads/{asset.pk}",
        expires_at=timezone.now() + timedelta(days=1),
        state=WorkState.DONE,
        asset=asset,
    )
    return upload


def produced(production: Production) -> Production:
    """As if every step before the flip was done."""
    asset = production.asset
    production.package = give_package(asset)
    production.package.state = "complete"
    production.package.save()
    production.save()
    run = pipeline.Run(production, None, lambda *_: None, lambda: False, transaction.atomic)  # type: ignore[arg-type]  # no folder is needed
    pipeline.replace(run)
    production.refresh_from_db()
    return production


def test_viewers_see_the_former_file_until_the_new_one_is_complete(recording: Recording) -> None:
    former = recording.asset
    production = replacement.replace_recording(
        recording=recording, upload=arrived(recording), user=None, keeps_subtitles=True
    )
    recording.refresh_from_db()
    assert recording.asset == former
    assert production.asset.file_name == "better.mp4"
    assert production.publish_when_ready
    assert not production.send_follow_up
    names = list(production.steps.values_list("name", flat=True))
    assert names.index("package") < names.index("replace") < names.index("ready")
    with pytest.raises(RecordingNotReady):
        versions.replace_asset(recording=recording, asset=production.asset, user=None)
    produced(production)
    recording = Recording.objects.get(pk=recording.pk)
    assert recording.asset.file_name == "better.mp4"
    assert recording.state == "published"
    assert [version.asset for version in recording.former_versions.all()] == [former]


def test_kept_subtitles_and_chapters_move_with_the_new_beginning(recording: Recording) -> None:
    give_track(recording.asset, "fr", ["Un.", "Deux."], state=TrackState.DRAFT)
    production = replacement.replace_recording(
        recording=recording, upload=arrived(recording), user=None, keeps_subtitles=True, subtitle_offset_ms=-2_000
    )
    produced(production)
    tracks = {
        track.language: (
            track.state,
            [(cue["start_ms"], cue["end_ms"], cue["text"]) for cue in track.current_revision.cues],
        )
        for track in TextTrack.objects.filter(asset=production.asset).select_related("current_revision")
        if track.current_revision
    }
    assert tracks == {
        "en": (TrackState.PUBLISHED, [(0, 1_900, "Access to care matters.")]),
        "fr": (TrackState.DRAFT, [(0, 1_900, "Deux.")]),
    }
    assert list(Recording.objects.get().chapters.values_list("start_ms", "title")) == [(1_000, "Care")]


def test_subtitles_can_be_made_anew(recording: Recording) -> None:
    production = replacement.replace_recording(
        recording=recording, upload=arrived(recording), user=None, keeps_subtitles=False, subtitle_languages=["fr"]
    )
    assert production.steps.filter(name="translate:fr").exists()
    produced(production)
    assert not TextTrack.objects.filter(asset=production.asset).exists()
    assert not Recording.objects.get().chapters.exists()


def test_one_can_go_back_and_forth(recording: Recording) -> None:
    former = recording.asset
    produced(
        replacement.replace_recording(recording=recording, upload=arrived(recording), user=None, keeps_subtitles=False)
    )
    versions.restore_version(version=FormerVersion.objects.get(), user=None)
    recording = Recording.objects.get()
    assert recording.asset == former
    assert list(recording.chapters.values_list("start_ms", "title")) == [(3_000, "Care")]
    assert FormerVersion.objects.get().asset.file_name == "better.mp4"


def test_whoever_watches_gets_one_version_before_and_after(recording: Recording, client: Client) -> None:
    """Promise D4: every playlist names files of one version, and all of them are there."""
    package = recording.asset.current_package
    assert package is not None
    grants = [playback.make_grant(recording=recording, package=package, right=Right("public"))]
    for number in range(3):
        upload = arrived(recording, file_name=f"version {number}.mp4")
        produced(
            replacement.replace_recording(recording=recording, upload=upload, user=None, keeps_subtitles=number == 1)
        )
        recording = Recording.objects.select_related("asset__current_package").get()
        package = recording.asset.current_package
        assert package is not None
        grants.append(playback.make_grant(recording=recording, package=package, right=Right("public")))
        for grant in grants:
            found = playback.read_grant(grant)
            assert client.get(f"/playback/{grant}/master.m3u8").status_code == 200
            for rendition in found.package.renditions.all():
                text = client.get(f"/playback/{grant}/{rendition.name}.m3u8").content.decode()
                assert set(text.split("files/")[1:]) == {
                    part for part in text.split("files/")[1:] if part.startswith(rendition.key.rpartition("/")[2])
                }
                assert rendition.key.startswith(found.package.prefix)
                assert default_storage.exists(rendition.key)


def test_former_versions_are_deleted_with_everything_after_their_time(recording: Recording) -> None:
    former = recording.asset
    files = [row.key for row in former.current_package.renditions.all()] if former.current_package else []
    produced(
        replacement.replace_recording(recording=recording, upload=arrived(recording), user=None, keeps_subtitles=True)
    )
    assert versions.delete_former_versions() == 0
    FormerVersion.objects.update(delete_after=timezone.now() - timedelta(seconds=1))
    assert versions.delete_former_versions() == 1
    assert not Asset.objects.filter(pk=former.pk).exists()
    assert files
    assert AuditEntry.objects.filter(action="former_version_deleted", actor="system").count() == 1


def test_the_same_upload_again_gives_the_same_production(recording: Recording) -> None:
    upload = arrived(recording)
    first, second = (
        replacement.replace_recording(recording=recording, upload=upload, user=None, keeps_subtitles=True)
        for _ in range(2)
    )
    assert first == second


def test_a_second_file_has_to_wait_for_the_first(recording: Recording) -> None:
    first = replacement.replace_recording(
        recording=recording, upload=arrived(recording), user=None, keeps_subtitles=True
    )
    with pytest.raises(replacement.ReplacementUnderWay):
        replacement.replace_recording(recording=recording, upload=arrived(recording), user=None, keeps_subtitles=True)
    new = first.asset
    services.cancel_production(production=first, user=None)
    assert not Asset.objects.filter(pk=new.pk).exists()
    assert replacement.replacement_under_way(recording) is None


def test_an_upload_for_something_else_is_refused(recording: Recording) -> None:
    upload = arrived(recording)
    upload.purpose = f"recording:{recording.webinar_id}"
    with pytest.raises(replacement.WrongUpload):
        replacement.replace_recording(recording=recording, upload=upload, user=None, keeps_subtitles=True)


def test_a_withdrawn_recording_is_not_published_by_its_new_file(recording: Recording) -> None:
    production = produced(
        replacement.replace_recording(recording=recording, upload=arrived(recording), user=None, keeps_subtitles=True)
    )
    Recording.objects.update(state="withdrawn")
    production.refresh_from_db()
    production.steps.exclude(name="publish").update(state=WorkState.DONE)
    services.request_publication(production=production, user=None)
    step = production.steps.get(name="publish")
    work.services.execute("studio.step", step.pk)
    step.refresh_from_db()
    assert step.state == WorkState.SKIPPED
    assert Recording.objects.get().state == "withdrawn"


def test_the_page_starts_a_replacement_and_lists_versions(recording: Recording, organiser: Person) -> None:
    upload = arrived(recording)
    address = f"/studio/recordings/{recording.pk}/versions/"
    data = {"upload": str(upload.pk), "subtitles": "keep", "offset": "-1.5", "spoken_language": "en"}
    answer = organiser.client.post(address, data)
    production = Production.objects.get()
    assert answer.headers["Location"] == f"/studio/productions/{production.pk}/"
    assert (production.keeps_subtitles, production.subtitle_offset_ms) == (True, -1_500)
    assert "A new file is being prepared" in organiser.client.get(address).content.decode()
    produced(production)
    page = organiser.client.get(address).content.decode()
    assert "Go back to this one" in page
    version = FormerVersion.objects.get()
    organiser.client.post(f"/studio/versions/{version.pk}/restore/")
    assert Recording.objects.get().asset == version.asset
    assert whole_package(version.asset) is not None


def test_what_is_spoken_besides_is_kept_for_the_new_file_unless_it_is_said_anew(recording: Recording) -> None:
    services.start_production(
        recording=recording, user=None, spoken_language="fr", subtitle_languages=[], other_languages=["ar"]
    )
    assert replacement.spoken_in(recording) == ("fr", ["ar"])
    kept = replacement.replace_recording(
        recording=recording, upload=arrived(recording), user=None, keeps_subtitles=False
    )
    assert (kept.spoken_language, kept.other_languages) == ("fr", ["ar"])


def test_the_form_asks_what_else_is_spoken(organiser: Person, recording: Recording) -> None:
    upload = arrived(recording)
    address = f"/studio/recordings/{recording.pk}/versions/"
    assert 'name="other_languages"' in organiser.client.get(address).content.decode()
    data = {"upload": str(upload.pk), "subtitles": "new", "spoken_language": "en", "other_languages": ["fr"]}
    assert organiser.client.post(address, data).status_code == 302
    assert recording.productions.get().other_languages == ["fr"]
