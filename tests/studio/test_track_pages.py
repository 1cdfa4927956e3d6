"""The pages of a track in the studio, and a reviewer's page."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Organisation
from library import playback
from library.errors import GrantError
from library.models import Recording
from library.rules import Right, holds
from notifications.models import Message
from tests.factories.library import RecordingFactory, give_package, give_track
from tests.studio.conftest import Person
from transcripts import services
from transcripts.cues import Cue, content_hash, from_rows
from transcripts.models import Renewal, ReviewLink, TextTrack, TrackKind, TrackState, Waveform
from work.models import WorkState

pytestmark = pytest.mark.django_db


@pytest.fixture
def recording(organisation: Organisation) -> Recording:
    made: Recording = RecordingFactory.create(webinar__organisation=organisation, asset__duration_ms=60_000)
    return Recording.objects.get(pk=made.pk)


@pytest.fixture
def track(recording: Recording) -> TextTrack:
    made = give_track(
        recording.asset, "en", ["Good morning.", "Access to care."], kind=TrackKind.CAPTIONS, state=TrackState.DRAFT
    )
    return TextTrack.objects.get(pk=made.pk)


def page(name: str, track: TextTrack, *more: Any) -> str:
    return reverse(f"studio:track_{name}", args=[track.pk, *more])


def save(client: Client, address: str, **body: Any) -> Any:
    body = {"revision": 1, "session": "abc", "changed": [], "removed": [], **body}
    return client.post(address, data=json.dumps(body), content_type="application/json")


def row(cue_id: str, text: str, **more: Any) -> dict[str, Any]:
    number = int(cue_id) if cue_id.isdigit() else 9
    return {"id": cue_id, "start_ms": 2000 * number, "end_ms": 2000 * number + 1900, "text": text, **more}


def token_of(track: TextTrack) -> str:
    link = services.assign_reviewer(track=track, email="amal@example.org", user=None)
    return services.review_address(link).rstrip("/").rpartition("/")[2]


def content(response: Any) -> str:
    return str(response.content.decode())


def test_the_editor_is_told_the_language_s_rules(organiser: Person, track: TextTrack) -> None:
    response = organiser.client.get(page("edit", track))
    assert response.context["editor"]["rules"]["charsPerSecond"] == 20
    assert response.context["editor"]["mayEdit"] is True
    assert response.context["editor"]["savesItself"] is True


def test_nothing_of_a_published_track_is_saved_by_itself(organiser: Person, track: TextTrack) -> None:
    services.publish_track(track=track, anyway=True)
    response = organiser.client.get(page("edit", track))
    assert response.context["editor"]["savesItself"] is False
    assert "viewers see what you save at once" in content(response)


def test_a_member_who_may_only_look_reads(reviewer: Person, track: TextTrack) -> None:
    assert reviewer.client.get(page("edit", track)).context["editor"]["mayEdit"] is False


def test_a_translation_comes_with_its_source(organiser: Person, track: TextTrack) -> None:
    made = give_track(track.asset, "ar", ["صباح الخير."], state=TrackState.DRAFT)
    TextTrack.objects.filter(pk=made.pk).update(source_track=track)
    data = organiser.client.get(page("data", made)).json()
    assert data["source"]["language"] == "en"
    assert data["source"]["cues"][1] == {"id": "1", "start_ms": 2000, "end_ms": 3900, "text": "Access to care."}


def test_saving_sends_back_what_was_made_of_it(organiser: Person, track: TextTrack) -> None:
    response = save(
        organiser.client, page("save", track), changed=[row("1", "Access & care <b>for all")], removed=["0"]
    )
    assert response.status_code == 200
    body = response.json()
    assert (body["revision"], [cue["text"] for cue in body["cues"]]) == (2, ["Access &amp; care <b>for all</b>"])
    track.refresh_from_db()
    assert track.current_revision is not None
    assert [cue["id"] for cue in track.current_revision.cues] == ["1"]
    assert track.current_revision.author == organiser.user


def test_a_conflict_answers_with_the_other_version(organiser: Person, track: TextTrack) -> None:
    services.save_cues(track=track, base_revision=1, cues=[Cue("0", 0, 1900, "Theirs.")], user=None)
    response = save(organiser.client, page("save", track), changed=[row("0", "Mine.")])
    assert response.status_code == 409
    assert (response.json()["current_revision"], response.json()["theirs"][0]["text"]) == (2, "Theirs.")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"[" * 100_000, b'{"revision": 1}', b'{"revision": -1, "changed": []}', b"\xff\xfe",
     b'{"revision": 1, "changed": [{"id": "a\\u0000", "start_ms": 0, "end_ms": 9, "text": "x"}]}',
     b'{"revision": 1, "changed": [{"id": "a", "start_ms": 9, "end_ms": 5, "text": "x"}]}'],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(organiser: Person, track: TextTrack, body: bytes) -> None:
    response = organiser.client.post(page("save", track), data=body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["title"]


def test_hostile_texts_are_kept_or_refused_never_an_error(organiser: Person, track: TextTrack, corpus: Path) -> None:
    texts = [str(text) for file in sorted((corpus / "strings").glob("*.json")) for text in json.loads(file.read_text())]
    for text in [*texts[::10], "\ud800", "a\x00b", "&" * 2000, "<" * 3000, " \n "]:
        response = save(organiser.client, page("save", track), changed=[row("9", text)], session="")
        assert response.status_code in (200, 400, 409), text[:50]


def test_peaks_are_asked_of_a_worker_once(organiser: Person, track: TextTrack, recording: Recording) -> None:
    package = give_package(recording.asset)
    assert organiser.client.get(page("peaks", track)).status_code == 404  # there is no sound
    package.derivatives.create(kind="speech_audio", key="none", size=1, content_type="audio/flac")
    assert [organiser.client.get(page("peaks", track)).status_code for _time in range(2)] == [202, 202]
    Waveform.objects.update(state=WorkState.FAILED)
    failed = organiser.client.get(page("peaks", track))
    assert (failed.status_code, failed.json()) == (404, {"state": "failed"})


def test_peaks_that_failed_are_measured_again_when_somebody_asks(
    organiser: Person, track: TextTrack, recording: Recording
) -> None:
    package = give_package(recording.asset)
    package.derivatives.create(kind="speech_audio", key="none", size=1, content_type="audio/flac")
    for state in (WorkState.FAILED, WorkState.DONE):  # one whose file is gone was done
        organiser.client.get(page("peaks", track))
        Waveform.objects.update(state=state)
        again = organiser.client.post(page("peaks", track))
        assert (again.status_code, again.json()) == (202, {"state": "coming"})
        assert Waveform.objects.get().state == WorkState.QUEUED


def test_history_compares_and_brings_back(organiser: Person, track: TextTrack) -> None:
    save(organiser.client, page("save", track), changed=[row("0", "Good evening.")])
    shown = content(organiser.client.get(page("history", track)))
    assert "<del>morning</del>" in shown
    assert "<ins>evening</ins>" in shown
    organiser.client.post(page("restore", track), {"revision": "1"})
    track.refresh_from_db()
    assert track.current_revision is not None
    assert (track.current_revision.number, track.current_revision.cues[0]["text"]) == (3, "Good morning.")


@pytest.mark.parametrize("number", ["", "x", "9", "٣", "99999999999999999999", "-1"])
def test_history_of_unknown_versions_is_shown_all_the_same(organiser: Person, track: TextTrack, number: str) -> None:
    assert organiser.client.get(page("history", track), {"old": number, "new": number}).status_code == 200
    assert organiser.client.post(page("restore", track), {"revision": number}).status_code == 404


def test_a_reviewer_is_asked_and_revoked(organiser: Person, track: TextTrack) -> None:
    response = organiser.client.post(page("reviewers", track), {"email": "amal@example.org", "language": "ar"})
    assert response.status_code == 302
    assert Message.objects.get().recipient_email == "amal@example.org"
    link = ReviewLink.objects.get()
    organiser.client.post(page("reviewer_revoke", track, link.pk))
    link.refresh_from_db()
    assert link.revoked_at is not None


def test_another_track_s_reviewer_cannot_be_revoked_here(organiser: Person, track: TextTrack) -> None:
    other = give_track(track.asset, "fr", ["Bonjour."])
    link = services.assign_reviewer(track=TextTrack.objects.get(pk=other.pk), email="a@example.org", user=None)
    assert organiser.client.post(page("reviewer_revoke", track, link.pk)).status_code == 404


def test_stale_cues_are_shown_and_renewed(organiser: Person, track: TextTrack) -> None:
    source = track
    made = give_track(track.asset, "fr", ["Bonjour."], state=TrackState.DRAFT)
    TextTrack.objects.filter(pk=made.pk).update(source_track=source)
    revision = made.current_revision
    assert revision is not None
    assert source.current_revision is not None
    said = from_rows(source.current_revision.cues)[:1]
    revision.cues[0] |= {"source_ids": ["0"], "source_hash": content_hash(said)}
    revision.save()
    save(organiser.client, page("save", source), changed=[row("0", "Good evening.")])
    shown = content(organiser.client.get(page("stale", made)))
    assert "Good morning." in shown
    assert "Good evening." in shown
    organiser.client.post(page("stale", made), {"cue": "0"})
    renewal = Renewal.objects.get()
    assert renewal.cue_ids == ["0"]
    state = organiser.client.get(page("stale_state", made), headers={"HX-Request": "true"})
    assert "every 3s" in content(state)
    Renewal.objects.update(state=WorkState.DONE)
    state = organiser.client.get(page("stale_state", made), headers={"HX-Request": "true"})
    assert state["HX-Redirect"] == page("stale", made)


def test_a_reviewer_reads_saves_and_marks_without_an_account(client: Client, track: TextTrack) -> None:
    token = token_of(track)
    response = client.get(f"/review/{token}/")
    assert (response.status_code, response["Referrer-Policy"], response["X-Robots-Tag"]) == (
        200,
        "strict-origin",
        "noindex",
    )
    assert save(client, f"/review/{token}/save/", changed=[row("0", "Good evening.")]).status_code == 200
    assert client.post(f"/review/{token}/").status_code == 302
    track.refresh_from_db()
    assert track.state == TrackState.REVIEWED


def test_a_reviewer_cannot_save_what_is_published(client: Client, track: TextTrack) -> None:
    token = token_of(track)
    services.publish_track(track=track, anyway=True)
    response = save(client, f"/review/{token}/save/", changed=[row("0", "Bad.")])
    assert (response.status_code, response.json()["code"]) == (409, "track_is_published")


def test_a_revoked_reviewer_sees_nothing_nor_plays_on(client: Client, track: TextTrack, recording: Recording) -> None:
    package = give_package(recording.asset)
    token = token_of(track)
    base = client.get(f"/review/{token}/grant/").json()["base"]
    assert client.get(f"{base}master.m3u8").status_code == 200
    link = ReviewLink.objects.get()
    right = Right("review", str(link.pk))
    assert holds(right, recording)
    services.revoke_review(link=link, user=None)
    assert not holds(right, recording)
    assert client.get(f"/review/{token}/").status_code == 404
    assert package.pk is not None
    with pytest.raises(GrantError):
        playback.read_grant(playback.make_grant(recording=recording, package=package, right=right))
