"""Who gets which answer from which page (promises A1, A2). The effects of each page are tested in their own files."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.services import create_api_token
from events.models import Webinar
from library.models import Recording
from studio.models import Production
from tests.factories.events import MaterialFactory, SpeakerFactory
from tests.studio.conftest import Person
from transcripts.models import TextTrack
from work.models import Record

# Pages for everybody of the organisation, pages for organisers, and addresses that only take POST.
READ = [
    "webinar",
    "speakers",
    "materials",
    "registrants",
    "recordings",
    "recording",
    "production",
    "production_steps",
    "track_download",
]
CHANGE = [
    "webinar_edit",
    "webinar_cancel",
    "speaker_create",
    "speaker_edit",
    "speaker_remove",
    "material_remove",
    "recording_upload",
    "production_start",
    "production_cancel",
    "track_delete",
]
POST_ONLY = [
    "webinar_publish",
    "speaker_invite",
    "registrants_csv",
    "recording_publish",
    "recording_withdraw",
    "recording_visibility",
    "track_upload",
    "track_publish",
    "track_unpublish",
    "production_publish",
    "step_retry",
    "step_skip",
]

Address = Callable[[str], str]


@pytest.fixture
def address(webinar: Webinar, recording: Recording, production: Production) -> Address:
    track = TextTrack.objects.create(asset=recording.asset, language="en", kind="captions")
    of: dict[str, Record] = {
        "speaker": SpeakerFactory(webinar=webinar),
        "material": MaterialFactory(webinar=webinar),
        "recording": recording,
        "production": production,
        "track": track,
        "step": production.steps.get(name="inspect"),
    }
    exceptions: dict[str, Record] = {
        "track_upload": recording,
        "production_start": recording,
        "speaker_create": webinar,
    }

    def address(name: str) -> str:
        row = exceptions.get(name) or of.get(name.partition("_")[0], webinar)
        if name == "recording_upload":
            row = webinar
        extra = ["vtt"] if name == "track_download" else []
        return reverse(f"studio:{name}", args=[row.pk, *extra])

    return address


@pytest.mark.parametrize("name", [*READ, *CHANGE, *POST_ONLY])
def test_anonymous_people_are_asked_to_sign_in(name: str, address: Address) -> None:
    answer = Client().post(address(name))

    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, reverse("account_login"))


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("who", ["reviewer", "organiser"])
def test_members_may_look(name: str, who: str, address: Address, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(who)

    # Two of them are fragments, which pages ask for by script.
    assert person.client.get(address(name), headers={"HX-Request": "true"}).status_code == 200


@pytest.mark.parametrize("name", ["materials", "production_steps"])
def test_a_fragment_opened_by_hand_leads_to_its_page(name: str, address: Address, organiser: Person) -> None:
    assert organiser.client.get(address(name)).status_code == 302


@pytest.mark.parametrize("name", CHANGE)
def test_organisers_get_the_pages_that_change_things(name: str, address: Address, organiser: Person) -> None:
    assert organiser.client.get(address(name)).status_code == 200


@pytest.mark.parametrize("name", CHANGE)
def test_reviewers_do_not_get_the_pages_that_change_things(name: str, address: Address, reviewer: Person) -> None:
    assert reviewer.client.get(address(name)).status_code == 403


@pytest.mark.parametrize("name", sorted({*CHANGE, *POST_ONLY} - {"recording_upload"}))
def test_reviewers_change_nothing(name: str, address: Address, reviewer: Person) -> None:
    assert reviewer.client.post(address(name)).status_code == 403


@pytest.mark.parametrize("name", ["materials", "recordings"])
def test_reviewers_may_look_at_lists_but_add_nothing(name: str, address: Address, reviewer: Person) -> None:
    assert reviewer.client.post(address(name)).status_code == 403


@pytest.mark.parametrize("name", [*READ, *CHANGE, *POST_ONLY])
@pytest.mark.parametrize("who", ["stranger", "outsider"])
def test_other_organisations_rows_do_not_exist(
    name: str, who: str, address: Address, request: pytest.FixtureRequest
) -> None:
    person: Person = request.getfixturevalue(who)
    method = person.client.post if name in POST_ONLY else person.client.get

    assert method(address(name)).status_code == 404


@pytest.mark.parametrize("name", POST_ONLY)
def test_what_changes_things_at_once_is_never_a_link(name: str, address: Address, organiser: Person) -> None:
    assert organiser.client.get(address(name)).status_code == 405


@pytest.mark.parametrize("name", ["webinar", "speakers", "recording", "production"])
def test_reviewers_see_no_buttons_that_they_may_not_use(name: str, address: Address, reviewer: Person) -> None:
    page = reviewer.client.get(address(name)).content.decode().partition("<main")[2]

    assert page.count("<form") == 0


def test_pages_are_kept_by_no_cache(address: Address, organiser: Person) -> None:
    assert "no-store" in organiser.client.get(address("registrants"))["Cache-Control"]


def test_posts_without_the_pages_token_are_refused(address: Address, organiser: Person) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(organiser.user, backend="django.contrib.auth.backends.ModelBackend")

    assert strict.post(address("webinar_publish")).status_code == 403


def test_a_token_of_another_person_cannot_be_revoked(organiser: Person, reviewer: Person) -> None:
    (membership,) = organiser.user.memberships.all()
    token, _secret = create_api_token(
        organisation=membership.organisation, created_by=organiser.user, name="Site", life=timedelta(days=1)
    )

    assert reviewer.client.post(reverse("studio:token_revoke", args=[token.pk])).status_code == 403
