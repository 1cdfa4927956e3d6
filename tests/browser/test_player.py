"""The player in a real browser, with a real stream and the real content security policy."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from library.models import Recording
from tests.factories.library import RecordingFactory, give_track
from tests.support.browser import PHONE, Visitor, barriers
from tests.support.clip import Clip, make_clip, package_clip
from transcripts.models import TrackKind

pytestmark = pytest.mark.django_db(transaction=True)

Visit = Callable[..., Visitor]
ENGLISH = ["Good morning.", "Access to care matters.", "Thank you.", "One more.", "The end."]
ARABIC = ["صباح الخير.", "الحصول على الرعاية مهم (WHO).", "شكرا.", "واحد آخر.", "النهاية."]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return make_clip(tmp_path_factory.mktemp("clip"), seconds=30)


@pytest.fixture
def recording(clip: Clip) -> Recording:
    made: Recording = RecordingFactory.create(webinar__slug="clip", webinar__title="A clip", state="published")
    package_clip(made.asset, clip)
    give_track(made.asset, "en", ENGLISH, kind=TrackKind.CAPTIONS)
    give_track(made.asset, "ar", ARABIC)
    return made


def open_player(visitor: Visitor, query: str = "") -> Page:
    page = visitor.open(f"/webinars/clip/watch/{query}")
    page.wait_for_selector("rostrum-player media-controller")
    return page


def play(page: Page, until_s: float) -> None:
    page.evaluate("() => { const m = document.querySelector('rostrum-player').media; m.muted = true; return m.play() }")
    reach(page, until_s)


def reach(page: Page, time_s: float) -> None:
    page.wait_for_function(
        "(time) => document.querySelector('rostrum-player').media.currentTime >= time", arg=time_s, timeout=20_000
    )


def current_time(page: Page) -> float:
    return float(page.evaluate("() => document.querySelector('rostrum-player').media.currentTime"))


def wait_for_current_cue(page: Page, text: str) -> None:
    page.wait_for_function(
        "(text) => document.querySelector('.cues a[aria-current]')?.textContent.includes(text)", arg=text
    )


def captions(page: Page) -> str:
    return page.locator("rostrum-player .captions").text_content() or ""


@pytest.mark.usefixtures("recording")
def test_the_stream_plays_through_hls_js(visit: Visit) -> None:
    page = open_player(visit())
    play(page, 1.0)
    source = page.evaluate("() => document.querySelector('rostrum-player').media.nativeEl.src")
    assert source.startswith("blob:")


@pytest.mark.usefixtures("recording")
def test_arabic_captions_are_drawn_from_right_to_left(visit: Visit) -> None:
    page = open_player(visit(locale="ar"), "?subtitles=ar")
    play(page, 2.2)
    line = page.wait_for_selector(".caption")
    assert line is not None
    assert line.text_content() == ARABIC[1]
    assert line.evaluate("(node) => getComputedStyle(node).direction") == "rtl"
    modes = page.evaluate(
        "() => [...document.querySelector('rostrum-player').media.textTracks].map((t) => `${t.language}:${t.mode}`)"
    )
    assert "ar:hidden" in modes  # the browser draws none itself
    assert not any(mode.endswith("showing") for mode in modes)


@pytest.mark.usefixtures("recording")
def test_captions_are_chosen_from_a_menu_and_remembered(visit: Visit) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 0.2)
    assert captions(page) == ""
    page.locator(".captions-button").click()
    names = page.locator(".captions-menu media-chrome-menu-item").all_inner_texts()
    assert [name.strip() for name in names] == ["Off", "English", "العربية"]
    page.locator(".captions-menu media-chrome-menu-item", has_text="العربية").click()
    page.wait_for_selector(".caption[lang=ar]")
    page = open_player(visitor)
    play(page, 0.2)
    assert page.wait_for_selector(".caption[lang=ar]") is not None


@pytest.mark.usefixtures("recording")
def test_the_quality_can_be_fixed(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    play(page, 0.5)
    # Controls and menus hide while it plays and nobody moves the mouse, which a slow machine takes for long pauses.
    page.evaluate("() => document.querySelector('rostrum-player').media.pause()")
    page.locator("media-rendition-menu-button").click()
    items = page.locator("media-rendition-menu media-chrome-menu-item")
    items.first.wait_for()
    assert [re.sub(r"\s+", " ", text).strip() for text in items.all_inner_texts()][:2] == ["360p", "180p"]
    items.nth(1).click()
    page.evaluate("() => void document.querySelector('rostrum-player').media.play()")
    page.wait_for_function("() => document.querySelector('rostrum-player').media.videoHeight === 180", timeout=20_000)


@pytest.mark.usefixtures("recording")
def test_the_speed_can_be_changed(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    play(page, 0.2)
    page.locator("media-playback-rate-menu-button").click()
    page.locator("media-playback-rate-menu media-chrome-menu-item", has_text="1.5").click()
    assert page.evaluate("() => document.querySelector('rostrum-player').media.playbackRate") == 1.5


@pytest.mark.usefixtures("recording")
def test_a_click_in_the_transcript_seeks_and_the_current_cue_is_marked(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    page.evaluate("() => { document.querySelector('rostrum-player').media.muted = true }")
    page.get_by_role("link", name="Thank you.").click()
    reach(page, 4.0)
    assert page.url.endswith("#t=4")
    wait_for_current_cue(page, "Thank you.")
    wait_for_current_cue(page, "One more.")


@pytest.mark.usefixtures("recording")
def test_the_transcripts_language_can_be_changed(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    page.get_by_label("Language of the transcript").select_option("ar")
    page.wait_for_selector(".cues[lang=ar]")
    assert page.locator(".cues").get_attribute("dir") == "rtl"
    page.evaluate("() => { document.querySelector('rostrum-player').media.muted = true }")
    page.locator(".cues a", has_text="شكرا").click()
    reach(page, 4.0)


@pytest.mark.usefixtures("recording")
def test_the_keyboard_plays_seeks_and_shows_captions(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    play(page, 0.5)
    page.locator("media-controller").focus()
    page.keyboard.press("c")
    page.wait_for_selector(".caption[lang=en]")
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('rostrum-player').media.paused")
    before = current_time(page)
    page.keyboard.press("ArrowRight")
    reach(page, before + 5)


@pytest.mark.usefixtures("recording")
def test_the_place_is_remembered(visit: Visit) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 0.2)
    page.evaluate("() => { document.querySelector('rostrum-player').media.currentTime = 15 }")
    reach(page, 15.3)
    page.evaluate("() => document.querySelector('rostrum-player').media.pause()")
    page = open_player(visitor)
    reach(page, 15.0)


@pytest.mark.usefixtures("recording")
def test_a_link_to_a_moment_goes_there(visit: Visit) -> None:
    page = open_player(visit(locale="en"), "#t=12.5")
    reach(page, 12.5)
    assert current_time(page) < 13


@pytest.mark.usefixtures("recording")
def test_moving_over_the_time_line_shows_a_picture(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    play(page, 0.5)
    box = page.locator("media-time-range").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "() => document.querySelector('media-time-range').hasAttribute('mediapreviewimage')", timeout=5_000
    )


@pytest.mark.usefixtures("recording")
def test_the_player_fits_a_phone(visit: Visit) -> None:
    page = open_player(visit(locale="ar", viewport=PHONE))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    bar = page.locator("media-control-bar").bounding_box()
    frame = page.locator("media-controller").bounding_box()
    assert bar is not None
    assert frame is not None
    assert bar["x"] + bar["width"] <= frame["x"] + frame["width"] + 1
    assert abs((bar["y"] + bar["height"]) - (frame["y"] + frame["height"])) < 2


@pytest.mark.usefixtures("recording")
def test_the_watch_page_has_no_serious_barriers(visit: Visit) -> None:
    visitor = visit(locale="ar")
    play(open_player(visitor, "?subtitles=ar"), 0.5)
    assert barriers(visitor) == []


@pytest.mark.usefixtures("recording")
def test_without_scripts_a_plain_video_remains(visit: Visit) -> None:
    page = visit(java_script_enabled=False).open("/webinars/clip/watch/")
    video = page.locator("rostrum-player > video")
    assert video.is_visible()
    assert (video.get_attribute("src") or "").startswith("/files/")
    assert video.locator("track").count() == 2


def test_a_stream_that_cannot_be_fetched_is_explained(visit: Visit, recording: Recording) -> None:
    visitor = visit(locale="en")
    visitor.page.route("**/playback/**/*.m3u8", lambda route: route.fulfill(status=404, body=""))
    page = visitor.open("/webinars/clip/watch/")
    error = page.get_by_role("alert")
    error.wait_for(timeout=20_000)
    assert "cannot be played" in error.inner_text()
    visitor.complaints.clear()  # the browser notes every 404
