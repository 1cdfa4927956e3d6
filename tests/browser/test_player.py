"""The player in a real browser, with a real stream and the real content security policy."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from pytest_django import Settings

from events.models import Visibility
from library import services
from library.models import Chapter, Recording, RecordingState, Viewing
from media.models import Package, PackageState
from registration.links import token_for
from tests.factories.library import RecordingFactory, give_track
from tests.factories.registration import RegistrationFactory
from tests.support.browser import PHONE, Visitor, barriers
from tests.support.clip import Clip, add_rung, add_sound, make_clip, package_clip
from transcripts.models import TrackKind

pytestmark = pytest.mark.django_db(transaction=True)

Visit = Callable[..., Visitor]
ENGLISH = ["Good morning.", "Access to care matters.", "Thank you.", "One more.", "The end."]
ARABIC = ["صباح الخير.", "الحصول على الرعاية مهم (WHO).", "شكرا.", "واحد آخر.", "النهاية."]
PLAYER = "document.querySelector('rostrum-player')"


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return make_clip(tmp_path_factory.mktemp("clip"), seconds=30)


@pytest.fixture
def recording(clip: Clip) -> Recording:
    return make_recording(clip)


def make_recording(clip: Clip, *, only: str = "", has_video: bool = True, **fields: Any) -> Recording:
    fields = {"webinar__slug": "clip", "webinar__title": "A clip", "state": RecordingState.PUBLISHED, **fields}
    made: Recording = RecordingFactory.create(**fields)
    package_clip(made.asset, clip, only=only, has_video=has_video)
    give_track(made.asset, "en", ENGLISH, kind=TrackKind.CAPTIONS)
    give_track(made.asset, "ar", ARABIC)
    return made


def package_of(recording: Recording) -> Package:
    package = recording.asset.current_package
    assert package is not None
    return package


def open_player(visitor: Visitor, query: str = "") -> Page:
    page = visitor.open(f"/webinars/clip/watch/{query}")
    page.wait_for_selector("rostrum-player media-controller")
    return page


def play(page: Page, until_s: float) -> None:
    # As long as the player is getting its source ready, the promise of `play` fails and the player plays nevertheless.
    page.evaluate(f"() => {{ const m = {PLAYER}.media; m.muted = true; m.play().catch(() => {{}}) }}")
    reach(page, until_s)


def pause(page: Page) -> None:
    """Controls and menus hide while it plays and nobody moves the mouse, which a slow machine takes for long pauses."""
    page.evaluate(f"() => {PLAYER}.media.pause()")


def reach(page: Page, time_s: float) -> None:
    page.wait_for_function(f"(time) => {PLAYER}.media.currentTime >= time", arg=time_s)


def current_time(page: Page) -> float:
    return float(page.evaluate(f"() => {PLAYER}.media.currentTime"))


def wait_for_current_cue(page: Page, text: str) -> None:
    page.wait_for_function(
        "(text) => document.querySelector('.cues a[aria-current]')?.textContent.includes(text)", arg=text
    )


def captions(page: Page) -> str:
    return page.locator("rostrum-player .captions").text_content() or ""


def settings_page(page: Page, name: str) -> Locator:
    """Open one page of the settings; returns its choices."""
    pause(page)
    page.locator(".settings-button").click()
    page.locator(".settings-menu").get_by_text(name).click()
    return page.locator(".settings-menu [role=menuitemradio]")


def names(items: Locator) -> list[str]:
    return [re.sub(r"\s+", " ", text).strip() for text in items.all_inner_texts()]


# --- Playing -------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("recording")
def test_the_stream_plays_through_hls_js_and_says_how_fast_it_started(visit: Visit) -> None:
    page = open_player(visit())
    page.locator(".start").click()
    reach(page, 1.0)
    assert page.evaluate(f"() => {PLAYER}.media.src").startswith("blob:")
    started_ms = page.evaluate(f"() => {PLAYER}.startupMs")
    print(f"start-up: {started_ms:.0f} ms from the click to the first picture")
    assert 0 < started_ms < 10_000


@pytest.mark.usefixtures("recording")
def test_on_a_costly_line_nothing_of_the_player_is_fetched_before_somebody_wants_to_watch(visit: Visit) -> None:
    visitor = visit()
    visitor.page.add_init_script(
        "Object.defineProperty(navigator, 'connection', {value: {saveData: true, effectiveType: '3g'}})"
    )
    fetched: list[str] = []
    visitor.page.on("request", lambda request: fetched.append(request.url))
    page = open_player(visitor)
    page.wait_for_load_state("networkidle")
    assert [url for url in fetched if "hls" in url or ".m3u8" in url or "/files/" in url] == []
    play(page, 0.5)
    assert any("rostrum/hls" in url for url in fetched)


@pytest.mark.usefixtures("recording")
def test_the_quality_can_be_fixed_and_is_remembered(visit: Visit) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 0.5)
    choices = settings_page(page, "Quality")
    assert names(choices)[1:] == ["360p", "180p"]
    choices.nth(2).click()
    page.evaluate(f"() => void {PLAYER}.media.play()")
    page.wait_for_function(f"() => {PLAYER}.media.videoHeight === 180")
    page = open_player(visitor)
    play(page, 0.5)
    assert page.evaluate(f"() => {PLAYER}.media.videoHeight") == 180


def test_a_quality_that_is_finished_meanwhile_joins_without_interrupting(visit: Visit, clip: Clip) -> None:
    recording = make_recording(clip, only="180p")
    visitor = visit(locale="en")
    visitor.page.add_init_script(FAST_TIMERS)
    page = open_player(visitor)
    play(page, 0.5)
    assert page.locator("rostrum-player").get_attribute("building") is not None
    page.evaluate(f"() => {{ window.waited = 0; {PLAYER}.media.addEventListener('emptied', () => waited++) }}")
    add_rung(package_of(recording), clip, "360p")
    Package.objects.update(state=PackageState.COMPLETE)
    expect(page.locator(".player-notice")).to_have_text("More qualities are ready.")
    assert names(settings_page(page, "Quality"))[1:] == ["360p", "180p"]
    page.locator(".settings-menu [role=menuitemradio]").nth(1).click()
    page.evaluate(f"() => {{ const m = {PLAYER}.media; m.loop = true; void m.play() }}")
    page.wait_for_function(f"() => {PLAYER}.media.videoHeight === 360")
    assert page.evaluate("waited") == 0  # the stream was never taken away


# The player asks every ten seconds and more; a test cannot wait that long.
FAST_TIMERS = """
    const slow = window.setTimeout;
    window.setTimeout = (work, ms, ...rest) => slow(work, ms >= 10000 ? ms / 20 : ms, ...rest);
