"""Files in a watched folder, or below a prefix of the bucket, become recordings: once, whole, none from outside."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from accounts.models import AuditEntry, Role
from accounts.services import create_api_token
from events.models import Webinar
from library.models import Recording
from media import uploads
from media.models import Asset, Upload
from media.storage import private_storage
from studio import services, watching
from studio.models import Production, WatchedFile
from tests.factories.accounts import MembershipFactory, OrganisationFactory
from tests.factories.events import WebinarFactory
from tests.support.uploads import made_bytes
from work import services as work_services
from work.models import WorkState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def webinar() -> Webinar:
    made: Webinar = WebinarFactory.create(spoken_language="fr", subtitle_languages=["ar", "en"])
    return made


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    watched = tmp_path / "watched"
    watched.mkdir()
    settings.WATCHED_FOLDER = str(watched)
    settings.WATCHED_SETTLE_S = 60
    settings.UPLOAD_PART_BYTES = 256 * 1024
    return watched


def put(folder: Path, path: str, data: bytes | None = None) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(made_bytes() if data is None else data)
    return file


def place_of(webinar: Webinar, name: str = "talk.wav") -> str:
    return f"{webinar.organisation.slug}/{webinar.slug}/{name}"


def pass_time() -> None:
    """Let a settling time pass for all files that wait."""
    WatchedFile.objects.filter(state=WorkState.WAITING).update(updated_at=timezone.now() - timedelta(minutes=5))


def look_until_taken() -> None:
    watching.look()
    pass_time()
    watching.look()
    take_queued()


def take_queued() -> None:
    for pk in WatchedFile.objects.filter(state=WorkState.QUEUED).values_list("pk", flat=True):
        WatchedFile.objects.filter(pk=pk).update(due_at=None)
        work_services.execute(watching.WORK_KIND, pk)


def only_row() -> WatchedFile:
    return WatchedFile.objects.get()


def check_taken(webinar: Webinar) -> None:
    row = only_row()
    assert (row.state, row.error) == (WorkState.DONE, "")
    production = Production.objects.get()
    assert (production.spoken_language, production.subtitle_languages) == ("fr", ["ar", "en"])
    assert row.recording == production.recording
    assert production.recording.webinar == webinar
    assert production.recording.asset.size == len(made_bytes())


# --- The whole way -------------------------------------------------------------------------------------------------


def test_file_that_has_stopped_growing_becomes_a_recording(folder: Path, webinar: Webinar) -> None:
    file = put(folder, place_of(webinar))
    look_until_taken()
    check_taken(webinar)
    assert file.exists()
    assert AuditEntry.objects.filter(action="recording.watched").exists()


def test_file_under_the_watched_prefix_becomes_a_recording(
    s3_storage: Any, settings: Settings, webinar: Webinar
) -> None:
    settings.WATCHED_PREFIX = "incoming/"
    settings.WATCHED_TAKEN = "move"
    s3_storage.save(f"incoming/{place_of(webinar)}", ContentFile(made_bytes()))
    s3_storage.save(f"elsewhere/{place_of(webinar, 'other.wav')}", ContentFile(made_bytes()))
    look_until_taken()
    check_taken(webinar)
    watching.look()
    assert [file.key.startswith("incoming/.taken/") for file in s3_storage.list_files("incoming/")] == [True]
    assert WatchedFile.objects.count() == 1


def test_stored_stream_goes_on_from_any_place(s3_storage: Any) -> None:
    data = made_bytes(3 * 1024**2 + 11)
    s3_storage.save("incoming/a", ContentFile(data))
    with watching.WatchedPrefix(s3_storage, "incoming/").open("a") as stream:
        assert stream.read(5) == data[:5]
        stream.seek(2 * 1024**2 + 3)
        assert stream.read(2 * 1024**2) == data[2 * 1024**2 + 3 :]
        assert stream.read(10) == b""


def test_file_is_never_taken_twice(folder: Path, webinar: Webinar) -> None:
    put(folder, place_of(webinar))
    for _time in range(3):
        look_until_taken()
    assert (Recording.objects.count(), Upload.objects.count(), WatchedFile.objects.count()) == (1, 1, 1)


def test_new_version_of_a_file_is_another_recording(folder: Path, webinar: Webinar) -> None:
    put(folder, place_of(webinar))
    look_until_taken()
    put(folder, place_of(webinar), made_bytes(5000))
    look_until_taken()
    assert sorted(Recording.objects.values_list("asset__size", flat=True)) == [4000, 5000]


@pytest.mark.parametrize(("setting", "left"), [("leave", True), ("delete", False), ("move", False)])
def test_what_becomes_of_the_file_is_a_setting(
    folder: Path, webinar: Webinar, settings: Settings, setting: str, left: bool
) -> None:
    settings.WATCHED_TAKEN = setting
    file = put(folder, place_of(webinar))
    look_until_taken()
    assert file.exists() is left
    kept = [path.name.partition("-")[2].partition("-")[2] for path in folder.glob(".taken/*/*/*")]
    assert kept == (["talk.wav"] if setting == "move" else [])
    look_until_taken()
    assert Recording.objects.count() == 1


# --- What is looked at, and when -----------------------------------------------------------------------------------


def test_growing_file_waits(folder: Path, webinar: Webinar) -> None:
    file = put(folder, place_of(webinar), b"begin")
    watching.look()
    pass_time()
    with file.open("ab") as more:
        more.write(b"more")
    watching.look()  # it has grown: the time begins anew
    assert (only_row().state, only_row().size) == (WorkState.WAITING, 9)
    watching.look()  # unchanged, but not for long enough
    assert only_row().state == WorkState.WAITING
    pass_time()
    watching.look()
    assert only_row().state == WorkState.QUEUED


def test_one_look_is_not_enough_even_for_an_old_file(folder: Path, webinar: Webinar) -> None:
    os.utime(put(folder, place_of(webinar)), (1, 1))
    watching.look()
    assert only_row().state == WorkState.WAITING


@pytest.mark.parametrize(
    "name",
    [".talk.mp4", "talk.mp4.part", "talk.mp4.crdownload", "talk.TMP", "~$talk.mp4", "Thumbs.db", ".hidden/talk.mp4"],
)
def test_hidden_and_partial_files_are_ignored(folder: Path, webinar: Webinar, name: str) -> None:
    put(folder, place_of(webinar, name))
    watching.look()
    assert not WatchedFile.objects.exists()


def test_empty_files_wait_for_their_first_byte(folder: Path, webinar: Webinar) -> None:
    put(folder, place_of(webinar), b"")
    watching.look()
    assert not WatchedFile.objects.exists()


def test_links_are_ignored_to_files_and_to_folders(folder: Path, webinar: Webinar, tmp_path: Path) -> None:
    secret = put(tmp_path, "outside/secret.wav")
    home = folder / webinar.organisation.slug
    home.mkdir()
    (home / webinar.slug).symlink_to(secret.parent)
    other = WebinarFactory.create(organisation=webinar.organisation)
    (home / other.slug).mkdir()
    (home / other.slug / "talk.wav").symlink_to(secret)
    (home / other.slug / "hard.fifo").parent.mkdir(exist_ok=True)
    os.mkfifo(home / other.slug / "pipe.wav")
    watching.look()
    assert not WatchedFile.objects.exists()


def test_folder_that_becomes_a_link_before_the_file_is_taken_leads_nowhere(
    folder: Path, webinar: Webinar, tmp_path: Path
) -> None:
    file = put(folder, place_of(webinar))
    watching.look()
    pass_time()
    watching.look()
    outside = tmp_path / "outside"
    file.parent.rename(outside)
    file.parent.symlink_to(outside)
    take_queued()
    assert only_row().state == WorkState.SKIPPED
    assert not Upload.objects.exists()


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/etc/passwd", "a//b", "./a"])
def test_path_outside_the_folder_opens_nothing(folder: Path, path: str) -> None:
    put(folder.parent, "secret")
    place = watching.WatchedFolder(folder)
    assert place.find(path) is None
    with pytest.raises(FileNotFoundError), place.open(path):
        pass


def test_missing_folder_fails_the_look_and_not_the_sweep(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.rmdir()
    with pytest.raises(NotADirectoryError):
        watching.look()
    work_services.sweep()
    assert "look" in caplog.text


# --- Wrong places --------------------------------------------------------------------------------------------------


def misplaced(webinar: Webinar) -> dict[str, str]:
    organisation = webinar.organisation.slug
    return {
        f"{organisation}/talk.wav": "wrong place",
        f"{organisation}/no-such/talk.wav": "no webinar no-such",
        f"nobody/{webinar.slug}/talk.wav": "no organisation nobody",
        f"{organisation}/{webinar.slug}/deeper/talk.wav": "wrong place",
        "talk.wav": "wrong place",
    }


def test_file_in_a_wrong_place_says_which_place_is_right(folder: Path, webinar: Webinar) -> None:
    for path in misplaced(webinar):
        put(folder, path)
    look_until_taken()
    rows = {row.path: row for row in WatchedFile.objects.all()}
    for path, reason in misplaced(webinar).items():
        assert (rows[path].state, rows[path].error_code) == (WorkState.FAILED, "misplaced")
        assert reason in rows[path].error
        assert "<organisation>/<webinar>/" in rows[path].error
    assert not Upload.objects.exists()


def test_webinar_of_another_organisation_is_no_place(folder: Path, webinar: Webinar) -> None:
    put(folder, f"{OrganisationFactory.create().slug}/{webinar.slug}/talk.wav")
    look_until_taken()
    assert only_row().error_code == "misplaced"


def test_file_is_taken_once_its_webinar_exists(folder: Path, webinar: Webinar) -> None:
    put(folder, f"{webinar.organisation.slug}/planned-later/talk.wav")
    look_until_taken()
    assert only_row().state == WorkState.FAILED
    Webinar.objects.filter(pk=webinar.pk).update(slug="planned-later")
    look_until_taken()
    assert only_row().state == WorkState.DONE


def test_line_goes_when_the_file_is_moved_to_its_place(folder: Path, webinar: Webinar) -> None:
    file = put(folder, "talk.wav")
    look_until_taken()
    target = folder / place_of(webinar)
    target.parent.mkdir(parents=True)
    file.rename(target)
    look_until_taken()
    assert [(row.path, row.state) for row in WatchedFile.objects.all()] == [(place_of(webinar), WorkState.DONE)]


# --- What goes wrong -----------------------------------------------------------------------------------------------


def test_file_that_vanishes_before_it_is_taken_is_forgotten(folder: Path, webinar: Webinar) -> None:
    file = put(folder, place_of(webinar))
    watching.look()
    pass_time()
    watching.look()
    file.unlink()
    take_queued()
    assert only_row().state == WorkState.SKIPPED
    watching.look()
    assert not WatchedFile.objects.exists()
    assert not Upload.objects.exists()


def test_file_that_changes_while_it_is_read_is_not_kept(
    folder: Path, webinar: Webinar, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(folder, place_of(webinar), made_bytes(1_000_000))
    watching.look()
    pass_time()
    watching.look()
    sends: Callable[..., None] = uploads.send_stream

    def meddle(**options: Any) -> None:
        sends(**options)
        time.sleep(0.01)
        file.write_bytes(made_bytes(1_000_000)[::-1])

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "send_stream", meddle)
        take_queued()
    assert only_row().state == WorkState.SKIPPED
    assert (Upload.objects.get().state, Asset.objects.count()) == (WorkState.CANCELLED, 0)


class Killed(BaseException):
    """What a SIGKILL looks like from inside."""


@pytest.mark.parametrize("where", ["send_stream", "finish_here", "receive_recording", "_put_away"])
def test_killed_at_any_step_the_next_attempt_goes_on_and_stores_it_once(
    folder: Path, webinar: Webinar, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    put(folder, place_of(webinar))
    watching.look()
    pass_time()
    watching.look()
    row = only_row()

    def die(*_args: object, **_options: object) -> None:
        raise Killed

    module = {"receive_recording": services, "_put_away": watching}.get(where, uploads)
    with monkeypatch.context() as patch:
        patch.setattr(module, where, die)
        with pytest.raises(Killed):
            work_services.execute(watching.WORK_KIND, row.pk)
    WatchedFile.objects.filter(pk=row.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work_services.sweep()
    take_queued()
    check_taken(webinar)
    assert Upload.objects.count() == 1


def test_what_is_no_recording_is_refused_with_the_reason_and_may_be_tried_again(folder: Path, webinar: Webinar) -> None:
    put(folder, place_of(webinar, "notes.txt"), b"Only notes. " * 400)
    look_until_taken()
    row = only_row()
    assert row.state == WorkState.FAILED
    assert row.error

    organiser = client_of(webinar)
    page = organiser.get(f"/studio/webinars/{webinar.pk}/recordings/").content.decode()
    assert "notes.txt" in page
    assert "Try again" in page
    assert organiser.post(f"/studio/watched/{row.pk}/retry/").status_code == 302
    assert only_row().state == WorkState.QUEUED
    take_queued()
    assert only_row().state == WorkState.FAILED


def test_quota_refuses_with_the_reason(folder: Path, webinar: Webinar, settings: Settings) -> None:
    settings.UPLOAD_WEBINAR_QUOTA_BYTES = 100
    put(folder, place_of(webinar))
    look_until_taken()
    assert (only_row().state, only_row().error_code) == (WorkState.FAILED, "quota_exceeded")
    settings.UPLOAD_WEBINAR_QUOTA_BYTES = 10**9
    watching.retry(row=only_row(), user=None)
    take_queued()
    check_taken(webinar)


def test_retry_of_a_file_that_is_gone_says_so(folder: Path, webinar: Webinar, settings: Settings) -> None:
    settings.UPLOAD_WEBINAR_QUOTA_BYTES = 100
    file = put(folder, place_of(webinar))
    look_until_taken()
    file.unlink()
    with pytest.raises(watching.WatchedFileGone):
        watching.retry(row=only_row(), user=None)


# --- Who sees what -------------------------------------------------------------------------------------------------


def client_of(webinar: Webinar, role: Role = Role.ORGANISER, **fields: Any) -> Client:
    client = Client()
    client.force_login(MembershipFactory.create(organisation=webinar.organisation, role=role, **fields).user)
    return client


def test_people_see_their_organisations_files_and_administrators_those_of_nobody(
    folder: Path, webinar: Webinar
) -> None:
    other = WebinarFactory.create()
    for path in ("nobody/x/lost.wav", f"{webinar.organisation.slug}/mine.wav", f"{other.organisation.slug}/theirs.wav"):
        put(folder, path)
    look_until_taken()
    page = client_of(webinar).get("/studio/watched/").content.decode()
    assert [name in page for name in ("mine.wav", "theirs.wav", "lost.wav")] == [True, False, False]
    admin = client_of(webinar, user__is_superuser=True).get("/studio/watched/").content.decode()
    assert [name in admin for name in ("mine.wav", "theirs.wav", "lost.wav")] == [True, True, True]
    assert "1 file in the watched folder" in client_of(webinar).get("/studio/").content.decode()


def test_programs_see_the_files_and_try_again(folder: Path, webinar: Webinar) -> None:
    put(folder, f"{webinar.organisation.slug}/mine.wav")
    look_until_taken()
    user = MembershipFactory.create(organisation=webinar.organisation).user
    _row, token = create_api_token(organisation=webinar.organisation, created_by=user, name="t", can_write=True)
    client = Client(headers={"Authorization": f"Bearer {token}"})
    (found,) = client.get("/api/v1/watched-files/", {"state": "failed"}).json()["results"]
    assert (found["path"], found["error_code"]) == (f"{webinar.organisation.slug}/mine.wav", "misplaced")
    assert client.post(f"/api/v1/watched-files/{found['id']}/retry/").json()["state"] == "queued"


def test_reasons_are_kept_in_the_language_of_the_service(folder: Path) -> None:
    put(folder, "talk.wav")
    with translation.override("en"):
        look_until_taken()
    assert only_row().error.startswith("This file is in a wrong place")


def test_nothing_is_watched_by_default() -> None:
    assert watching.watched_place() is None
    watching.look()
    assert private_storage() is not None
