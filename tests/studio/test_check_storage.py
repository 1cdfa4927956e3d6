"""Rows and store agree (promise D5): `check_storage` finds what does not, on both stores, and mends what is safe."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import models
from pytest_django import Settings

from media import uploads
from media.models import Asset, Derivative, Package, Rendition, ReplacedFile, Upload
from media.storage import PrivateStorage, private_storage
from studio import services, stored_files
from studio.models import Production, StepPart
from studio.stored_files import Problem, check
from tests.factories.accounts import OrganisationFactory
from tests.factories.events import MaterialFactory
from tests.factories.library import RecordingFactory, watchable_recording
from tests.support.uploads import join, made_bytes, send_parts
from work.models import WorkState

pytestmark = pytest.mark.django_db(transaction=True)

OUR_APPS = ("accounts", "events", "media", "notifications", "transcripts", "registration", "library", "studio")
AT_ONCE = timedelta(seconds=-5)  # no grace: also what was stored this second


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> PrivateStorage:
    if request.param == "s3":
        request.getfixturevalue("s3_storage")
        settings.UPLOAD_PART_BYTES = 5 * 1024**2
    else:
        options = {"location": str(tmp_path / "store")}
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {"BACKEND": "media.storage.LocalPrivateStorage", "OPTIONS": options},
        }
        settings.UPLOAD_PART_BYTES = 1000
    return private_storage()


def found(*, repair: bool = False, grace: timedelta = AT_ONCE) -> list[Problem]:
    return list(check(repair=repair, grace=grace))


def kinds(problems: list[Problem]) -> list[tuple[str, str]]:
    return sorted((problem.kind, problem.what) for problem in problems)


def stored_asset(data: bytes) -> Asset:
    upload = begun_upload(len(data))
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    asset = join(upload).asset
    assert asset is not None
    return asset


def begun_upload(size: int) -> Upload:
    return uploads.start_upload(
        organisation=OrganisationFactory.create(), user=None, file_name="a.wav", size=size, purpose=""
    )


def test_all_is_well_after_the_usual_work(store: PrivateStorage) -> None:
    asset = stored_asset(made_bytes())
    recording = watchable_recording(asset=asset)
    MaterialFactory.create(webinar=recording.webinar)
    send_parts(begun_upload(3000), made_bytes(3000), [1])
    assert found() == []


def test_missing_original_is_told_and_left_to_a_person(store: PrivateStorage) -> None:
    asset = stored_asset(made_bytes())
    store.delete(asset.source_key)
    (problem,) = found(repair=True)
    assert (problem.kind, problem.what, problem.key) == ("file_missing", "original", asset.source_key)
    assert problem.is_wrong
    assert "backup" in problem.advice
    assert Asset.objects.filter(pk=asset.pk).exists()


def test_file_of_another_size_is_told(store: PrivateStorage) -> None:
    asset = stored_asset(made_bytes())
    Asset.objects.filter(pk=asset.pk).update(size=5)
    assert kinds(found()) == [("wrong_size", "original")]


def test_missing_by_product_loses_its_row_and_missing_rendition_does_not(store: PrivateStorage) -> None:
    recording = watchable_recording(asset=stored_asset(made_bytes()))
    package = recording.asset.current_package
    assert package is not None
    poster = package.derivatives.get(kind="poster")
    rendition = package.renditions.get(name="360p")
    store.delete(poster.key)
    store.delete(rendition.key)
    assert kinds(found()) == [("file_missing", "by-product"), ("file_missing", "rendition")]
    found(repair=True)
    assert not Derivative.objects.filter(pk=poster.pk).exists()
    assert Rendition.objects.filter(pk=rendition.pk).exists()
    assert kinds(found()) == [("file_missing", "rendition")]


@pytest.mark.parametrize("folder", ["originals", "assets/gone", "materials/aa"])
def test_file_without_row_is_deleted_once_it_is_old_enough(store: PrivateStorage, folder: str) -> None:
    asset = stored_asset(made_bytes())
    store.save(f"{folder}/orphan", ContentFile(b"x" * 10))
    assert found(grace=timedelta(hours=1)) == []
    assert kinds(found()) == [("file_without_row", "file")]
    assert [problem.is_mended for problem in found(repair=True)] == [True]
    assert [file.key for file in store.list_files()] == [asset.source_key]


def test_file_in_a_folder_of_others_is_told_and_stays(store: PrivateStorage) -> None:
    store.save("backups/monday.tar", ContentFile(b"x"))
    (problem,) = found(repair=True)
    assert (problem.kind, problem.is_wrong) == ("unknown_file", False)
    assert store.exists("backups/monday.tar")


def test_watched_files_are_left_alone(store: PrivateStorage, settings: Settings) -> None:
    settings.WATCHED_PREFIX = "assets/incoming/"
    store.save("assets/incoming/who/talk/talk.mp4", ContentFile(b"x"))
    assert found(repair=True) == []
    assert store.exists("assets/incoming/who/talk/talk.mp4")


def test_replaced_files_on_their_way_out_are_known(store: PrivateStorage) -> None:
    for key, row in (("assets/a/old.mp4", "assets/a/old.mp4"), ("assets/b/old.mp4", "assets/b/")):
        store.save(key, ContentFile(b"x"))
        ReplacedFile.objects.create(key=row, delete_after="2100-01-01T00:00Z")
    assert found() == []


def test_finished_part_of_a_step_that_goes_on_is_no_orphan(store: PrivateStorage) -> None:
    recording = RecordingFactory.create(asset=stored_asset(made_bytes()))
    package = Package.objects.create(asset=recording.asset)
    production: Production = services.start_production(
        recording=recording, user=None, spoken_language="en", subtitle_languages=[]
    )
    kept, orphan = f"{package.prefix}/part-1.mp4", f"{package.prefix}/part-of-a-killed-worker.mp4"
    for key in (kept, orphan):
        store.save(key, ContentFile(b"x"))
    step = production.steps.get(name="encode")
    StepPart.objects.create(step=step, number=0, result={"files": [{"key": kept}]})
    assert [problem.key for problem in found(repair=True)] == [orphan]
    assert store.exists(kept)


# --- Failures in both orders ---------------------------------------------------------------------------------------


class Killed(BaseException):
    """What a SIGKILL looks like from inside."""


def test_killed_between_the_store_and_the_row(store: PrivateStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts are joined, the row of the asset was never written, and its upload was given up."""
    upload = begun_upload(4000)
    send_parts(upload, made_bytes())
    uploads.complete_upload(upload=upload)
    with monkeypatch.context() as patch:

        def die(*_args: object, **_options: object) -> None:
            raise Killed

        patch.setattr(uploads, "_read_back", die)
        with pytest.raises(Killed):
            join(upload)
    assert found() == []  # the next attempt goes on with it
    Upload.objects.filter(pk=upload.pk).delete()
    problems = found(repair=True)
    assert ("file_without_row", "file") in kinds(problems)
    assert found() == []
    assert list(store.list_files()) == []
    assert list(store.list_begun()) == []


