"""The main job, from schedule to subtitled download, through the doors that users use.

All tests look at one installation in which `manage.py demo` has played the story with a real web server, real workers,
the real Whisper and the real translator.
"""

import json
import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.support.browser import LONGEST_WAIT_MS, chromium
from tests.support.installation import Installation
from tests.support.mails import read_mails
from tests.support.truth import median_start_error_s, spoken, truth, word_error_rate

pytestmark = pytest.mark.timeout(900)

LANGUAGES = ["en", "fr", "es", "uk", "ar"]


def slug(demo: Installation) -> str:
    return str(demo.state["webinar"])


def vtt_cues(text: str) -> list[tuple[float, float, str]]:
    """Start and end in seconds and the text of each cue, read without our own parser."""
    found = []
    pattern = r"(\d+):(\d\d):(\d\d\.\d{3}) --> (\d+):(\d\d):(\d\d\.\d{3})[^\n]*\n(.+?)(?:\n\n|\Z)"
    for h1, m1, s1, h2, m2, s2, words in re.findall(pattern, text, re.DOTALL):
        plain = re.sub(r"<[^>]+>", "", words).replace("\n", " ")
        found.append((int(h1) * 3600 + int(m1) * 60 + float(s1), int(h2) * 3600 + int(m2) * 60 + float(s2), plain))
    return found


def track(demo: Installation, language: str, kind: str = "vtt") -> str:
    answer = demo.get(f"/webinars/{slug(demo)}/downloads/subtitles/{language}.{kind}")
    answer.encoding = "utf-8"
    return answer.text


def mails(demo: Installation, address: str) -> list[dict[str, Any]]:
    """The mails to an address, oldest first, as parsers that share nothing with ours read them."""
    return [mail for mail in read_mails(demo.folder / "mail") if any(address in to for to in mail["to"])]


def recording(demo: Installation) -> dict[str, Any]:
    found: dict[str, Any] = demo.api(f"recordings/?webinar={slug(demo)}")["results"][0]
    return found


def test_every_step_of_the_production_is_done(demo: Installation) -> None:
    production = demo.api(f"productions/{demo.state['production']}/")
    assert {step["name"]: step["state"] for step in production["progress"]["steps"]} == {
        "inspect": "done",
        "first_look": "done",
        "audio": "done",
        "encode": "done",
        "pictures": "done",
        "transcribe": "done",
        "captions": "done",
        "translate:fr": "done",
        "translate:es": "done",
        "translate:uk": "done",
        "translate:ar": "done",
        "slides": "done",
        "package": "done",
        "subtitled_mp4": "done",
        "ready": "done",
        "publish": "done",
        "light": "done",
        "follow_up": "done",
    }


def test_the_captions_say_what_was_said(demo: Installation) -> None:
    heard = " ".join(text for _start, _end, text in vtt_cues(track(demo, "en")))
    assert word_error_rate(spoken("en"), heard) <= 0.10


def test_the_cues_begin_when_the_sentences_begin(demo: Installation) -> None:
    cues = [(start, text) for start, _end, text in vtt_cues(track(demo, "en"))]
    assert median_start_error_s(cues, truth()) <= 0.5


@pytest.mark.parametrize("language", ["fr", "es", "uk", "ar"])
def test_each_translation_is_in_its_language(demo: Installation, language: str) -> None:
    shown = " ".join(text for _start, _end, text in vtt_cues(track(demo, language)))
    assert word_error_rate(spoken(language), shown) <= 0.15


@pytest.mark.parametrize("language", LANGUAGES)
def test_srt_and_plain_text_hold_the_same_words(demo: Installation, language: str) -> None:
    shown = " ".join(text for _start, _end, text in vtt_cues(track(demo, language)))
    srt = re.sub(r"^(\d+|.* --> .*)$", "", track(demo, language, "srt"), flags=re.MULTILINE)
    assert word_error_rate(shown, srt) == 0
    assert word_error_rate(shown, track(demo, language, "txt")) == 0


