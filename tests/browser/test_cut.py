"""A recording that is cut, in a real browser: on the page that cuts it, and as viewers see it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

import work.services
from accounts.models import Role, User
from library.models import Recording
from studio import cutting
from studio.models import Cut
from tests.factories.accounts import MembershipFactory, OrganisationFactory
from tests.factories.events import WebinarFactory
from tests.factories.library import RecordingFactory, give_track
from tests.factories.media import make_asset
from tests.media.counted import DARKEST, DISTINCT, STEP, make_counted_clip
from tests.media.production import produce
from tests.support.browser import PHONE, Visitor, barriers
from transcripts.models import TrackKind

pytestmark = pytest.mark.django_db(transaction=True)

Visit = Callable[..., Visitor]
# The mean brightness of the picture on screen, 0 to 255.
BRIGHTNESS = """async (at) => {
  const video = document.querySelector("rostrum-player").media;
  const shown = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  video.currentTime = at;
  await shown;
  const canvas = new OffscreenCanvas(16, 16);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 16, 16);
  const pixels = context.getImageData(0, 0, 16, 16).data;
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 4) sum += pixels[i];
  return sum / (pixels.length / 4);
}"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_counted_clip(tmp_path_factory.mktemp("counted") / "clip.mp4", seconds=12, size="320x180")


@pytest.fixture
def organiser() -> User:
    organisation = OrganisationFactory.create(name="Health Programme")
    user: User = MembershipFactory.create(organisation=organisation, role=Role.ORGANISER).user
    return user


@pytest.fixture
def recording(clip: Path, organiser: User, tmp_path: Path) -> Recording:
    organisation = organiser.memberships.get().organisation
    asset = make_asset(clip, organisation=organisation)
    produce(asset, tmp_path)
    webinar = WebinarFactory.create(organisation=organisation, slug="talk", title="A talk")
    made: Recording = RecordingFactory.create(webinar=webinar, asset=asset, state="published")
    give_track(
        made.asset, "en", ["First.", "Second.", "Third.", "Fourth.", "Fifth.", "Sixth."], kind=TrackKind.CAPTIONS
    )
    return made


def sign_in(visitor: Visitor, user: User, url: str) -> None:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    visitor.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])


def make(cut: Cut) -> None:
    work.services.execute("studio.cut", cut.pk)
    cut.refresh_from_db()
    assert (cut.state, cut.error) == ("done", "")


def picture_at(page: Page, seconds: float) -> int:
    """Which of the counted pictures is shown at a moment."""
    brightness = float(page.evaluate(BRIGHTNESS, seconds))
    return round((brightness * 219 / 255 + 16 - DARKEST) / STEP)


def test_viewers_see_the_right_pictures_and_words_around_the_joins(visit: Visit, recording: Recording) -> None:
    # 1.4 s lie before the next key frame (at 3 s), and 0.6 s after the last (at 9 s).
    make(cutting.request_cut(recording=recording, start_ms=1_600, end_ms=9_600, user=None))
    page = visit().open("/webinars/talk/watch/")
    page.wait_for_selector("rostrum-player media-controller")
    page.evaluate("() => { const m = document.querySelector('rostrum-player').media; m.muted = true; return m.play() }")
    page.wait_for_function("() => document.querySelector('rostrum-player').media.currentTime > 0.3")
    page.evaluate("() => document.querySelector('rostrum-player').media.pause()")
    moments = [0.5, 1.3, 1.5, 3.1, 5.9, 7.3, 7.5, 7.9]
    shown = {at: picture_at(page, at + 0.02) for at in moments}
    wanted = {at: round((at + 1.6) * 25) % DISTINCT for at in moments}
    late = {at: (shown[at] - wanted[at] + DISTINCT // 2) % DISTINCT - DISTINCT // 2 for at in moments}
    assert all(abs(frames) <= 1 for frames in late.values()), late
    duration = page.evaluate("() => document.querySelector('rostrum-player').media.duration")
    assert duration == pytest.approx(8.0, abs=0.06)
    cues = page.locator(".cues a").all_text_contents()
    assert [text.split()[-1] for text in cues] == ["First.", "Second.", "Third.", "Fourth.", "Fifth."]
    page.locator(".cues a", has_text="Third.").click()
    page.wait_for_function("() => document.querySelector('rostrum-player').media.currentTime >= 2.4")
    # "Third." is said from 4.0 s of the source on.
    assert page.locator(".cues a", has_text="Third.").get_attribute("data-start") == "2400"


@pytest.mark.parametrize(("locale", "viewport"), [("en", None), ("ar", PHONE)])
def test_an_organiser_cuts_with_the_player_s_moments(
    visit: Visit, live_server: Any, organiser: User, recording: Recording, locale: str, viewport: Any
) -> None:
    visitor = visit(locale=locale, **({"viewport": viewport} if viewport else {}))
    sign_in(visitor, organiser, live_server.url)
    page = visitor.open(f"/studio/recordings/{recording.pk}/cut/")
    page.wait_for_selector("rostrum-player media-controller")
    page.locator("#id_start").fill("0:02")
    page.locator("[data-show-moment=id_start]").click()
    page.wait_for_function(
        "() => { const m = document.querySelector('rostrum-player').media; return m.paused && m.currentTime >= 2 }",
    )
    page.evaluate("() => { document.querySelector('rostrum-player').media.currentTime = 2 }")
    page.locator("[data-take-moment=id_start]").click()
    expect(page.locator("#id_start")).to_have_value("0:02.00")
    page.locator("#id_end").fill("0:10")
    expect(page.locator("[data-cut-remains]")).to_contain_text("0:08")
    assert barriers(visitor) == []
    page.locator("form[data-cut] button[type=submit]").first.click()
    page.wait_for_selector("#cut-state progress, #cut-state .step")
    make(Cut.objects.get())
    page.wait_for_selector("#cut-state .alert-success")
    assert (Cut.objects.get().start_ms, Cut.objects.get().end_ms) == (2_000, 10_000)
