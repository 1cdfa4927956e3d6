"""A package's life: opened, filled by the other modules, checked, shown to viewers, deleted."""

import tempfile
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from media import growing, mp4, recipe
from media.errors import MediaError, MediaRejected, PackageIncomplete
from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.models import Asset, Package, PackageState, Rendition, RenditionKind
from media.services import stored
from media.services.plans import RECIPE, plan_of
from media.services.stored import on_disk, open_stored
from media.signals import whole_version_ready
from media.source import EncodingPlan, SourceFacts

TOLERANCE = 0.01
TOLERANCE_MS = 150  # a frame of slow video, or a fragment's padding, in clips of seconds


def start_package(*, asset: Asset) -> Package:
    """Open a new version of everything made from an inspected asset, under a prefix of its own.

    Raises:
        MediaRejected: the asset was not inspected, or was refused.
    """
    if not asset.probe or not (asset.has_video or asset.has_audio):
        raise MediaRejected(_("This file was not inspected yet."), code="not_inspected")
    return Package.objects.create(asset=asset, analysis={RECIPE: recipe.current().to_json()})


def check_package(
    *, package: Package, workdir: Path, progress: Progress = silent, should_stop: ShouldStop = never
) -> None:
    """Make sure that what viewers would get agrees with the source (promise D8).

    Every rung and the sound that the plan names must be there; every indexed byte range must exist in its file, and
    its duration be within 1 % of the source's. The lowest rung and the sound are decoded whole, of the other rungs the
    key frame of every segment. Damage that the decoder reports in a copy is noted with the asset, since it was in the
    source already; what was encoded must decode without a word.

    Raises:
        PackageIncomplete: it does not; viewers keep what they had.
    """
    asset = package.asset
    facts, plan = plan_of(package)
    renditions = list(package.renditions.all())
    _require_all(facts, plan, renditions)
    for rendition in renditions:
        check_file(rendition, _expected_ms(facts, plan, rendition))
    video = sorted((r for r in renditions if r.kind == RenditionKind.VIDEO), key=lambda r: r.size)
    errors = 0
    for number, rendition in enumerate(sorted(renditions, key=lambda r: r.size)):
        progress(10 + 85 * number / len(renditions), _("Checking the result"))
        is_copy = plan.copied is not None and rendition.name == plan.copied.name
        if rendition.kind == RenditionKind.AUDIO or rendition == video[0]:
            found = _decode(rendition, workdir, should_stop)
            if found and rendition.kind == RenditionKind.VIDEO and not is_copy:
                raise _undecodable(rendition.name)
            errors += found
        else:
            errors += _check_segments(rendition, workdir, should_stop, is_copy=is_copy)
    if errors:
        note_warning(asset, {"code": "damaged", "count": errors})


def complete_package(*, package: Package) -> None:
    """Show this version to viewers: one pointer moves, in one transaction. Twice is the same as once.

    Where the recording is cut, a new whole version is not shown; it waits for being cut itself (whole_version_ready).
    """
    with transaction.atomic():
        asset = Asset.objects.select_for_update().get(pk=package.asset_id)
        waits = _waits_for_cut(asset, package)
        if asset.current_package_id != package.pk and not waits:
            # From now on counts how long viewers may still read the former version (delete_superseded_packages).
            asset.packages.filter(pk=asset.current_package_id or package.pk).update(updated_at=timezone.now())
            asset.current_package = package
            asset.save(update_fields=["current_package", "updated_at"])
        if package.state != PackageState.COMPLETE:
            package.state = PackageState.COMPLETE
            package.save(update_fields=["state", "updated_at"])
        package.asset = asset
        if waits:
            whole_version_ready.send(sender=Package, package=package)


def _waits_for_cut(asset: Asset, package: Package) -> bool:
    is_cut = bool(asset.trim_start_ms) or asset.trim_end_ms is not None
    is_whole = package.trim_start_ms == 0 and package.trim_end_ms is None
    return is_cut and is_whole and asset.current_package_id not in (None, package.pk)


def delete_superseded_packages() -> int:
    """Delete versions that nobody can watch any more. Returns how many.

    Kept are the current one, the newest whole one of a recording that is cut (cuts are made from it), and each until
    the last grant and the last address under it have expired. Unfinished ones belong to their production.
    """
    life = timedelta(seconds=settings.PLAYBACK_GRANT_LIFE_S + settings.MEDIA_LINK_LIFE_S)
    old = Package.objects.filter(state=PackageState.COMPLETE, updated_at__lt=timezone.now() - life)
    old = old.exclude(asset__current_package=F("pk"))
    deleted = 0
    for package in old.select_related("asset").order_by("updated_at")[:50]:
        whole = whole_package(package.asset)
        if whole is not None and whole.pk == package.pk:
            continue
        delete_package(package=package)
        deleted += 1
    return deleted


def delete_package(*, package: Package) -> None:
    """Delete one version with all its files: rows at once, files after commit."""
    with transaction.atomic():
        prefix = package.prefix
        package.delete()
        stored.discard_prefix(prefix)


def whole_package(asset: Asset) -> Package | None:
    """The newest complete version that shows everything: what all cuts are made from."""
    whole = asset.packages.filter(state=PackageState.COMPLETE, trim_start_ms=0, trim_end_ms=None)
    return whole.order_by("created_at").last()


def show_first(package: Package) -> None:
    """Make a package current if viewers have none yet: the first look is shown at once."""
    Asset.objects.filter(pk=package.asset_id, current_package=None).update(current_package=package)
    package.asset.refresh_from_db(fields=["current_package"])