def ffprobe(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_each_mp4_download_is_the_whole_recording(demo: Installation, downloads: Path) -> None:
    files = [d for d in recording(demo)["downloads"] if d["kind"] == "mp4"]
    assert len(files) >= 2
    for file in files:
        path = downloads / f"{file['name']}.mp4"
        path.write_bytes(demo.get(file["url"]).content)
        probe = ffprobe(path)
        assert [stream["codec_name"] for stream in probe["streams"]] == ["h264", "aac"]
        assert probe["streams"][0]["pix_fmt"] == "yuv420p"
        assert abs(float(probe["format"]["duration"]) - 77.2) < 0.5


def test_the_subtitled_mp4_holds_all_five_tracks(demo: Installation, downloads: Path) -> None:
    file = next(d for d in recording(demo)["downloads"] if d["kind"] == "mp4_subtitled")
    path = downloads / "subtitled.mp4"
    path.write_bytes(demo.get(file["url"]).content)
    streams = ffprobe(path)["streams"]
    subtitles = [s["tags"]["language"] for s in streams if s["codec_type"] == "subtitle"]
    assert sorted(subtitles) == ["ara", "eng", "fra", "spa", "ukr"]


def test_every_segment_of_every_rung_decodes(demo: Installation, downloads: Path) -> None:
    page = demo.get(f"/webinars/{slug(demo)}/watch/").text
    found = re.search(r'<rostrum-player\s+base="([^"]+)"', page)
    assert found
    for rendition in recording(demo)["renditions"]:
        url = f"{found[1]}{rendition['name']}.m3u8"
        playlist = demo.get(url).text
        ranges = re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\S+)", playlist)
        init = re.search(r'#EXT-X-MAP:URI="([^"]+)",BYTERANGE="(\d+)@(\d+)"', playlist)
        assert init
        assert ranges
        data = byte_range(demo, urljoin(url, init[1]), int(init[3]), int(init[2]))
        for size, offset, segment_url in ranges:
            data += byte_range(demo, urljoin(url, segment_url), int(offset), int(size))
        path = downloads / "stream.mp4"
        path.write_bytes(data)
        command = ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def byte_range(demo: Installation, url: str, offset: int, size: int) -> bytes:
    answer = demo.get(url, headers={"Range": f"bytes={offset}-{offset + size - 1}"})
    assert answer.status_code == 206
    assert len(answer.content) == size
    return answer.content


def test_the_recording_plays_with_arabic_captions_from_right_to_left(demo: Installation) -> None:
    with chromium() as browser:
        page = browser.new_page(locale="ar", viewport={"width": 1280, "height": 900})
        page.goto(f"{demo.base_url}/webinars/{slug(demo)}/watch/?subtitles=ar")
        page.wait_for_selector("rostrum-player video", state="attached")
        page.evaluate("() => { const v = document.querySelector('rostrum-player').media; v.muted = true; v.play() }")
        page.wait_for_function(
            "() => document.querySelector('rostrum-player').media.currentTime > 4", timeout=LONGEST_WAIT_MS
        )
        caption = page.wait_for_selector(
            "rostrum-player .captions :is(p, span, div):not(:empty)", timeout=LONGEST_WAIT_MS
        )
        assert caption is not None
        text = caption.inner_text()
        assert re.search(r"[\u0600-\u06ff]", text), text
        direction = caption.evaluate("(node) => getComputedStyle(node).direction")
        assert direction == "rtl"


