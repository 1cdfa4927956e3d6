"""The studio's pages about who watches a recording and where it may be shown."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from events.models import Visibility
from library.models import EmbedLink, Recording, Viewing
from studio.views.viewers import curve_line
from tests.factories.accounts import MembershipFactory
from tests.factories.library import watchable_recording

pytestmark = pytest.mark.django_db


def organiser_of(recording: Recording, role: str = Role.ORGANISER) -> Client:
    member = MembershipFactory.create(organisation=recording.webinar.organisation, role=role)
    client = Client()
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def watched(recording: Recording, times: int) -> None:
    for _ in range(times):
        Viewing.objects.create(
            recording=recording,
            seen="111100",
            watched_ms=1_800_000,
            startup_ms=850,
            caption_language="ar",
            last_beat_at=timezone.now(),
        )


def page(client: Client, recording: Recording, name: str) -> str:
    answer = client.get(f"/studio/recordings/{recording.pk}/{name}")
    assert answer.status_code == 200
    return answer.content.decode() if not answer.streaming else b"".join(answer).decode("utf-8-sig")


def test_the_figures_the_curve_and_the_days_are_shown() -> None:
    recording = watchable_recording()
    watched(recording, 6)
    html = page(organiser_of(recording), recording, "viewers/")
    assert re.findall(r"<dd>([^<]*)</dd></div>", html) == ["6", "3.0", "0 %", "0.9 s", "0"]
    assert re.search(r'<polyline class="curve-line" points="0.0,0.0 100.0,0.0 ', html)
    assert re.search(r"العربية</bdi> 6", html)
    assert " style=" not in html


def test_nothing_that_could_name_somebody_is_shown_of_few_viewings() -> None:
    recording = watchable_recording()
    watched(recording, 4)
    html = page(organiser_of(recording), recording, "viewers/")
    assert re.findall(r"<dd>([^<]*)</dd></div>", html) == ["4", "2.0", "–", "–", "–"]
    assert "polyline" not in html
    assert "العربية</bdi> 4" not in html


def test_a_recording_that_nobody_watched_says_so() -> None:
    recording = watchable_recording()
    assert "Nobody has watched" in page(organiser_of(recording), recording, "viewers/")


def test_the_days_can_be_downloaded_as_a_table() -> None:
    recording = watchable_recording()
    watched(recording, 2)
    lines = page(organiser_of(recording), recording, "viewers.csv").split("\r\n")
    assert lines[0] == '"Day (UTC)","Started","Hours watched","Watched to the end"'
    assert re.fullmatch(r'"\d{4}-\d\d-\d\d","2","1.00","0"', lines[1])


def test_the_api_tells_the_same() -> None:
    recording = watchable_recording()
    watched(recording, 5)
    found = organiser_of(recording).get(f"/api/v1/recordings/{recording.pk}/viewers/").json()
    assert (found["openings"], found["watched_ms"], found["completed"]) == (5, 9_000_000, 0)
    assert found["curve"] == [1.0] * 4 + [0.0] * 2
    assert found["captions"] == [{"language": "ar", "count": 5}]


def test_the_curve_is_drawn_in_steps() -> None:
    assert curve_line([1.0, 0.5]) == "0.0,0.0 300.0,0.0 300.0,80.0 600.0,80.0"
    assert curve_line([]) == ""


# --- Sharing -------------------------------------------------------------------------------------------------------
def test_a_public_recording_offers_its_code() -> None:
    recording = watchable_recording()
    html = page(organiser_of(recording), recording, "share/")
    assert f"&lt;iframe src=&quot;http://testserver/embed/{recording.webinar.slug}/&quot;" in html
    assert "New link for certain sites" not in html


def test_a_link_for_certain_sites_is_made_shown_and_revoked() -> None:
    recording = watchable_recording(visibility=Visibility.ORGANISATION)
    client = organiser_of(recording)
    address = f"/studio/recordings/{recording.pk}/share/"
    ends_on = (timezone.now() + timedelta(days=30)).date()
    client.post(address, {"name": "Intranet", "sites": "https://a.example\nhttps://b.example/x", "ends_on": ends_on})
    link = EmbedLink.objects.get()
    assert link.sites == ["https://a.example", "https://b.example"]
    assert "?grant=" in client.get(address).content.decode()
    client.post(f"{address}{link.pk}/revoke/")
    html = client.get(address).content.decode()
    assert "?grant=" not in html
    assert "revoked" in html


def test_reviewers_see_links_but_not_their_secrets() -> None:
    recording = watchable_recording(visibility=Visibility.ORGANISATION)
    client = organiser_of(recording)
    ends_on = (timezone.now() + timedelta(days=30)).date()
    client.post(
        f"/studio/recordings/{recording.pk}/share/",
        {"name": "Intranet", "sites": "https://a.example", "ends_on": ends_on},
    )
    html = page(organiser_of(recording, Role.REVIEWER), recording, "share/")
    assert "Intranet" in html
    assert "?grant=" not in html


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sites": "intranet"}, "not the address of a site"),
        ({"ends_on": "2001-01-01"}, "in the future"),
        ({"ends_on": ""}, "required"),
    ],
)
def test_a_wrong_link_is_explained_at_its_field(fields: dict[str, str], message: str) -> None:
    recording = watchable_recording(visibility=Visibility.ORGANISATION)
    ends_on = (timezone.now() + timedelta(days=30)).date().isoformat()
    data = {"name": "Intranet", "sites": "https://a.example", "ends_on": ends_on, **fields}
    answer = organiser_of(recording).post(f"/studio/recordings/{recording.pk}/share/", data)
    assert answer.status_code == 400
    assert message in answer.content.decode()
    assert not EmbedLink.objects.exists()