"""


def test_the_language_of_the_sound_is_chosen_from_a_menu_and_remembered(visit: Visit, clip: Clip) -> None:
    recording = make_recording(clip)
    add_sound(package_of(recording), clip, "ar")
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 0.5)
    choices = settings_page(page, "Sound")
    assert names(choices) == ["English", "العربية"]
    with page.expect_request("**/sound-ar.m3u8"):
        choices.nth(1).click()
        page.evaluate(f"() => void {PLAYER}.media.play()")
    visitor.page.reload()
    play(page, 0.5)
    page.locator(".settings-button").click(force=True)
    assert page.locator(".settings-menu").get_by_text("العربية").is_visible()


@pytest.mark.usefixtures("recording")
def test_with_one_sound_there_is_nothing_to_choose(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    play(page, 0.5)
    pause(page)
    page.locator(".settings-button").click()
    assert names(page.locator(".settings-menu [role=menuitem]"))[0].startswith("Quality")
    assert page.locator(".settings-menu").get_by_text("Sound").count() == 0


@pytest.mark.usefixtures("recording")
def test_the_speed_can_be_changed(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    play(page, 0.2)
    settings_page(page, "Speed").get_by_text("1.5").click()
    page.wait_for_function(f"() => {PLAYER}.media.playbackRate === 1.5")


def test_a_recording_without_pictures_plays_with_its_title_and_subtitles(visit: Visit, clip: Clip) -> None:
    make_recording(clip, has_video=False)
    page = open_player(visit(locale="ar"), "?subtitles=ar")
    page.locator(".start").click()
    reach(page, 0.5)
    assert page.locator(".sound-only").inner_text() == "A clip"
    page.wait_for_selector(".caption[lang=ar]")


# --- Captions and transcript ---------------------------------------------------------------------------------------
@pytest.mark.usefixtures("recording")
def test_arabic_captions_are_drawn_from_right_to_left(visit: Visit) -> None:
    page = open_player(visit(locale="ar"), "?subtitles=ar")
    play(page, 2.2)
    line = page.wait_for_selector(".caption")
    assert line is not None
    assert line.text_content() == ARABIC[1]
    assert line.evaluate("(node) => getComputedStyle(node).direction") == "rtl"
    modes = page.evaluate(f"() => [...{PLAYER}.media.textTracks].map((t) => `${{t.language}}:${{t.mode}}`)")
    assert "ar:hidden" in modes  # the browser draws none itself
    assert not any(mode.endswith("showing") for mode in modes)


@pytest.mark.usefixtures("recording")
def test_captions_stay_in_the_picture_in_full_screen(visit: Visit) -> None:
    page = open_player(visit(locale="ar"), "?subtitles=ar")
    play(page, 0.2)
    page.locator("media-controller").focus()
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement?.localName === 'media-controller'")
    box = page.locator(".caption").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= page.evaluate("innerHeight")


@pytest.mark.usefixtures("recording")
def test_captions_are_chosen_from_a_menu_and_remembered(visit: Visit) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 0.2)
    assert captions(page) == ""
    pause(page)
    page.locator(".captions-button").click()
    choices = page.locator(".captions-menu [role=menuitemradio]")
    assert names(choices) == ["Off", "English", "العربية"]
    choices.nth(2).click()
    page.wait_for_selector(".caption[lang=ar]")
    page = open_player(visitor)
    play(page, 0.2)
    assert page.wait_for_selector(".caption[lang=ar]") is not None


@pytest.mark.usefixtures("recording")
def test_a_click_in_the_transcript_seeks_and_the_current_cue_is_marked(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    page.evaluate(f"() => {{ {PLAYER}.media.muted = true }}")
    page.get_by_role("link", name="Thank you.").click()
    reach(page, 4.0)
    assert page.url.endswith("#t=4")
    wait_for_current_cue(page, "Thank you.")
    wait_for_current_cue(page, "One more.")


@pytest.mark.usefixtures("recording")
def test_the_transcript_is_searched_and_a_moment_s_link_copied(visit: Visit) -> None:
    page = open_player(visit(locale="en", permissions=["clipboard-read", "clipboard-write"]))
    field = page.get_by_label("Search in the transcript")
    field.fill("ACCESS")
    expect(page.locator(".transcript-status")).to_have_text("1 of 1, at 0:02")
    expect(page.locator(".cues a.is-current-hit")).to_contain_text("Access")
    field.fill("nowhere")
    expect(page.locator(".transcript-status")).to_have_text("Nothing found")
    page.get_by_label("Language of the transcript").select_option("ar")
    field.fill("الرِّعاية")
    expect(page.locator(".cues a.is-hit")).to_have_count(1)
    page.locator(".cues a").nth(1).focus()
    page.get_by_role("button", name="Copy link to this moment").click()
    expect(page.locator("[data-transcript-copy]")).to_contain_text("Copied")
    assert str(page.evaluate("() => navigator.clipboard.readText()")).endswith("/webinars/clip/watch/#t=2")


@pytest.mark.usefixtures("recording")
def test_the_transcripts_language_can_be_changed(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    page.get_by_label("Language of the transcript").select_option("ar")
    page.wait_for_selector(".cues[lang=ar]")
    assert page.locator(".cues").get_attribute("dir") == "rtl"
    page.evaluate(f"() => {{ {PLAYER}.media.muted = true }}")
    page.locator(".cues a", has_text="شكرا").click()
    reach(page, 4.0)


# --- Menus and keys ------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("recording")
def test_menus_are_worked_by_keyboard_and_mirrored_in_arabic(visit: Visit) -> None:
    page = open_player(visit(locale="ar"))
    play(page, 0.2)
    pause(page)
    page.locator(".settings-button").focus()
    page.keyboard.press("Enter")
    assert page.locator(".settings-menu").evaluate("(menu) => getComputedStyle(menu).direction") == "rtl"
    page.wait_for_function("() => document.activeElement.getAttribute('role') === 'menuitem'")
    page.keyboard.press("ArrowLeft")  # into the first entry, which is leftwards in Arabic
    page.wait_for_selector(".settings-menu [aria-checked=true]")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".settings-menu [aria-checked=true]", state="detached")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement.classList.contains('settings-button')")
    assert page.locator("media-controller").evaluate("(node) => getComputedStyle(node).direction") == "ltr"


@pytest.mark.usefixtures("recording")
def test_the_keyboard_plays_seeks_and_shows_captions(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    play(page, 0.5)
    page.locator("media-controller").focus()
    page.keyboard.press("c")
    page.wait_for_selector(".caption[lang=en]")
    page.keyboard.press("k")
    page.wait_for_function(f"() => {PLAYER}.media.paused")
    before = current_time(page)
    page.keyboard.press("ArrowRight")
    reach(page, before + 4.9)
    page.keyboard.press("l")
    reach(page, before + 14.9)
    page.keyboard.press("j")
    page.wait_for_function(f"(time) => {PLAYER}.media.currentTime < time", arg=before + 10)
    page.keyboard.press("5")
    reach(page, 14.5)
    page.keyboard.press(">")
    page.wait_for_function(f"() => {PLAYER}.media.playbackRate === 1.25")
    page.keyboard.press("m")
    page.wait_for_function(f"() => !{PLAYER}.media.muted")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("10 seconds back or forward")
    expect(dialog).to_contain_text("sets no cookie")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_chapters_are_marked_listed_and_reached_by_key(visit: Visit, recording: Recording) -> None:
    for start_ms, title in ((0, "Welcome"), (10_000, "Care"), (20_000, "الأسئلة")):
        Chapter.objects.create(recording=recording, start_ms=start_ms, title=title)
    page = open_player(visit(locale="en"))
    play(page, 0.2)
    choices = settings_page(page, "Chapters")
    assert names(choices) == ["Welcome 0:00", "Care 0:10", "الأسئلة 0:20"]
    page.keyboard.press("Escape")
    page.locator("media-controller").focus()
    page.keyboard.press("n")
    reach(page, 9.9)
    page.keyboard.press("n")
    reach(page, 19.9)
    page.keyboard.press("p")
    page.wait_for_function(f"() => Math.abs({PLAYER}.media.currentTime - 10) < 0.5")


# --- Place ---------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("recording")
def test_the_place_is_remembered_and_offered(visit: Visit) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 0.2)
    page.evaluate(f"() => {{ {PLAYER}.media.currentTime = 15 }}")
    reach(page, 15.3)
    pause(page)
    place = int(current_time(page))  # a busy machine is late to pause
    page = open_player(visitor)
    expect(page.locator(".start-label")).to_have_text(f"Continue at 0:{place}")
    reach(page, place)


@pytest.mark.usefixtures("recording")
@pytest.mark.parametrize("query", ["#t=12.5", "?t=12.5", "?t=0m12.5s"])
def test_a_link_to_a_moment_goes_there(visit: Visit, query: str) -> None:
    page = open_player(visit(locale="en"), query)
    reach(page, 12.5)
    assert current_time(page) < 13


@pytest.mark.usefixtures("recording")
def test_a_link_to_this_moment_can_be_copied(visit: Visit) -> None:
    page = open_player(visit(locale="en", permissions=["clipboard-read", "clipboard-write"]), "#t=12")
    reach(page, 12)
    page.locator(".start").click()
    pause(page)
    page.locator(".settings-button").click()
    page.get_by_role("menuitem", name="Copy link to this moment").click()
    expect(page.locator(".player-notice")).to_have_text("The link was copied.")
    assert page.evaluate("navigator.clipboard.readText()").endswith("/webinars/clip/watch/#t=12")


@pytest.mark.usefixtures("recording")
def test_moving_over_the_time_line_shows_a_picture(visit: Visit) -> None:
    page = open_player(visit(locale="en"))
    play(page, 0.5)
    box = page.locator("media-time-range").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "() => document.querySelector('media-time-range').getAttribute('mediapreviewimage')?.includes('/files/')",
    )


# --- Access --------------------------------------------------------------------------------------------------------
def test_a_recording_for_registrants_plays_through_the_personal_link_only(visit: Visit, clip: Clip) -> None:
    recording = make_recording(clip, visibility=Visibility.REGISTERED)
    registration = RegistrationFactory.create(webinar=recording.webinar)
    stranger = visit(locale="en")
    answer = stranger.page.goto("/webinars/clip/watch/")
    assert answer is not None
    assert answer.status == 403
    stranger.complaints.clear()  # the browser notes every 403
    page = open_player(visit(locale="en"), f"?registration={token_for(registration)}")
    play(page, 1.0)
    assert token_for(registration) not in page.url


def test_a_recording_that_is_withdrawn_while_somebody_watches_says_so(visit: Visit, recording: Recording) -> None:
    visitor = visit(locale="ar")
    page = open_player(visitor)
    play(page, 0.5)
    pause(page)
    services.withdraw_recording(recording=recording)
    choose_other_quality(page)
    error = page.get_by_role("alert")
    error.wait_for()
    assert error.get_attribute("dir") == "rtl"
    assert page.locator(".player-error button").count() == 0  # loading again would not help
    visitor.complaints.clear()  # the browser notes every 404


def test_a_grant_that_ended_while_paused_is_renewed_silently(
    visit: Visit, recording: Recording, settings: Settings
) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 3.0)
    pause(page)
    before = current_time(page)
    first = page.locator("rostrum-player").get_attribute("base")
    settings.PLAYBACK_GRANT_LIFE_S += 1_000_000  # every grant is a new one from now on
    refuse_grant(page, str(first))
    choose_other_quality(page)
    page.evaluate(f"() => void {PLAYER}.media.play()")
    page.wait_for_function(f"() => {PLAYER}.media.videoHeight === 180")
    reach(page, before + 0.5)
    assert page.get_by_role("alert").count() == 0
    assert Recording.objects.get(pk=recording.pk).state == RecordingState.PUBLISHED
    visitor.complaints.clear()


def choose_other_quality(page: Page) -> None:
    """Throws away what was loaded, so that the player must fetch."""
    page.evaluate(f"() => {PLAYER}.chooseQuality(180)")


def refuse_grant(page: Page, base: str) -> None:
    """Answer 404 to everything under a grant, as the server does once it has ended."""
    page.route(f"**{base}**", lambda route: route.fulfill(status=404, body=""))


def test_a_lost_connection_is_said_and_playing_goes_on_by_itself(visit: Visit, recording: Recording) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 0.5)
    pause(page)
    broken = [True]

    def answer(route: Route) -> None:
        route.abort("internetdisconnected") if broken[0] else route.continue_()

    page.route("**/playback/**", answer)
    choose_other_quality(page)
    expect(page.locator(".player-notice")).to_contain_text("The connection was lost", timeout=60_000)
    broken[0] = False
    page.evaluate("() => dispatchEvent(new Event('online'))")
    page.evaluate(f"() => void {PLAYER}.media.play()")
    page.wait_for_function(f"() => {PLAYER}.media.videoHeight === 180", timeout=60_000)
    expect(page.locator(".player-notice")).to_have_text("")
    visitor.complaints.clear()


def spoil(page: Page, *, times: int) -> list[str]:
    """Replace the pictures in that many answers by what no browser can decode; returns the addresses."""
    spoilt: list[str] = []

    def answer(route: Route) -> None:
        if len(spoilt) >= times:
            return route.continue_()
        answered = route.fetch()
        head, mdat, pictures = answered.body().partition(b"mdat")
        if mdat:  # ISO/IEC 14496-12, 8.1.1
            spoilt.append(route.request.url)
        return route.fulfill(response=answered, body=head + mdat + b"\xff" * len(pictures))

    page.route(re.compile(r"/[0-9]+p[^/]*\.mp4"), answer)
    return spoilt


def test_after_pictures_that_came_broken_it_plays_on_at_the_same_place(visit: Visit, recording: Recording) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 3.0)
    page.evaluate(f"""() => {{
        const m = {PLAYER}.media;
        self.lowest = m.currentTime;
        m.addEventListener("timeupdate", () => {{
            if (m.readyState > 2) self.lowest = Math.min(self.lowest, m.currentTime);
        }});
    }}""")
    spoilt = spoil(page, times=1)
    choose_other_quality(page)
    for _ in range(90):
        page.wait_for_timeout(1000)
        if spoilt:
            break
    assert len(spoilt) == 1
    reach(page, current_time(page) + 4)
    assert page.evaluate("() => self.lowest") > 2
    expect(page.locator(".player-notice")).to_have_text("")
    visitor.complaints.clear()


def test_a_range_that_came_short_is_fetched_again_and_the_quality_stays(visit: Visit, recording: Recording) -> None:
    """Chromium's cache in memory gave the first 4 KiB of a range, told as the whole, when a page was loaded again."""
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 0.5)
    settings_page(page, "Quality").nth(2).click()
    cut: list[str] = []
    fetched: list[str] = []

    def answer(route: Route) -> None:
        wanted = route.request.headers["range"]
        fetched.append(wanted)
        if cut or wanted.startswith("bytes=0-"):
            return route.continue_()
        cut.append(wanted)
        answered = route.fetch()
        headers = {name: value for name, value in answered.headers.items() if name != "content-length"}
        return route.fulfill(status=206, headers=headers, body=answered.body()[:3367])

    page.route(re.compile(r"/audio[^/]*\.mp4"), answer)
    page = open_player(visitor)
    page.evaluate(f"() => {{ self.resets = 0; {PLAYER}.media.addEventListener('emptied', () => self.resets++) }}")
    play(page, 3.0)
    assert fetched.count(cut[0]) == 2
    assert page.evaluate("() => self.resets") == 0
    assert page.evaluate(f"() => {PLAYER}.media.videoHeight") == 180