def note_warning(asset: Asset, warning: dict[str, object]) -> None:
    """Add a warning to an asset, replacing an earlier one of the same code."""
    with transaction.atomic():
        fresh = Asset.objects.select_for_update().get(pk=asset.pk)
        kept = [known for known in fresh.warnings if known["code"] != warning["code"]]
        fresh.warnings = [*kept, warning]
        fresh.save(update_fields=["warnings", "updated_at"])
    asset.warnings = fresh.warnings


def delete_asset(*, asset: Asset, user: User | None = None) -> None:
    """Delete an asset: its rows at once, and after commit every stored file of it, the original included.

    Raises:
        MediaError: something still shows it.
    """
    prefixes = list(asset.packages.values_list("prefix", flat=True))
    key = asset.source_key
    with transaction.atomic():
        record_action(
            action="asset.deleted", target=asset, organisation=asset.organisation, user=user, file_name=asset.file_name
        )
        try:
            asset.delete()
        except ProtectedError as error:
            raise MediaError(
                _("A recording still uses this file. Delete the recording first."), code="in_use"
            ) from error
        for prefix in prefixes:
            stored.discard_prefix(prefix)
        stored.discard_for_good(key)


def _require_all(facts: SourceFacts, plan: EncodingPlan, renditions: list[Rendition]) -> None:
    wanted = plan.names
    if facts.audio is not None:
        wanted.add("audio")
    missing = wanted - {rendition.name for rendition in renditions if not growing.is_growing(rendition.index)}
    if missing or not renditions:
        raise PackageIncomplete(
            _("Some qualities are missing: %(names)s. Try the steps before this one again.")
            % {"names": ", ".join(sorted(missing))}
        )


def _expected_ms(facts: SourceFacts, plan: EncodingPlan, rendition: Rendition) -> int:
    """What is encoded is filled up to the whole duration; a copy ends with its last picture."""
    if facts.video is not None and plan.copied is not None and rendition.name == plan.copied.name:
        return facts.video.end_ms
    return facts.duration_ms


def check_file(rendition: Rendition, duration_ms: int) -> None:
    """Compare a rendition's row with its file: every byte range, and how long it lasts.

    Raises:
        PackageIncomplete: they do not agree.
    """
    name = {"name": rendition.name}
    try:
        size = default_storage.size(rendition.key)
        with open_stored(rendition.key) as file:
            track = mp4.read_track(file)
    except (mp4.Mp4Error, FileNotFoundError) as error:
        raise PackageIncomplete(_("The quality %(name)s is damaged in the store.") % name) from error
    stated = {name: rendition.index.get(name) for name in ("init", "segments")}
    if size != rendition.size or stated != {name: track.index[name] for name in stated}:
        raise PackageIncomplete(_("The quality %(name)s is not what was stored.") % name)
    if abs(track.duration_ms - duration_ms) > max(TOLERANCE * duration_ms, TOLERANCE_MS):
        raise PackageIncomplete(
            _("The quality %(name)s lasts %(found).1f s, the recording %(wanted).1f s.")
            % {**name, "found": track.duration_ms / 1000, "wanted": duration_ms / 1000}
        )


def check_key_frames(path: Path, track: mp4.Track, name: str, workdir: Path, should_stop: ShouldStop) -> None:
    """Decode the first picture of every segment of something that we encoded.

    Raises:
        PackageIncomplete: one of them cannot be decoded.
    """
    decoded, complaints = _decode_key_frames(path, track.duration_ms, workdir, should_stop)
    # The decoder of AV1 cannot leave out the other pictures.
    wanted = track.samples if track.codecs.startswith("av01") else len(track.segments)
    if complaints or decoded != wanted:
        raise _undecodable(name)


def _check_segments(rendition: Rendition, workdir: Path, should_stop: ShouldStop, *, is_copy: bool) -> int:
    """Decode the first picture of every segment, and return how often the decoder complained about a copy."""
    with on_disk(rendition.key, workdir) as path:
        if is_copy:
            return _decode_key_frames(path, rendition.duration_ms, workdir, should_stop)[1]
        with path.open("rb") as file:
            track = mp4.read_track(file)
        check_key_frames(path, track, rendition.name, workdir, should_stop)
    return 0


def _decode_key_frames(path: Path, duration_ms: int, workdir: Path, should_stop: ShouldStop) -> tuple[int, int]:
    """Return how many key frames were decoded, and how often the decoder complained."""
    with tempfile.TemporaryDirectory(dir=workdir) as folder:
        picture = own_input("rendition", skip_frame="nokey")["v"].filter("scale", 16, 16, flags="neighbor")
        result = run_ffmpeg(
            picture.output("file:out/frames", f="framecrc", fps_mode="passthrough"),
            inputs={"rendition": path},
            output_dir=Path(folder),
            duration_ms=duration_ms,
            should_stop=should_stop,
        )
        lines = (Path(folder) / "frames").read_text().splitlines()
    return sum(not line.startswith("#") for line in lines), result.stderr_lines


def _undecodable(name: str) -> PackageIncomplete:
    return PackageIncomplete(_("The quality %(name)s cannot be decoded whole. Try encoding again.") % {"name": name})


def _decode(rendition: Rendition, workdir: Path, should_stop: ShouldStop) -> int:
    """Decode a rendition and return how often the decoder complained."""
    with on_disk(rendition.key, workdir) as path, tempfile.TemporaryDirectory(dir=workdir) as folder:
        result = run_ffmpeg(
            own_input("rendition").output("file:out/nothing", f="null"),
            inputs={"rendition": path},
            output_dir=Path(folder),
            duration_ms=rendition.duration_ms,
            should_stop=should_stop,
        )
    return result.stderr_lines
