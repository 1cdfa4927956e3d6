"""Deleting a recording: complete, logged, and gone from every place where it could be seen (promises A4, A5, D3)."""

from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import strategies as st

from accounts.models import AuditEntry, Role
from events.models import Visibility, Webinar
from library import deletion, playback, services, versions
from library.models import FormerVersion, Recording, RecordingState
from library.rules import Right
from media.models import Asset, Derivative, InterpretationChannel, Package, Rendition, ReplacedFile, Upload
from media.services import stored
from tests.factories.accounts import MembershipFactory
from tests.factories.events import SeriesFactory
from tests.factories.library import give_package, watchable_recording
from tests.factories.media import AssetFactory
from work.errors import DomainError

pytestmark = pytest.mark.django_db


def give_former(recording: Recording) -> FormerVersion:
    asset = AssetFactory.create(organisation=recording.webinar.organisation)
    give_package(asset)
    made: FormerVersion = FormerVersion.objects.create(recording=recording, asset=asset, delete_after=timezone.now())
    return made


def test_everything_goes_with_a_recording(django_capture_on_commit_callbacks: Any) -> None:
    recording = watchable_recording()
    give_former(recording)
    channel = AssetFactory.create(organisation=recording.webinar.organisation)
    InterpretationChannel.objects.create(asset=recording.asset, source=channel, language="fr")
    Upload.objects.create(
        organisation=recording.webinar.organisation,
        purpose=f"recording:{recording.webinar_id}",
        file_name="a.mp4",
        size=1,
        part_size=1,
        storage_key="uploads/x",
        expires_at=timezone.now(),
        asset=recording.asset,
    )
    keys = [row.key for model in (Rendition, Derivative) for row in model.objects.all()]
    assert all(default_storage.exists(key) for key in keys)
    user = MembershipFactory.create(organisation=recording.webinar.organisation, role=Role.ORGANISER).user
    with django_capture_on_commit_callbacks(execute=True):
        deletion.delete_recording(recording=recording, user=user)
    assert [key for key in keys if default_storage.exists(key)] == []
    for model in (Recording, Asset, Package, FormerVersion, InterpretationChannel, Upload, Rendition, Derivative):
        assert not model._default_manager.exists(), model
    entry = AuditEntry.objects.get(action="recording_deleted")
    assert (entry.user, entry.detail["file_name"]) == (user, "recording.mp4")
    assert Webinar.objects.exists()


def test_files_that_a_worker_stored_meanwhile_are_found_later(django_capture_on_commit_callbacks: Any) -> None:
    recording = watchable_recording()
    package = recording.asset.current_package
    assert package is not None
    with django_capture_on_commit_callbacks(execute=True):
        deletion.delete_recording(recording=recording, user=None)
    late = default_storage.save(f"{package.prefix}/late.mp4", ContentFile(b"x"))
    latest = ReplacedFile.objects.order_by("delete_after").last()
    assert latest is not None
    stored.delete_replaced(now=latest.delete_after)
    assert not default_storage.exists(late)
    assert not ReplacedFile.objects.exists()


def test_a_grant_ends_with_the_recording(client: Client) -> None:
    recording = watchable_recording()
    package = recording.asset.current_package
    assert package is not None
    grant = playback.make_grant(recording=recording, package=package, right=Right("public"))
    assert client.get(f"/playback/{grant}/master.m3u8").status_code == 200
    deletion.delete_recording(recording=recording, user=None)
    assert client.get(f"/playback/{grant}/master.m3u8").status_code == 404


@pytest.mark.parametrize("typed", ["", "recording", "recording.mp4 please"])
def test_the_name_must_be_typed(typed: str) -> None:
    with pytest.raises(deletion.NotConfirmed):
        deletion.confirm_by_name(watchable_recording(), typed)


def test_blanks_and_case_of_the_typed_name_do_not_matter() -> None:
    deletion.confirm_by_name(watchable_recording(), "  Recording.MP4 ")


# --- Model test: what may be seen, after any sequence of actions ------------------------------------------------------


def publish(recording: Recording) -> None:
    services.publish_recording(recording=recording)


def withdraw(recording: Recording) -> None:
    services.withdraw_recording(recording=recording)


def replace(recording: Recording) -> None:
    asset = AssetFactory.create(organisation=recording.webinar.organisation, duration_ms=60_000, has_video=True)
    package = give_package(asset)
    assert package.state == "complete"
    versions.replace_asset(recording=recording, asset=asset, user=None)


def restore(recording: Recording) -> None:
    version = recording.former_versions.first()
    if version is not None:
        versions.restore_version(version=version, user=None)


def hide(recording: Recording) -> None:
    services.change_visibility(recording=recording, visibility=Visibility.ORGANISATION)


def unlist(recording: Recording) -> None:
    services.change_visibility(recording=recording, visibility=Visibility.UNLISTED)


def open_to_all(recording: Recording) -> None:
    services.change_visibility(recording=recording, visibility=Visibility.PUBLIC)


def delete(recording: Recording) -> None:
    deletion.delete_recording(recording=recording, user=None)


ACTIONS: tuple[Callable[[Recording], None], ...] = (
    publish, withdraw, replace, restore, hide, unlist, open_to_all, delete,
)  # fmt: skip
TITLE = "Vaccination catch-up"


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@hypothesis.settings(
    max_examples=12, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(actions=st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=6))
def test_no_list_page_feed_or_api_shows_what_must_not_be_seen(
    client: Client, actions: list[Callable[[Recording], None]]
) -> None:
    with transaction.atomic():
        recording = watchable_recording(webinar__title=TITLE, webinar__slug="catch-up", state=RecordingState.DRAFT)
        series = SeriesFactory.create(organisation=recording.webinar.organisation, slug="series")
        Webinar.objects.filter(pk=recording.webinar_id).update(series=series)
        former_grants: list[str] = []
        for action in actions:
            found = (
                Recording.objects.select_related("webinar", "asset__current_package").filter(pk=recording.pk).first()
            )
            if found is None:
                break
            package = found.asset.current_package
            assert package is not None
            former_grants.append(playback.make_grant(recording=found, package=package, right=Right("public")))
            try:
                action(found)
            except DomainError:
                continue
        _check(client, recording, former_grants)
        transaction.set_rollback(True)


def _check(client: Client, made: Recording, grants: list[str]) -> None:
    recording = Recording.objects.select_related("asset__current_package").filter(pk=made.pk).first()
    may_watch = (
        recording is not None
        and recording.state == RecordingState.PUBLISHED
        and recording.visibility in (Visibility.PUBLIC, Visibility.UNLISTED)
    )
    is_listed = may_watch and recording is not None and recording.visibility == Visibility.PUBLIC
    watch = "/webinars/catch-up/watch/"
    assert (client.get(watch).status_code == 200) == may_watch
    assert (watch in client.get("/?show=recordings").content.decode()) == is_listed
    for listing in ("/series/series/", "/search/?q=vaccination"):
        if not may_watch:
            assert watch not in client.get(listing).content.decode()
    assert (client.get("/api/v1/recordings/").json()["results"] != []) == is_listed
    assert (client.get(f"/api/v1/recordings/{made.pk}/").status_code == 200) == is_listed
    # A replacement may have come without subtitles.
    has_subtitles = recording is not None and recording.asset.tracks.filter(language="en").exists()
    found = client.get("/webinars/catch-up/downloads/subtitles/en.vtt").status_code == 200
    assert found == (may_watch and has_subtitles)
    for grant in grants:
        assert (client.get(f"/playback/{grant}/master.m3u8").status_code == 200) == may_watch
