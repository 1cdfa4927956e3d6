"""Videos with subtitles in the picture: asked for, made in stretches, offered while they are current."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

import transcripts.services
import work.services
from accounts.models import AuditEntry
from library.models import Recording
from media import recipe
from media.models import DerivativeKind
from media.services import burning
from studio import burn_in
from studio.models import BurnIn
from tests.factories.library import RecordingFactory, give_track, watchable_recording
from tests.factories.media import make_asset
from tests.media.counted import make_counted_clip
from tests.media.measure import probe, stored_path
from tests.media.production import produce
from tests.studio.conftest import Person
from transcripts.models import TextTrack, TrackState
from transcripts.selectors import cues_of
from work.models import WorkState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_counted_clip(tmp_path_factory.mktemp("counted") / "clip.mp4", seconds=7, size="320x180")


@pytest.fixture
def produced(clip: Path, tmp_path: Path) -> Recording:
    asset = make_asset(clip)
    produce(asset, tmp_path)
    recording: Recording = RecordingFactory.create(
        asset=asset, webinar__organisation=asset.organisation, webinar__slug="talk", state="published"
    )
    give_track(recording.asset, "ar", ["صباح الخير.", "شكرا."])
    return recording


def do(row: BurnIn) -> BurnIn:
    work.services.execute("studio.burn_in", row.pk)
    row.refresh_from_db()
    return row


def edited(track: TextTrack) -> None:
    transcripts.services.save_cues(track=track, base_revision=1, cues=cues_of(track)[:1], user=None)


def test_it_is_offered_until_the_subtitles_change(produced: Recording, client: Client) -> None:
    row = do(burn_in.request_burn_in(recording=produced, language="ar", user=None))
    assert (row.state, row.error, row.parts) == (WorkState.DONE, "", {})
    assert row.derivative is not None
    found = probe(stored_path(row.derivative))
    assert float(found["format"]["duration"]) == pytest.approx(7, abs=0.1)
    assert {"video", "audio"} <= found.keys()
    address = "/webinars/talk/downloads/video/burned-ar.mp4"
    assert address in client.get("/webinars/talk/watch/").content.decode()
    edited(produced.asset.tracks.get())
    assert address not in client.get("/webinars/talk/watch/").content.decode()
    assert client.get(address).status_code == 404
    again = burn_in.request_burn_in(recording=produced, language="ar", user=None)
    assert again.pk != row.pk
    assert do(again).state == WorkState.DONE
    assert produced.asset.tracks.get().state == TrackState.PUBLISHED
    assert address in client.get("/webinars/talk/watch/").content.decode()


def test_a_second_try_keeps_the_stretches_of_the_first(produced: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    table = replace(recipe.current(), part_s=3)
    monkeypatch.setattr(recipe, "current", lambda: table)
    row = burn_in.request_burn_in(recording=produced, language="ar", user=None)
    kept: list[str] = []
    real = burning._burn_stretch

    def dies_at_the_second(*args: object, **options: object) -> str:
        if kept:
            raise MemoryError("killed")
        kept.append(real(*args, **options))  # type: ignore[arg-type]
        return kept[0]

    monkeypatch.setattr(burning, "_burn_stretch", dies_at_the_second)
    assert do(row).state == WorkState.QUEUED
    assert list(row.parts.values()) == kept
    assert default_storage.exists(kept[0])
    made: list[str] = []

    def burn(*args: Any, **options: Any) -> str:
        made.append(real(*args, **options))
        return made[-1]

    monkeypatch.setattr(burning, "_burn_stretch", burn)
    BurnIn.objects.filter(pk=row.pk).update(due_at=None)
    done = do(row)
    assert (done.state, done.error, len(made)) == (WorkState.DONE, "", 2)
    assert not any(default_storage.exists(key) for key in (*kept, *made))


def test_cancelling_removes_what_was_made_so_far(produced: Recording) -> None:
    row = burn_in.request_burn_in(recording=produced, language="ar", user=None)
    key = default_storage.save("assets/x/part.mp4", ContentFile(b"x"))
    BurnIn.objects.filter(pk=row.pk).update(parts={"0": key})
    burn_in.cancel_burn_in(row=BurnIn.objects.get(), user=None)
    assert not default_storage.exists(key)
    assert BurnIn.objects.get().state == WorkState.CANCELLED
    assert not produced.asset.current_package.derivatives.filter(kind=DerivativeKind.MP4_BURNED).exists()  # type: ignore[union-attr]


def test_asking_twice_is_one_wish() -> None:
    recording = watchable_recording()
    first, second = (burn_in.request_burn_in(recording=recording, language="en", user=None) for _ in range(2))
    assert first.pk == second.pk
    assert AuditEntry.objects.filter(action="burn_in.requested").count() == 1


def test_subtitles_that_were_changed_meanwhile_are_not_drawn() -> None:
    recording = watchable_recording()
    row = burn_in.request_burn_in(recording=recording, language="en", user=None)
    edited(recording.asset.tracks.get())
    assert do(row).state == WorkState.SKIPPED


@pytest.mark.parametrize("language", ["fr", "", "xx"])
def test_there_must_be_such_subtitles(language: str) -> None:
    with pytest.raises(burn_in.CannotBurnIn):
        burn_in.request_burn_in(recording=watchable_recording(), language=language, user=None)


def test_viewers_may_ask_only_where_the_organiser_allows_it(client: Client) -> None:
    recording = watchable_recording(webinar__slug="talk")
    address = "/webinars/talk/downloads/burned/"
    assert "Ask for it" not in client.get("/webinars/talk/watch/").content.decode()
    client.post(address, {"language": "en"})
    assert not BurnIn.objects.exists()
    burn_in.allow_viewers(recording=recording, is_allowed=True, user=None)
    assert "Ask for it" in client.get("/webinars/talk/watch/").content.decode()
    page = client.post(address, {"language": "en"}, follow=True).content.decode()
    assert "The video is being made." in page
    assert BurnIn.objects.get().language == "en"
    assert AuditEntry.objects.get(action="burn_in.requested").actor == "viewer"


def test_viewers_get_no_hidden_subtitles(client: Client) -> None:
    recording = watchable_recording(webinar__slug="talk", may_viewers_request_burn_in=True)
    give_track(recording.asset, "fr", ["Non relu."], state=TrackState.DRAFT)
    client.post("/webinars/talk/downloads/burned/", {"language": "fr"})
    assert not BurnIn.objects.exists()


def test_the_page_asks_stops_and_tries_again(organiser: Person) -> None:
    organisation = organiser.user.memberships.get().organisation
    recording = watchable_recording(webinar__organisation=organisation)
    base = f"/studio/recordings/{recording.pk}"
    organiser.client.post(f"{base}/burn-ins/", {"language": "en"})
    row = BurnIn.objects.get()
    assert f"{base}/burn-ins/state/" in organiser.client.get(f"{base}/downloads/").content.decode()
    organiser.client.post(f"/studio/burn-ins/{row.pk}/cancel/")
    assert "Try again" in organiser.client.get(f"{base}/downloads/").content.decode()
    organiser.client.post(f"/studio/burn-ins/{row.pk}/retry/")
    row.refresh_from_db()
    assert (row.state, row.created_by) == (WorkState.QUEUED, organiser.user)