def test_killed_between_the_row_and_the_store(store: PrivateStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The asset's row is committed; the parts were not removed any more, and nobody comes back for them."""
    upload = begun_upload(4000)
    send_parts(upload, made_bytes())
    uploads.complete_upload(upload=upload)
    with monkeypatch.context() as patch:

        def die(*_args: object) -> None:
            raise Killed

        patch.setattr(type(store), "discard_parts", die)
        with pytest.raises(Killed):
            join(upload)
    Upload.objects.filter(pk=upload.pk).update(state=WorkState.DONE)
    found(repair=True)
    assert found() == []
    assert list(store.list_begun()) == []
    assert Asset.objects.count() == 1


def test_parts_whose_upload_is_gone_are_removed(store: PrivateStorage) -> None:
    data = made_bytes(3000)
    upload = begun_upload(len(data))
    send_parts(upload, data, [1])
    Upload.objects.filter(pk=upload.pk).delete()
    assert found(grace=timedelta(hours=1)) == []
    assert kinds(found(repair=True)) == [("parts_without_upload", "parts")]
    assert list(store.list_begun()) == []


def test_parts_that_the_store_lost_are_sent_again(store: PrivateStorage) -> None:
    data = made_bytes(3000)
    upload = begun_upload(len(data))
    send_parts(upload, data, [1])
    uploads.list_parts(upload=upload)
    assert upload.parts.count() == 1
    store.discard_parts(upload.storage_key, upload.multipart_id)
    assert kinds(found()) == [("parts_missing", "upload")]
    found(repair=True)
    assert not upload.parts.exists()
    send_parts(Upload.objects.get(pk=upload.pk), data)


# --- The command ---------------------------------------------------------------------------------------------------


def test_command_prints_what_is_wrong_and_fails(store: PrivateStorage) -> None:
    asset = stored_asset(made_bytes())
    store.delete(asset.source_key)
    store.save("originals/orphan", ContentFile(b"x"))
    out = StringIO()
    with pytest.raises(CommandError, match="1 problems are left"):
        call_command("check_storage", "--repair", "--json", "--grace-hours=-1", stdout=out)
    *problems, last = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(row["kind"], row["is_mended"]) for row in problems] == [
        ("file_missing", False),
        ("file_without_row", True),
    ]
    assert (last["summary"]["problems"], last["summary"]["mended"]) == (2, 1)

    said = StringIO()
    with pytest.raises(CommandError):
        call_command("check_storage", stdout=said)
    assert "file missing: original" in said.getvalue()


def test_command_is_content_when_all_agrees(store: PrivateStorage) -> None:
    out = StringIO()
    call_command("check_storage", stdout=out)
    assert "0 problems" in out.getvalue()


def test_every_column_that_names_a_file_is_checked() -> None:
    """A new model that points into the store must be added to the table, or its files would be called orphans."""
    elsewhere = {
        "media.Upload.storage_key",  # while it arrives; see _known
        "media.ReplacedFile.key",
        "accounts.IdempotentAnswer.key",  # a caller's key, no file
    }
    named = {f"{rows.model._meta.app_label}.{rows.model.__name__}.{rows.column}" for rows in stored_files.ROWS}
    columns: set[str] = set()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            is_key = field.name == "key" or field.name.endswith("_key")
            is_ours = model.__module__.split(".")[0] in (
                "accounts",
                "events",
                "media",
                "registration",
                "library",
                "studio",
            )
            if is_ours and (isinstance(field, models.FileField) or (is_key and isinstance(field, models.CharField))):
                columns.add(f"{model._meta.app_label}.{model.__name__}.{field.name}")
    assert columns - elsewhere - named == set()