@pytest.mark.parametrize("address", ["eleanor@", "chloe@", "layla@"])
def test_the_confirmation_carries_a_calendar_invitation(demo: Installation, address: str) -> None:
    mail = mails(demo, address)[0]
    webinar = demo.api(f"webinars/{demo.state['webinar_id']}/")
    assert mail["calendars"]
    for calendar in mail["calendars"]:  # the part that mail programs act on, and the attached file
        assert calendar["method"] == "REQUEST"
        assert calendar["timezones"]
        (event,) = calendar["events"]
        assert event["summary"] == "Health of migrants: mental health and access to care"
        assert [attendee.startswith(f"mailto:{address}") for attendee in event["attendees"]] == [True]
        assert event["organizer"].startswith("mailto:")
        assert event["uid"]
        assert event["sequence"] >= 0
        assert moment(event["start"]) == moment(webinar["starts_at"])
        assert moment(event["end"]) == moment(webinar["ends_at"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_invitation_says_its_method_in_its_type_too(demo: Installation) -> None:
    attachments = mails(demo, "chloe@")[0]["attachments"]
    assert [part["method"] for part in attachments if part["type"] == "text/calendar"] == ["REQUEST"]


def test_each_registrant_got_two_mails_in_their_language(demo: Installation) -> None:
    wanted = {"eleanor@": "en", "chloe@": "fr", "layla@": "ar"}
    for address, language in wanted.items():
        found = mails(demo, address)
        assert [f'lang="{language}"' in mail["html"] for mail in found] == [True, True]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [("eleanor@", "You have a place"), ("chloe@", "webinaire"), ("layla@", "ندوة")],
)
def test_the_confirmation_is_written_in_the_language_of_its_reader(
    demo: Installation, address: str, sentence: str
) -> None:
    assert sentence in mails(demo, address)[0]["text"]


def test_the_arabic_mail_is_in_arabic(demo: Installation) -> None:
    own_words = re.sub(r"https?://\S+", "", mails(demo, "layla@")[1]["text"])
    letters = [c for c in own_words if c.isalpha()]
    arabic = [c for c in letters if "\u0600" <= c <= "\u06ff"]
    assert len(arabic) > 100
    assert len(arabic) > len(letters) / 2


def test_the_follow_up_leads_to_recording_subtitles_and_slides(demo: Installation) -> None:
    links = re.findall(r"https?://\S+", mails(demo, "chloe@")[1]["text"])
    paths = [link.removeprefix(demo.base_url) for link in links if link.startswith(demo.base_url)]
    assert any(path.startswith(f"/webinars/{slug(demo)}/watch/") for path in paths)
    assert any("/subtitles/fr." in path for path in paths)
    assert any("/downloads/slides/" in path for path in paths)
    for path in paths:
        demo.get(path)


def test_the_slides_have_become_pictures(demo: Installation) -> None:
    material = demo.api(f"materials/?webinar={demo.state['webinar_id']}")["results"][0]
    assert material["state"] == "done"
    assert material["page_count"] >= 6
    page = demo.get(f"/webinars/{slug(demo)}/").text
    assert "<img" in page


def test_a_second_demo_is_quick_and_changes_nothing(demo: Installation) -> None:
    before = sorted(path.name for path in (demo.folder / "mail").glob("*.eml"))
    productions = demo.api("productions/")["results"]
    # The first one still serves; the second finds the finished story and only checks it.
    again = Installation(demo.folder)
    again.start_demo()
    try:
        again.wait_for_demo(seconds=90)
    finally:
        again.stop()
    assert sorted(path.name for path in (demo.folder / "mail").glob("*.eml")) == before
    assert [p["id"] for p in demo.api("productions/")["results"]] == [p["id"] for p in productions]


def test_a_demo_that_is_told_to_end_takes_all_its_processes_along(demo: Installation) -> None:
    again = Installation(demo.folder)
    again.start_demo()
    try:
        again.wait("its processes", lambda: len(again.children()) >= 6)
        children = again.children()
        assert again.process is not None
        again.process.terminate()
        again.process.wait(40)
        assert [command for pid, command in children.items() if Path(f"/proc/{pid}").exists()] == []
    finally:
        again.stop()


def test_ingest_makes_a_subtitled_page_from_a_shell(demo: Installation) -> None:
    done = demo.manage(
        "ingest", "demo/recording.mp4", "--title", "From a shell", "--spoken", "en", "--subtitles", "fr", "--publish",
        "--json",
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert result["state"] == "published"
    assert {track["language"]: track["cues"] > 5 for track in result["tracks"]} == {"en": True, "fr": True}
    assert all(r["size"] > 0 and r["bitrate_kbps"] > 0 for r in result["renditions"])
    demo.get(result["addresses"]["watch"])


def test_ingest_of_a_file_that_is_no_video_says_so(demo: Installation, tmp_path: Path) -> None:
    fake = tmp_path / "talk.mp4"
    fake.write_text("This is not a video.\n" * 100)
    done = demo.manage("ingest", str(fake), "--title", "Not a video", "--publish", check=False)
    assert done.returncode == 1
    assert "video" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_finds_everything_in_order_and_names_the_demo_models(demo: Installation) -> None:
    done = demo.manage("doctor", "--json", check=False)
    checks = json.loads(done.stdout)
    assert [check for check in checks if check["ok"] is False] == []
    assert any("demo" in check["detail"].lower() for check in checks if check["ok"] is None)