def test_pictures_that_cannot_be_decoded_are_given_up_with_a_word(visit: Visit, recording: Recording) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor)
    play(page, 0.5)
    spoil(page, times=1000)
    choose_other_quality(page)
    expect(page.get_by_role("alert")).to_contain_text("cannot be played", timeout=90_000)
    visitor.complaints.clear()


def test_playing_that_was_asked_for_before_the_player_was_ready_begins(visit: Visit, recording: Recording) -> None:
    """A browser that is still looking for something to play when the engine arrives pauses the video for it."""
    visitor = visit(locale="en")
    held: list[Route] = []
    for pattern in ("**/rostrum/hls*.js", "**/never-arrives.mp4"):
        visitor.page.route(pattern, lambda route: held.append(route))
    page = open_player(visitor)
    page.evaluate(f"""() => {{
        const m = {PLAYER}.media;
        m.muted = true;
        m.src = "/never-arrives.mp4";
        m.play().catch(() => {{}});
    }}""")
    page.wait_for_timeout(500)
    next(route for route in held if "hls" in route.request.url).continue_()
    reach(page, 0.2)


def test_a_stream_that_cannot_be_fetched_is_explained(visit: Visit, recording: Recording) -> None:
    visitor = visit(locale="en")
    visitor.page.route("**/rostrum/hls*.js", lambda route: route.fulfill(status=404, body=""))
    page = visitor.open("/webinars/clip/watch/")
    error = page.get_by_role("alert")
    error.wait_for()
    assert "cannot be played" in error.inner_text()
    visitor.complaints.clear()  # the browser notes every 404


