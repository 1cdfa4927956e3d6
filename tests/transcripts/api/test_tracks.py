import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, Role
from accounts.services import create_api_token
from media.models import Asset, Package
from tests.factories.accounts import MembershipFactory
from tests.factories.media import AssetFactory
from tests.factories.transcripts import TrackFactory
from transcripts import cues, selectors
from transcripts.cues import Cue
from transcripts.models import TextTrack, TrackState, Waveform
from work.models import WorkState

pytestmark = pytest.mark.django_db
LIST = "/api/v1/tracks/"
SRT = "1\n00:00:00,000 --> 00:00:01,000\nBonjour à tous\n"


def member_of(track_or_asset: Any, role: Role = Role.ORGANISER) -> Client:
    asset = getattr(track_or_asset, "asset", track_or_asset)
    client = Client()
    client.force_login(MembershipFactory(organisation=asset.organisation, role=role).user)
    return client


def stranger() -> Client:
    client = Client()
    client.force_login(MembershipFactory().user)
    return client


def form(asset: Any, text: str = SRT, **values: Any) -> dict[str, Any]:
    file = SimpleUploadedFile("x.srt", text.encode(), "application/x-subrip")
    return {"asset": str(asset.pk), "language": "fr", "kind": "subtitles", "file": file, **values}


def test_list_shows_own_organisations_tracks_only() -> None:
    track = TrackFactory()
    TrackFactory()
    rows = member_of(track).get(LIST).json()["results"]
    assert [row["id"] for row in rows] == [str(track.pk)]
    shown = {
        key: rows[0][key] for key in ("language", "autonym", "direction", "kind", "state", "revision", "cue_count")
    }
    assert shown == {
        "language": "en", "autonym": "English", "direction": "ltr", "kind": "captions", "state": "draft", "revision": 1,
        "cue_count": 2,
    }  # fmt: skip


def test_list_asks_the_same_number_of_questions_for_more_rows(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    track = TrackFactory()
    client = member_of(track)
    client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    for language in ("fr", "ar", "uk"):
        TrackFactory(asset=track.asset, language=language)
    with django_assert_num_queries(len(one)):
        client.get(LIST)


@pytest.mark.parametrize(
    ("query", "count"), [("language=en", 1), ("language=de", 0), ("state=draft", 1), ("kind=subtitles", 0)]
)
def test_list_is_filtered(query: str, count: int) -> None:
    track = TrackFactory()
    assert len(member_of(track).get(f"{LIST}?asset={track.asset.pk}&{query}").json()["results"]) == count


def addresses(track: TextTrack) -> list[tuple[str, str]]:
    one = f"{LIST}{track.pk}/"
    return [
        ("get", one), ("get", f"{one}cues/"), ("get", f"{one}files/vtt/"), ("put", f"{one}cues/"),
        ("post", f"{one}publish/"), ("post", f"{one}unpublish/"), ("delete", one),
    ]  # fmt: skip


def test_nobody_and_strangers_reach_no_track() -> None:
    track = TrackFactory()
    for method, address in addresses(track):
        assert getattr(Client(), method)(address).status_code in (401, 403), address
        assert getattr(stranger(), method)(address).status_code == 404, address
    assert TextTrack.objects.filter(pk=track.pk, state=TrackState.DRAFT).exists()


def test_reviewer_reads_and_changes_nothing() -> None:
    track = TrackFactory()
    client = member_of(track, Role.REVIEWER)
    for method, address in addresses(track):
        assert getattr(client, method)(address).status_code == (200 if method == "get" else 403), address
    assert client.post(LIST, form(track.asset)).status_code == 403


def test_token_of_another_organisation_reaches_nothing() -> None:
    track, other = TrackFactory(), MembershipFactory()
    MembershipFactory(organisation=track.asset.organisation, user=other.user)
    _row, token = create_api_token(organisation=other.organisation, created_by=other.user, name="t", can_write=True)
    answer = Client().get(f"{LIST}{track.pk}/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 404


def test_upload_becomes_a_track() -> None:
    asset = AssetFactory()
    answer = member_of(asset).post(LIST, form(asset, SRT + "\n2\n00:00:09,000 --> 00:00:01,000\nx\n"))
    assert answer.status_code == 201
    body = answer.json()
    assert (body["language"], body["origin"], body["cue_count"]) == ("fr", "uploaded", 1)
    assert body["notes"] == ["Line 6: The subtitle ends when or before it starts; it was left out."]


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"language": "xx"}, "language_unknown", "language"),
        ({"language": "ar"}, "wrong_script", "language"),
        ({"kind": "karaoke"}, "invalid", "kind"),
        ({"text": "no subtitles"}, "not_subtitles", "file"),
        ({"text": ""}, "empty", "file"),
    ],
)
def test_upload_that_cannot_be_used_says_why_at_its_field(values: dict[str, str], code: str, field: str) -> None:
    asset = AssetFactory()
    answer = member_of(asset).post(LIST, form(asset, **values))
    assert answer.status_code == 400
    assert (answer.json()["code"], list(answer.json()["errors"])) == (code, [field])


