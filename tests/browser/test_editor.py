"""The subtitle editor in a real browser: two people's stories, English and Arabic, and two thousand cues."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

import transcripts.services
import work.services
from accounts.models import Role, User
from library.models import Recording
from media import services as media_services
from tests.factories.accounts import MembershipFactory, OrganisationFactory
from tests.factories.events import WebinarFactory
from tests.factories.library import RecordingFactory, give_track
from tests.factories.media import make_asset
from tests.support.browser import PHONE, Visitor, barriers
from transcripts.cues import Cue
from transcripts.models import TextTrack, TrackKind, TrackState, Waveform

pytestmark = pytest.mark.django_db(transaction=True)

Visit = Callable[..., Visitor]


@pytest.fixture
def organiser() -> User:
    organisation = OrganisationFactory.create(name="Health Programme")
    user: User = MembershipFactory.create(organisation=organisation, role=Role.ORGANISER).user
    return user


def sign_in(visitor: Visitor, user: User, url: str) -> None:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    visitor.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])


def silent_recording(organiser: User, **fields: Any) -> Recording:
    """A recording of which nothing is ready to be played."""
    webinar = WebinarFactory.create(organisation=organiser.memberships.get().organisation, slug="talk", title="A talk")
    made: Recording = RecordingFactory.create(webinar=webinar, asset__duration_ms=7_200_000, **fields)
    return made


def texts_of(track: TextTrack) -> list[str]:
    track.refresh_from_db()
    assert track.current_revision is not None
    return [row["text"] for row in track.current_revision.cues]


def wait_until_saved(page: Page) -> None:
    expect(page.locator(".editor-status")).to_have_attribute("data-state", "saved")


@pytest.fixture
def playable(organiser: User, tmp_path: Path) -> Recording:
    """Eight seconds with sound: enough for the first look, the sound and its waveform."""
    clip = tmp_path / "clip.mp4"
    sources = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=10", "-f", "lavfi", "-i", "sine=frequency=440"]
    subprocess.run(
        ["ffmpeg", "-v", "error", *sources, "-t", "8", "-c:v", "libx264", "-preset", "ultrafast", "-g", "20",
         "-pix_fmt", "yuv420p", "-c:a", "aac", str(clip)],
        check=True,
    )  # fmt: skip
    organisation = organiser.memberships.get().organisation
    asset = make_asset(clip, organisation=organisation)
    media_services.inspect_source(asset=asset, workdir=tmp_path)
    package = media_services.start_package(asset=asset)
    media_services.make_first_look(package=package, workdir=tmp_path)
    media_services.make_audio(package=package, workdir=tmp_path)
    webinar = WebinarFactory.create(organisation=organisation, slug="talk", title="A talk")
    made: Recording = RecordingFactory.create(webinar=webinar, asset=asset)
    return made


def test_an_organiser_corrects_subtitles_by_keyboard(
    visit: Visit, live_server: Any, organiser: User, playable: Recording
) -> None:
    track = give_track(
        playable.asset, "en", ["Good moaning.", "Acess to care matters.", "Thank you."],
        kind=TrackKind.CAPTIONS, state=TrackState.DRAFT,
    )  # fmt: skip
    assert playable.asset.current_package is not None
    transcripts.services.request_waveform(package=playable.asset.current_package)
    work.services.execute("transcripts.waveform", Waveform.objects.get().pk)
    visitor = visit()
    sign_in(visitor, organiser, live_server.url)
    page = visitor.open(f"/studio/tracks/{track.pk}/edit/")
    first = page.locator(".editor-row").nth(0).locator("textarea")
    first.fill("Good morning and welcome.")
    first.press("Home")
    for _letter in range(len("Good morning")):
        first.press("ArrowRight")
    first.press("Alt+s")
    expect(page.locator(".editor-row")).to_have_count(4)
    page.keyboard.type("Hello ")
    page.keyboard.press("Control+z")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+f")
    page.get_by_label("Find", exact=True).fill("acess")
    page.get_by_label("Replace with").fill("Access")
    page.get_by_role("button", name="Replace all").click()
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+g")
    page.keyboard.type("Dr Ada")
    wait_until_saved(page)
    assert texts_of(track) == ["Good morning", "and welcome.", "Access to care matters.", "Thank you."]
    assert track.current_revision is not None
    assert [row["speaker"] for row in track.current_revision.cues][2] == "Dr Ada"
    # One sitting is one revision, whatever was saved in it.
    assert track.revisions.count() == 2
    expect(page.locator("[data-wave] > div")).to_be_visible()
    page.keyboard.press("Alt+p")
    page.wait_for_function(
        "() => { const m = document.querySelector('rostrum-player').media; return m.paused && m.currentTime > 3.8 }",
    )
    assert page.evaluate("() => document.querySelector('rostrum-player').media.currentTime") < 4.3
    page.keyboard.press("F1")
    expect(page.get_by_role("dialog")).to_contain_text("Split at the cursor")
    assert barriers(visitor) == []


def test_a_reviewer_with_a_link_corrects_arabic_on_a_phone(visit: Visit, organiser: User) -> None:
    recording = silent_recording(organiser)
    source = give_track(recording.asset, "en", ["Good morning.", "Access to care."], kind=TrackKind.CAPTIONS)
    track = give_track(recording.asset, "ar", ["صباح الخير.", "الوصول إلى الرعاية."], state=TrackState.DRAFT)
    track.source_track = source
    track.save()
    track = TextTrack.objects.get(pk=track.pk)
    link = transcripts.services.assign_reviewer(track=track, email="amal@example.org", language="ar", user=organiser)
    path = transcripts.services.review_address(link).partition("/review/")[2]
    visitor = visit(locale="ar", viewport=PHONE)
    page = visitor.open(f"/review/{path}")
    text = page.locator(".editor-row textarea").nth(1)
    expect(text).to_have_css("direction", "rtl")
    expect(page.locator(".editor-source").nth(1)).to_have_text("Access to care.")
    text.fill("الوصول إلى الرعاية الصحية (WHO 2027).")
    wait_until_saved(page)
    assert texts_of(track)[1] == "الوصول إلى الرعاية الصحية (WHO 2027)."
    assert barriers(visitor) == []
    page.locator(".track-head button").click()
    expect(page.locator(".track-head .alert-success")).to_be_visible()
    track.refresh_from_db()
    assert track.state == TrackState.REVIEWED


def test_two_editors_lose_nothing(visit: Visit, live_server: Any, organiser: User) -> None:
    recording = silent_recording(organiser)
    track = give_track(recording.asset, "en", ["One.", "Two.", "Three."], kind=TrackKind.CAPTIONS, state="draft")
    visitor = visit()
    sign_in(visitor, organiser, live_server.url)
    page = visitor.open(f"/studio/tracks/{track.pk}/edit/")
    page.wait_for_selector(".editor-row")
    theirs = [
        Cue("0", 0, 1900, "One."),
        Cue("1", 2000, 3900, "Two, they say."),
        Cue("2", 4000, 5900, "Three, they say."),
    ]
    transcripts.services.save_cues(track=track, base_revision=1, cues=theirs, user=None)
    page.locator(".editor-row textarea").nth(0).fill("One, I say.")
    page.locator(".editor-row textarea").nth(1).fill("Two, I say.")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Two, they say.")
    visitor.complaints.clear()  # the browser notes the answer 409
    page.get_by_role("button", name="Take these and go on").click()
    wait_until_saved(page)
    assert texts_of(track) == ["One, I say.", "Two, I say.", "Three, they say."]


def test_a_lost_connection_loses_nothing(visit: Visit, live_server: Any, organiser: User) -> None:
    track = give_track(silent_recording(organiser).asset, "en", ["One."], kind=TrackKind.CAPTIONS, state="draft")
    visitor = visit()
    sign_in(visitor, organiser, live_server.url)
    page = visitor.open(f"/studio/tracks/{track.pk}/edit/")
    field = page.locator(".editor-row textarea").first
    field.wait_for()
    visitor.context.set_offline(True)
    field.fill("Written on a train.")
    status = page.locator(".editor-status")
    expect(status).to_have_attribute("data-state", "offline")
    visitor.complaints.clear()  # the browser notes that it could not connect
    field.fill("Written on a train, in a tunnel.")
    expect(status).to_have_attribute("data-state", "offline")
    visitor.context.set_offline(False)
    wait_until_saved(page)
    visitor.complaints.clear()
    assert texts_of(track) == ["Written on a train, in a tunnel."]


def test_a_key_in_one_of_two_thousand_cues_touches_that_one(visit: Visit, live_server: Any, organiser: User) -> None:
    recording = silent_recording(organiser)
    track = give_track(
        recording.asset, "en", [f"This is what was said at number {n}." for n in range(2000)],
        kind=TrackKind.CAPTIONS, state=TrackState.DRAFT,
    )  # fmt: skip
    visitor = visit()
    sign_in(visitor, organiser, live_server.url)
    page = visitor.open(f"/studio/tracks/{track.pk}/edit/")
    page.wait_for_selector(".editor-row")
    page.evaluate("() => { const l = document.querySelector('.editor-list'); l.scrollTop = l.scrollHeight / 2 }")
    field = page.locator('.editor-row[data-id="1000"] textarea')
    field.focus()
    assert page.locator(".editor-row").count() < 25
    changed = page.evaluate(
        """async () => {
          const field = document.querySelector('.editor-row[data-id="1000"] textarea');
          let changed = 0;
          const observer = new MutationObserver((records) => {
            changed += new Set(records.map((record) => record.target)).size;
          });
          observer.observe(document.body, { childList: true, subtree: true, characterData: true });
          field.setRangeText("x", field.value.length, field.value.length, "end");
          field.dispatchEvent(new InputEvent("input", { bubbles: true }));
          await new Promise(requestAnimationFrame);
          observer.disconnect();
          return changed;
        }"""
    )
    assert changed < 25  # what tells about this cue, and nothing of the other 1,999