# --- What is counted -----------------------------------------------------------------------------------------------
def test_what_is_played_is_told_without_cookies(visit: Visit, recording: Recording) -> None:
    visitor = visit(locale="en")
    page = open_player(visitor, "?subtitles=ar")
    play(page, 2.5)
    pause(page)
    for _try in range(300):  # the word of the pause is on its way
        if Viewing.objects.filter(watched_ms__gt=1500).exists():
            break
        page.wait_for_timeout(100)
    viewing = Viewing.objects.get()
    assert (viewing.recording, viewing.registration) == (recording, None)
    assert viewing.watched_ms > 1500
    assert (viewing.seen[0], viewing.caption_language, viewing.audio_language) == ("1", "ar", "en")
    assert viewing.startup_ms is not None
    # Only the one that protects forms, such as that for the language of the pages.
    assert {cookie["name"] for cookie in visitor.context.cookies()} <= {"csrftoken"}


# --- Everywhere ----------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("recording")
def test_the_player_fits_a_phone(visit: Visit) -> None:
    page = open_player(visit(locale="ar", viewport=PHONE))
    play(page, 0.2)
    pause(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    bar = page.locator("media-control-bar").bounding_box()
    frame = page.locator("media-controller").bounding_box()
    last = page.locator("media-fullscreen-button").bounding_box()
    assert bar is not None
    assert frame is not None
    assert last is not None
    assert last["x"] + last["width"] <= frame["x"] + frame["width"] + 1
    assert abs((bar["y"] + bar["height"]) - (frame["y"] + frame["height"])) < 2
    page.locator(".settings-button").click()
    menu = page.locator(".settings-menu").bounding_box()
    assert menu is not None
    assert frame["y"] <= menu["y"]
    assert menu["y"] + menu["height"] <= frame["y"] + frame["height"]


@pytest.mark.usefixtures("recording")
def test_the_watch_page_has_no_serious_barriers(visit: Visit) -> None:
    visitor = visit(locale="ar")
    page = open_player(visitor, "?subtitles=ar")
    play(page, 0.5)
    pause(page)
    page.locator(".settings-button").click()
    assert barriers(visitor) == []


@pytest.mark.usefixtures("recording")
def test_without_scripts_a_plain_video_remains(visit: Visit) -> None:
    page = visit(java_script_enabled=False).open("/webinars/clip/watch/")
    video = page.locator("rostrum-player > video")
    expect(video).to_be_visible()
    assert (video.get_attribute("src") or "").endswith("/files/download.mp4")
    assert video.locator("track").count() == 2


@pytest.mark.usefixtures("recording")
def test_without_media_source_extensions_one_file_plays(visit: Visit) -> None:
    visitor = visit(locale="en")
    visitor.page.add_init_script("delete window.MediaSource; delete window.ManagedMediaSource")
    visitor.page.add_init_script("HTMLMediaElement.prototype.canPlayType = () => ''")
    page = open_player(visitor)
    page.locator(".start").click()
    reach(page, 0.5)
    assert page.evaluate(f"() => {PLAYER}.media.src").endswith("/files/download.mp4")