def test_upload_to_anothers_asset_is_refused() -> None:
    answer = stranger().post(LIST, form(AssetFactory()))
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["asset"]
    assert not TextTrack.objects.exists()


def test_publish_and_unpublish() -> None:
    track = TrackFactory()
    client = member_of(track)
    assert client.post(f"{LIST}{track.pk}/publish/").json()["state"] == "published"
    assert client.post(f"{LIST}{track.pk}/unpublish/").json()["state"] == "draft"


def test_publishing_an_empty_track_is_a_conflict() -> None:
    track = TrackFactory(cues=[])
    answer = member_of(track).post(f"{LIST}{track.pk}/publish/")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_publish")


def test_delete() -> None:
    track = TrackFactory()
    assert member_of(track).delete(f"{LIST}{track.pk}/").status_code == 204
    assert not TextTrack.objects.exists()


@pytest.mark.parametrize(
    ("file_format", "content_type", "begins"),
    [
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT"),
        ("srt", "application/x-subrip; charset=utf-8", "1\n"),
        ("txt", "text/plain; charset=utf-8", "Thank"),
        ("html", "text/html; charset=utf-8", "<!doctype html>"),
    ],
)
def test_file_is_downloaded(file_format: str, content_type: str, begins: str) -> None:
    track = TrackFactory()
    answer = member_of(track).get(f"{LIST}{track.pk}/files/{file_format}/")
    assert answer["Content-Type"] == content_type
    assert answer["Content-Disposition"] == f'attachment; filename="en.{file_format}"'
    assert answer.content.decode().startswith(begins)


def test_track_without_a_file_is_begun_for_a_person() -> None:
    source = TrackFactory()
    values = {"asset": str(source.asset.pk), "language": "bm", "kind": "subtitles"}
    answer = member_of(source).post(LIST, values, content_type="application/json")
    assert (answer.status_code, answer.json()["language"], answer.json()["state"]) == (201, "bm", "draft")


def test_unknown_file_format_is_not_found() -> None:
    track = TrackFactory()
    answer = member_of(track).get(f"{LIST}{track.pk}/files/docx/")
    assert (answer.status_code, answer.json()["code"]) == (404, "format_unknown")


def test_cues_are_read_edited_and_saved() -> None:
    track = TrackFactory()
    client, address = member_of(track), f"{LIST}{track.pk}/cues/"
    body = client.get(address).json()
    assert body == {"revision": 1, "cues": cues.to_rows(selectors.cues_of(track))}
    body["cues"][0]["text"] = "Thank <script>you</script> &amp; <i>goodbye</i>"
    answer = client.put(address, body, content_type="application/json")
    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    assert answer.json()["cues"][0]["text"] == "Thank you &amp; <i>goodbye</i>"


def test_second_editor_gets_both_versions() -> None:
    track = TrackFactory()
    client, address = member_of(track), f"{LIST}{track.pk}/cues/"
    first = client.get(address).json()
    second = client.get(address).json()
    first["cues"][0]["text"], second["cues"][0]["text"] = "Mine.", "Yours."
    assert client.put(address, first, content_type="application/json").status_code == 200
    answer = client.put(address, second, content_type="application/json")
    body = answer.json()
    assert (answer.status_code, body["code"], body["current_revision"]) == (409, "edit_conflict", 2)
    assert (body["theirs"][0]["text"], body["yours"][0]["text"]) == ("Mine.", "Yours.")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"revision": "x", "cues": []},
        {"revision": 1, "cues": {}},
        {"revision": 1, "cues": [1]},
        {"revision": 1, "cues": [{"start_ms": 0}]},
        {"revision": 1, "cues": [{"start_ms": 5, "end_ms": 5, "text": "x"}]},
        {"revision": 1, "cues": [{"start_ms": 10**30, "end_ms": 10**31, "text": "x"}]},
        {"revision": 1, "cues": [{"start_ms": 0, "end_ms": 5, "text": "x" * 5000}]},
        {"revision": 1, "cues": [{"start_ms": 0, "end_ms": 5, "text": "x", "source_ids": "y"}]},
        {"revision": 1, "cues": [{"start_ms": 0, "end_ms": 5, "text": "x", "confidence": "NaN"}]},
        {"revision": 10**30, "cues": []},
    ],
)
def test_malformed_edit_is_a_problem_never_a_crash(body: Any) -> None:
    track = TrackFactory()
    answer = member_of(track).put(f"{LIST}{track.pk}/cues/", body, content_type="application/json")
    assert answer.status_code in (400, 409)
    assert answer["Content-Type"] == "application/problem+json"


