"""Recordings: uploading, publishing, visibility, and their subtitles."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, Role, User
from events.models import Visibility, Webinar
from library.models import Recording, RecordingState
from media.models import Package, Rendition, RenditionKind, Upload
from studio.models import Production
from studio.uploads import UploadRefused, check_recording, purpose_for
from tests.factories.accounts import OrganisationFactory
from tests.factories.library import RecordingFactory
from tests.factories.media import AssetFactory
from tests.studio.conftest import Person, member
from transcripts.models import TextTrack, TrackKind, TrackOrigin, TrackState
from work.models import WorkState

VTT = "WEBVTT\n\n00:01.000 --> 00:03.000\n{}\n"
OPTIONS = {
    "spoken_language": "en",
    "subtitle_languages": ["fr", "ar"],
    "publish_when_ready": "on",
}


def uploaded(webinar: Webinar, *, is_done: bool = True, **fields: Any) -> Upload:
    """An upload of a recording for the webinar, whose parts have arrived."""
    given = {
        "organisation": webinar.organisation,
        "purpose": purpose_for(webinar),
        "file_name": "recording.mp4",
        "size": 1000,
        "part_size": 1000,
        "storage_key": "originals/x",
        "expires_at": timezone.now(),
        "state": WorkState.DONE if is_done else WorkState.RUNNING,
        "asset": AssetFactory(organisation=webinar.organisation) if is_done else None,
        **fields,
    }
    return Upload.objects.create(**given)


@pytest.fixture
def watchable(recording: Recording) -> Recording:
    package = Package.objects.create(asset=recording.asset)
    Rendition.objects.create(
        package=package,
        name="480p",
        kind=RenditionKind.VIDEO,
        codecs="avc1.64001f",
        bandwidth=1,
        average_bandwidth=1,
        key="k",
        size=1,
        duration_ms=1,
        index={},
    )
    recording.asset.current_package = package
    recording.asset.save()
    return recording


# --- Uploading -----------------------------------------------------------------------------------------------------


def test_upload_page_starts_from_what_the_webinar_says(webinar: Webinar, organiser: Person) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(spoken_language="uk", subtitle_languages=["so", "fr"])

    answer = organiser.client.get(reverse("studio:recording_upload", args=[webinar.pk]))

    form = answer.context["form"]
    assert (form["spoken_language"].value(), form["subtitle_languages"].value()) == ("uk", ["so", "fr"])
    assert f'data-purpose="recording:{webinar.pk}"' in answer.content.decode()


def test_finished_upload_becomes_a_recording_with_its_production(webinar: Webinar, organiser: Person) -> None:
    upload = uploaded(webinar)

    answer = organiser.client.post(
        reverse("studio:recordings", args=[webinar.pk]), {**OPTIONS, "upload": str(upload.pk)}
    )

    production = Production.objects.get()
    assert answer["Location"] == reverse("studio:production", args=[production.pk])
    assert (production.recording.webinar, production.recording.asset) == (webinar, upload.asset)
    assert (production.spoken_language, production.subtitle_languages) == ("en", ["fr", "ar"])
    assert (production.publish_when_ready, production.send_follow_up) == (True, False)
    assert production.created_by == organiser.user


def test_posting_twice_leads_to_the_same_production(webinar: Webinar, organiser: Person) -> None:
    url, data = reverse("studio:recordings", args=[webinar.pk]), {**OPTIONS, "upload": str(uploaded(webinar).pk)}

    first, second = organiser.client.post(url, data), organiser.client.post(url, data)

    assert first["Location"] == second["Location"]
    assert Production.objects.count() == 1


def test_upload_that_is_still_checked_can_be_gone_on_with_later(webinar: Webinar, organiser: Person) -> None:
    upload = uploaded(webinar, is_done=False)

    answer = organiser.client.post(
        reverse("studio:recordings", args=[webinar.pk]), {**OPTIONS, "upload": str(upload.pk)}
    )

    assert answer.status_code == 409
    assert f'name="upload" value="{upload.pk}"' in answer.content.decode()


@pytest.mark.parametrize("field", ["organisation", "purpose"])
def test_uploads_for_something_else_are_not_found(field: str, webinar: Webinar, organiser: Person) -> None:
    others: dict[str, Any] = {"organisation": OrganisationFactory(), "purpose": f"recording:{uuid.uuid4()}"}
    upload = uploaded(webinar, **{field: others[field]})

    answer = organiser.client.post(
        reverse("studio:recordings", args=[webinar.pk]), {**OPTIONS, "upload": str(upload.pk)}
    )

    assert answer.status_code == 404
    assert not Recording.objects.exists()


@pytest.mark.parametrize("upload", ["", "x", "1"])
def test_something_that_is_no_upload_is_refused(upload: str, webinar: Webinar, organiser: Person) -> None:
    answer = organiser.client.post(reverse("studio:recordings", args=[webinar.pk]), {**OPTIONS, "upload": upload})

    assert answer.status_code == 400


def test_only_organisers_of_the_webinars_organisation_may_announce_its_recording(
    organisation: Organisation, webinar: Webinar, organiser: Person, reviewer: Person, stranger: Person
) -> None:
    def is_allowed(user: User | None, organisation: Organisation, purpose: str) -> bool:
        try:
            check_recording(organisation=organisation, user=user, purpose=purpose)
        except UploadRefused:
            return False
        return True

    own, foreign = purpose_for(webinar), stranger.user.memberships.get().organisation
    assert is_allowed(organiser.user, organisation, own)
    assert is_allowed(None, organisation, own)
    assert is_allowed(member(organisation, Role.OWNER).user, organisation, own)
    assert not is_allowed(reviewer.user, organisation, own)
    assert not is_allowed(stranger.user, organisation, own)
    assert not is_allowed(stranger.user, foreign, own)
    assert not is_allowed(organiser.user, organisation, f"recording:{uuid.uuid4()}")
    assert not is_allowed(organiser.user, organisation, "recording:x")
    assert not is_allowed(organiser.user, organisation, "recording")


def test_file_that_arrived_before_can_be_gone_on_with(webinar: Webinar, organiser: Person) -> None:
    upload, used = uploaded(webinar), uploaded(webinar)
    RecordingFactory(webinar=webinar, asset=used.asset)
    link = f"{reverse('studio:recording_upload', args=[webinar.pk])}?upload={upload.pk}"

    listed = organiser.client.get(reverse("studio:recordings", args=[webinar.pk])).content.decode()
    page = organiser.client.get(link).content.decode()

    assert (link in listed, str(used.pk) in listed) == (True, False)
    assert f'name="upload" value="{upload.pk}"' in page


# --- One recording -------------------------------------------------------------------------------------------------


def test_publishing_and_withdrawing(watchable: Recording, organiser: Person) -> None:
    organiser.client.post(reverse("studio:recording_publish", args=[watchable.pk]))
    watchable.refresh_from_db()
    published = watchable.state
    organiser.client.post(reverse("studio:recording_withdraw", args=[watchable.pk]))
    watchable.refresh_from_db()

    assert (published, watchable.state) == (RecordingState.PUBLISHED, RecordingState.WITHDRAWN)
    assert watchable.published_by == organiser.user


def test_publishing_while_it_is_prepared_waits_until_it_is_ready(
    production: Production, watchable: Recording, organiser: Person
) -> None:
    organiser.client.post(reverse("studio:recording_publish", args=[watchable.pk]))

    production.refresh_from_db()
    watchable.refresh_from_db()
    assert production.publish_requested_at is not None
    assert watchable.state == RecordingState.DRAFT


def test_nothing_to_watch_is_not_published(recording: Recording, organiser: Person) -> None:
    page = organiser.client.post(reverse("studio:recording_publish", args=[recording.pk]), follow=True)

    recording.refresh_from_db()
    assert recording.state == RecordingState.DRAFT
    assert "There is nothing to watch yet" in page.content.decode()


def test_organiser_says_who_may_watch(recording: Recording, organiser: Person) -> None:
    url = reverse("studio:recording_visibility", args=[recording.pk])

    organiser.client.post(url, {"visibility": "registered"})
    organiser.client.post(url, {"visibility": "nonsense"})

    recording.refresh_from_db()
    assert recording.visibility == Visibility.REGISTERED


def test_recording_can_be_prepared_again_in_more_languages(recording: Recording, organiser: Person) -> None:
    url = reverse("studio:production_start", args=[recording.pk])

    answer = organiser.client.post(url, {"spoken_language": "en", "subtitle_languages": ["so"]})

    production = recording.productions.get()
    assert answer["Location"] == reverse("studio:production", args=[production.pk])
    assert (production.subtitle_languages, production.send_follow_up) == (["so"], False)


def test_list_asks_as_few_questions_for_many_recordings_as_for_one(webinar: Webinar, organiser: Person) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            organiser.client.get(reverse("studio:recordings", args=[webinar.pk]))
        return len(captured)

    RecordingFactory(webinar=webinar)
    before = count()
    RecordingFactory.create_batch(4, webinar=webinar)

    assert count() == before


# --- Its subtitles -------------------------------------------------------------------------------------------------


def upload_track(person: Person, recording: Recording, text: str, **fields: str) -> Any:
    data = {"language": "fr", "file": SimpleUploadedFile("subtitles.vtt", text.encode()), **fields}
    return person.client.post(reverse("studio:track_upload", args=[recording.pk]), data)


def test_uploaded_subtitles_are_a_draft_of_that_language(recording: Recording, organiser: Person) -> None:
    upload_track(organiser, recording, VTT.format("Bonjour à tous."))

    track = recording.asset.tracks.get()
    assert (track.language, track.kind, track.state) == ("fr", TrackKind.SUBTITLES, TrackState.DRAFT)
    assert track.current_revision is not None
    assert (track.current_revision.origin, track.current_revision.cue_count) == (TrackOrigin.UPLOADED, 1)
    assert track.current_revision.author == organiser.user


def test_subtitles_in_the_spoken_language_are_captions(recording: Recording, organiser: Person) -> None:
    upload_track(organiser, recording, VTT.format("Good morning."), language="en")

    assert recording.asset.tracks.get().kind == TrackKind.CAPTIONS


def test_subtitles_in_a_language_that_no_engine_knows(recording: Recording, organiser: Person) -> None:
    upload_track(organiser, recording, VTT.format("Jam waali."), language="", other_language="FF-latn-sn")

    assert recording.asset.tracks.get().language == "ff-Latn-SN"


def test_page_says_what_only_a_person_can_write_and_opens_the_editor_for_it(
    recording: Recording, organiser: Person
) -> None:
    Webinar.objects.update(subtitle_languages=["fr", "bm"])
    page = organiser.client.get(reverse("studio:recording", args=[recording.pk])).content.decode()

    answer = organiser.client.post(
        reverse("studio:track_upload", args=[recording.pk]), {"language": "bm", "begin": "on"}
    )

    track = recording.asset.tracks.get()
    assert '<bdi lang="bm">bamanankan</bdi>' in page
    assert '<bdi lang="fr">' not in page
    assert (track.language, answer["Location"]) == ("bm", reverse("studio:track_edit", args=[track.pk]))
    assert organiser.client.get(answer["Location"]).status_code == 200


def test_without_a_file_nothing_is_uploaded(recording: Recording, organiser: Person) -> None:
    answer = organiser.client.post(reverse("studio:track_upload", args=[recording.pk]), {"language": "fr"})

    assert (answer.status_code, list(answer.context["track_form"].errors)) == (400, ["file"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"language": ""}, "language"),
        ({"language": "fr", "other_language": "de"}, "other_language"),
        ({"language": "", "other_language": "not a tag"}, "other_language"),
        ({"language": "", "other_language": "qaa"}, "other_language"),
        ({"language": "ar"}, "language"),
    ],
)
def test_wrong_language_is_told_at_its_field(
    fields: dict[str, str], field: str, recording: Recording, organiser: Person
) -> None:
    answer = upload_track(organiser, recording, VTT.format("Bonjour à tous."), **fields)

    assert answer.status_code == 400
    assert list(answer.context["track_form"].errors) == [field]
    assert not recording.asset.tracks.exists()


@pytest.mark.parametrize("name", ["not_subtitles.vtt", "one_cue_2mb.vtt", "cues_200k.vtt"])
def test_files_that_are_no_subtitles_are_explained(
    name: str, recording: Recording, organiser: Person, corpus: Path
) -> None:
    file = SimpleUploadedFile(name, (corpus / "subtitles" / name).read_bytes())

    answer = organiser.client.post(
        reverse("studio:track_upload", args=[recording.pk]), {"language": "en", "file": file}
    )

    assert answer.status_code in (400, 413)
    assert list(answer.context["track_form"].errors) == ["file"]


def test_what_was_left_out_of_a_file_is_listed(recording: Recording, organiser: Person, corpus: Path) -> None:
    file = SimpleUploadedFile("times.srt", (corpus / "subtitles" / "times_bad.srt").read_bytes())

    page = organiser.client.post(
        reverse("studio:track_upload", args=[recording.pk]), {"language": "en", "file": file}, follow=True
    ).content.decode()

    assert "remark" in page


@pytest.fixture
def track(recording: Recording, organiser: Person) -> TextTrack:
    upload_track(organiser, recording, VTT.format("Bonjour <b>à</b> tous."))
    return recording.asset.tracks.get()


def test_subtitles_are_published_and_hidden(track: TextTrack, organiser: Person) -> None:
    organiser.client.post(reverse("studio:track_publish", args=[track.pk]))
    track.refresh_from_db()
    published = track.state
    organiser.client.post(reverse("studio:track_unpublish", args=[track.pk]))
    track.refresh_from_db()

    assert (published, track.state) == (TrackState.PUBLISHED, TrackState.DRAFT)


def test_deleting_subtitles_asks_first(track: TextTrack, organiser: Person) -> None:
    url = reverse("studio:track_delete", args=[track.pk])

    asked = organiser.client.get(url).content.decode()
    still_there = TextTrack.objects.exists()
    organiser.client.post(url)

    assert ("français" in asked, still_there, TextTrack.objects.exists()) == (True, True, False)


@pytest.mark.parametrize(
    ("format", "content_type", "start"),
    [
        ("vtt", "text/vtt", "WEBVTT"),
        ("srt", "application/x-subrip", "1"),
        ("txt", "text/plain", "Bonjour"),
        ("html", "text/html", "<!doctype html>"),
    ],
)
def test_subtitles_are_downloaded_as_a_file(
    format: str, content_type: str, start: str, track: TextTrack, recording: Recording, organiser: Person
) -> None:
    answer = organiser.client.get(reverse("studio:track_download", args=[track.pk, format]))

    assert answer["Content-Type"].startswith(content_type)
    assert answer["Content-Disposition"] == f'attachment; filename="{recording.webinar.slug}.fr.{format}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content.decode().lstrip().startswith(start)


def test_formats_that_do_not_exist_are_not_found(track: TextTrack, organiser: Person) -> None:
    assert organiser.client.get(reverse("studio:track_download", args=[track.pk, "exe"])).status_code == 404


def test_page_asks_as_few_questions_for_many_tracks_as_for_one(
    track: TextTrack, recording: Recording, organiser: Person
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            organiser.client.get(reverse("studio:recording", args=[recording.pk]))
        return len(captured)

    before = count()
    for language in ("es", "it", "de"):
        upload_track(organiser, recording, VTT.format("Text"), language=language)
    count()  # shows the messages of these uploads

    assert count() == before