def test_schema_describes_the_resource() -> None:
    client = member_of(AssetFactory())
    text = client.get(reverse("api:schema")).content.decode()
    for path in (
        "/api/v1/tracks/:",
        "/api/v1/tracks/{id}/cues/:",
        "/api/v1/tracks/{id}/publish/:",
        "/api/v1/tracks/{id}/files/{file_format}/",
    ):
        assert path in text


def test_publishing_with_errors_wants_an_explicit_anyway_and_keeps_the_name() -> None:
    overlapping = [Cue("a", 0, 3000, "One."), Cue("b", 2000, 4000, "Two.")]
    track = TrackFactory(cues=overlapping)
    client = member_of(track)
    refused = client.post(f"{LIST}{track.pk}/publish/")
    assert refused.status_code == 409
    assert refused["Content-Type"] == "application/problem+json"
    assert (refused.json()["code"], [one["code"] for one in refused.json()["findings"]]) == (
        "has_errors",
        ["overlapping"],
    )
    done = client.post(f"{LIST}{track.pk}/publish/", {"anyway": True}, content_type="application/json")
    assert (done.status_code, done.json()["state"], done.json()["published_anyway_errors"]) == (200, "published", 1)
    track.refresh_from_db()
    entry = AuditEntry.objects.get(action="track.published")
    assert track.published_anyway_by == entry.user
    assert entry.detail["errors"] == 1


def test_report_and_command_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    track = TrackFactory(cues=[Cue("a", 0, 3000, "One."), Cue("b", 2000, 4000, "Two.")])
    body = member_of(track).get(f"{LIST}{track.pk}/report/").json()
    assert body["revision"] == 1
    with pytest.raises(CommandError):
        call_command("subtitle_report", str(track.pk), "--json")
    assert json.loads(capsys.readouterr().out)["findings"] == body["findings"]
    with pytest.raises(CommandError, match="no such"):
        call_command("subtitle_report", str(track.asset.organisation.pk))


def test_renewal_is_asked_for_and_refused_where_nothing_is_stale() -> None:
    source = TrackFactory()
    stale = Cue("x", 0, 3000, "Merci.", source_ids=("c1",), source_hash="older")
    track = TrackFactory(asset=source.asset, language="fr", kind="subtitles", source_track=source, cues=[stale])
    client = member_of(track)
    assert client.post(f"{LIST}{source.pk}/renew/").json()["code"] == "nothing_stale"
    asked = client.post(f"{LIST}{track.pk}/renew/", {"cue_ids": ["x"]}, content_type="application/json")
    assert (asked.status_code, asked.json()["state"], asked.json()["cue_ids"]) == (202, "queued", ["x"])


def test_glossary_is_kept_by_organisation() -> None:
    membership = MembershipFactory(role=Role.ORGANISER)
    client = Client()
    client.force_login(membership.user)
    address = "/api/v1/glossary-terms/"
    values = {"organisation": str(membership.organisation.pk), "term": "WHO", "renderings": {"fr": "OMS"}}
    made = client.post(address, values, content_type="application/json")
    assert made.status_code == 201
    one = f"{address}{made.json()['id']}/"
    changed = client.patch(one, {"renderings": {"fr": "OMS", "de": "WHO"}}, content_type="application/json").json()
    assert (changed["term"], changed["renderings"]) == ("WHO", {"fr": "OMS", "de": "WHO"})
    assert client.post(address, values, content_type="application/json").json()["code"] == "term_invalid"
    assert stranger().get(one).status_code == 404
    assert client.delete(one).status_code == 204


def test_languages_say_what_can_be_done_with_them() -> None:
    rows = {row["tag"]: row for row in Client().get("/api/v1/languages/").json()}
    assert rows["ar"]["direction"] == "rtl"
    assert (rows["wo"]["autonym"], rows["wo"]["can_recognise"]) == ("Wolof", False)


def test_peaks_are_for_members_and_are_tried_again_by_those_who_may_change_something() -> None:
    track = TrackFactory()
    address = f"{LIST}{track.pk}/peaks/"
    organiser, reviewer = member_of(track), member_of(track, Role.REVIEWER)
    silent = organiser.get(address)
    assert (silent.status_code, silent.json()) == (404, {"state": "none"})
    assert [one.get(address).status_code for one in (stranger(), Client(), reviewer)] == [404, 401, 404]
    package = Package.objects.create(asset=track.asset, prefix="peaks")
    Asset.objects.filter(pk=track.asset.pk).update(current_package=package)
    package.derivatives.create(kind="speech_audio", key="none", size=1, content_type="audio/flac")
    assert reviewer.post(address).status_code == 403
    assert (organiser.get(address).status_code, organiser.get(address).json()) == (202, {"state": "coming"})
    Waveform.objects.update(state=WorkState.FAILED)
    assert (organiser.get(address).status_code, organiser.get(address).json()) == (404, {"state": "failed"})
    assert organiser.post(address).status_code == 202
