"""The version for slow connections: slides or stills as pictures, small sound, the words said. Below 20 MB an hour.

Pictures are made once per page or moment and kept with the package; the archive to take away is put together of them.
"""

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

import media.services
from events.models import MaterialPage
from library.chapters import shown_chapters, title_of
from library.errors import LibraryError
from library.models import Recording, UpdateTask
from media.ffmpeg.runner import Progress, ShouldStop, never, silent
from media.models import Derivative, DerivativeKind, Package
from media.services import stored
from media.services.audio import save_derivative
from media.services.light import SIZES, Size
from media.services.stored import Fenced
from media.timeline import Window
from transcripts import selectors as transcripts_selectors
from transcripts import services as transcripts_services
from transcripts.markup import plain
from transcripts.models import TextTrack

BYTES_PER_HOUR = 20_000_000
SMALLEST_BUDGET = 500_000  # for the pictures of a recording of minutes
SHORTEST_GAP_MS = 12_000  # without a slide, from which a still is shown
OTHER_BYTES = 0.05  # kept for words and wrapping


class NotBuilt(LibraryError):
    """The front end's files are missing, which the archive needs."""

    code = "frontend_missing"
    status = 500


@dataclass(frozen=True)
class Scene:
    """A stretch of this version during which one picture is shown. `picture` is None where there is only sound."""

    start_ms: int
    end_ms: int
    picture: Derivative | None
    title: str = ""
    cues: list[dict[str, Any]] = field(default_factory=list)


def light_files(package: Package) -> dict[str, Derivative]:
    """Return sound and pictures by the names under which the page asks for them."""
    kinds = (DerivativeKind.LIGHT_AUDIO, DerivativeKind.LIGHT_PICTURE)
    rows = Derivative.objects.filter(package=package, kind__in=kinds)
    return {("sound.m4a" if row.kind == DerivativeKind.LIGHT_AUDIO else f"{row.name}.jpg"): row for row in rows}


def scenes_of(recording: Recording, package: Package, track: TextTrack | None = None) -> list[Scene]:
    """Return what the light version shows, in order, with the words of a track beside each picture."""
    window = Window.of(package)
    duration_ms = window.duration_ms(recording.asset.duration_ms or 0)
    pictures = {name: row for name, row in light_files(package).items() if row.kind == DerivativeKind.LIGHT_PICTURE}
    marks: dict[int, tuple[Derivative, str]] = {}
    for name, row in pictures.items():
        if name.startswith("at-"):
            at_ms = window.moment(row.facts["at_ms"])
            if at_ms is not None:
                marks[at_ms] = (row, "")
    for start_ms, _end_ms, page in _shown_pages(recording, window):
        if (shown := pictures.get(f"{_page_name(page)}.jpg")) is not None:
            marks[start_ms] = (shown, title_of(page.text))
    starts = sorted(marks) or [0]
    cues = _cue_rows(track, window)
    scenes: list[Scene] = []
    for number, start_ms in enumerate(starts):
        end_ms = starts[number + 1] if number + 1 < len(starts) else max(duration_ms, start_ms + 1)
        first_ms = 0 if number == 0 else start_ms
        picture, title = marks.get(start_ms, (None, ""))
        if scenes and picture is not None and scenes[-1].picture == picture:
            last = scenes.pop()
            first_ms, title = last.start_ms, last.title
        said = [cue for cue in cues if first_ms <= cue["start_ms"] < end_ms or (number == 0 and cue["start_ms"] < 0)]
        scenes.append(Scene(first_ms, end_ms, picture, title, said))
    return scenes


def light_size(package: Package | None) -> int:
    """Return how many bytes the light version's sound and pictures have together, 0 if there is none."""
    return sum(row.size for row in light_files(package).values()) if package is not None else 0


def light_archive(package: Package) -> Derivative | None:
    found: Derivative | None = Derivative.objects.filter(package=package, kind=DerivativeKind.LIGHT_ZIP).first()
    return found


def make_light(
    *,
    recording: Recording,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> dict[str, int]:
    """Make sound, pictures and archive of the light version; what fits already is kept. Returns their sizes."""
    sound = media.services.make_light_audio(
        package=package,
        workdir=workdir,
        progress=lambda percent, activity: progress(percent * 0.4, activity),
        should_stop=should_stop,
        fenced=fenced,
    )
    pictures = _make_pictures(
        recording,
        package,
        sound.size if sound else 0,
        workdir,
        lambda percent, activity: progress(40 + percent * 0.5, activity),
        should_stop,
        fenced,
    )
    progress(92, _("Packing the archive"))
    archive = _make_archive(recording, package, workdir, fenced)
    return {"sound": sound.size if sound else 0, "pictures": pictures, "archive": archive.size}


def renew(recording: Recording) -> None:
    """Have the archive made again if there is one, or should be one."""
    from library.updates import request_update  # it uses this module

    package = recording.asset.current_package
    if package is not None and light_archive(package) is not None:
        request_update(recording=recording, task=UpdateTask.LIGHT)


def tracks_changed(recording: Recording) -> None:
    """Subtitles were published, hidden or changed. What is hidden leaves the archive at once (promise A5)."""
    package = recording.asset.current_package
    archive = light_archive(package) if package is not None else None
    if package is None or archive is None:
        return
    shown = {track.language: str(track.current_revision_id) for track in _tracks(recording)}
    inside = archive.facts.get("languages", {})
    if shown == inside:
        return
    if not set(inside) <= set(shown):
        stored.replace_row(archive, "")
        archive.delete()
    from library.updates import request_update  # it uses this module

    request_update(recording=recording, task=UpdateTask.LIGHT)


# --- Pictures ------------------------------------------------------------------------------------------------------


def _shown_pages(recording: Recording, window: Window) -> list[tuple[int, int, MaterialPage]]:
    rows = recording.slide_intervals.filter(page__isnull=False).select_related("page").order_by("start_ms")
    spans = ((window.span(row.start_ms, row.end_ms), row.page) for row in rows)
    return [(*span, page) for span, page in spans if span is not None and page is not None]


def _page_name(page: MaterialPage) -> str:
    return f"page-{page.pk.hex}"


def _gaps(shown: Sequence[tuple[int, int, MaterialPage]], duration_ms: int) -> list[tuple[int, int]]:
    """Return the stretches without a slide that are long enough to show something else."""
    gaps, at_ms = [], 0
    for start_ms, end_ms, _page in shown:
        gaps.append((at_ms, start_ms))
        at_ms = max(at_ms, end_ms)
    gaps.append((at_ms, duration_ms))
    long_gaps = [(start, end) for start, end in gaps if end - start >= SHORTEST_GAP_MS]
    return long_gaps or ([] if shown else [(0, duration_ms)])


def _make_pictures(
    recording: Recording,
    package: Package,
    sound_bytes: int,
    workdir: Path,
    progress: Progress,
    should_stop: ShouldStop,
    fenced: Fenced,
) -> int:
    """Make all pictures of one size, the largest that leaves the whole below BYTES_PER_HOUR. Returns their bytes."""
    window = Window.of(package)
    duration_ms = window.duration_ms(recording.asset.duration_ms or 0)
    shown = _shown_pages(recording, window)
    pages = list({page.pk: page for _start, _end, page in shown}.values())
    moments = media.services.key_moments(
        package=package,
        spans=_gaps(shown, duration_ms),
        workdir=workdir,
        progress=lambda percent, activity: progress(percent * 0.3, activity),
        should_stop=should_stop,
    )
    # Not every gap may be worth a page of its own; beyond that the hour would be full of stills.
    moments = _thinned(moments, most=max(12, round(80 * duration_ms / 3_600_000)))
    names = [*(_page_name(page) for page in pages), *(f"at-{window.source_ms(at_ms)}" for at_ms in moments)]
    budget = BYTES_PER_HOUR * (1 - OTHER_BYTES) * duration_ms / 3_600_000 - sound_bytes
    budget = max(SMALLEST_BUDGET, budget)
    with tempfile.TemporaryDirectory(dir=workdir) as name:
        folder = Path(name)
        for size in SIZES:
            paths = [_draw_page(page, size, folder) for page in pages]
            paths += media.services.draw_stills(
                package=package,
                moments=moments,
                size=size,
                folder=folder,
                workdir=workdir,
                progress=lambda percent, activity: progress(30 + percent * 0.6, activity),
                should_stop=should_stop,
            )
            if sum(path.stat().st_size for path in paths) <= budget:
                break
        return _keep_pictures(package, names[: len(paths)], paths, window, fenced)


def _keep_pictures(package: Package, names: list[str], paths: list[Path], window: Window, fenced: Fenced) -> int:
    existing = {row.name: row for row in package.derivatives.filter(kind=DerivativeKind.LIGHT_PICTURE)}
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    new: list[tuple[str, str, str, int]] = []
    total = sum(path.stat().st_size for path in paths)
    try:
        for picture, path, digest in zip(names, paths, digests, strict=True):
            before = existing.get(picture)
            if before is None or before.facts.get("sha256") != digest:
                key = stored.new_key(package, "light", ".jpg")
                size = stored.put(path, key)
                new.append((picture, key, digest, size))
    except BaseException:
        stored.delete_now([key for _name, key, _digest, _size in new])
        raise
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted += [key for _name, key, _digest, _size in new]
        for picture, key, digest, size in new:
            at = {"at_ms": int(picture.removeprefix("at-"))} if picture.startswith("at-") else {}
            save_derivative(
                package,
                DerivativeKind.LIGHT_PICTURE,
                name=picture,
                key=key,
                size=size,
                content_type="image/jpeg",
                facts={"sha256": digest, **at},
            )
        for picture, row in existing.items():
            if picture not in names:
                stored.replace_row(row, "")
                row.delete()
    return total


def _thinned(moments: list[int], *, most: int) -> list[int]:
    """Return at most that many, evenly chosen."""
    if len(moments) <= most:
        return moments
    return [moments[number * len(moments) // most] for number in range(most)]


def _draw_page(page: MaterialPage, size: Size, folder: Path) -> Path:
    """Write a page that we drew ourselves (events/slides.py) as a small JPEG."""
    from PIL import Image

    path = folder / f"{_page_name(page)}.jpg"
    with page.image.open("rb") as file, Image.open(file, formats=("JPEG", "PNG")) as image:
        small = image.convert("RGB")
        small.thumbnail((size.side, size.side), Image.Resampling.LANCZOS)
        small.save(path, "JPEG", quality=size.quality, optimize=True, progressive=True)
    return path


# --- The archive ---------------------------------------------------------------------------------------------------


def _tracks(recording: Recording) -> list[TextTrack]:
    return [
        track
        for track in transcripts_selectors.published_tracks(asset=recording.asset)
        if track.current_revision_id is not None
    ]


def _cue_rows(track: TextTrack | None, window: Window) -> list[dict[str, Any]]:
    if track is None:
        return []
    return [
        {"start_ms": cue.start_ms, "end_ms": cue.end_ms, "speaker": cue.speaker, "plain": plain(cue.text)}
        for cue in transcripts_selectors.cues_of(track, window=window)
    ]


def _make_archive(recording: Recording, package: Package, workdir: Path, fenced: Fenced) -> Derivative:
    tracks = _tracks(recording)
    with tempfile.TemporaryDirectory(dir=workdir) as name:
        path = Path(name) / "light.zip"
        _write_archive(path, recording, package, tracks)
        key = stored.new_key(package, "light", ".zip")
        size = stored.put(path, key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted.append(key)
        return save_derivative(
            package,
            DerivativeKind.LIGHT_ZIP,
            key=key,
            size=size,
            content_type="application/zip",
            facts={"languages": {track.language: str(track.current_revision_id) for track in tracks}},
        )


def _write_archive(path: Path, recording: Recording, package: Package, tracks: list[TextTrack]) -> None:
    files = light_files(package)
    sound = files.pop("sound.m4a", None)
    window = Window.of(package)
    spoken = recording.webinar.spoken_language
    first = next((track for track in tracks if track.language == spoken), tracks[0] if tracks else None)
    scenes = scenes_of(recording, package, first)
    # Every other language's words, scene by scene beside the first one's.
    others = [(track, scenes_of(recording, package, track)) for track in tracks if track is not first]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with translation.override(spoken if translation.check_for_language(spoken) else "en"):
            page = render_to_string(
                "library/offline.html",
                {
                    "webinar": recording.webinar,
                    "has_sound": sound is not None,
                    "scenes": [
                        {
                            "scene": scene,
                            "picture": f"pictures/{number + 1:03}.jpg" if scene.picture else "",
                            "words": [(track, said[number].cues) for track, said in others],
                        }
                        for number, scene in enumerate(scenes)
                    ],
                    "track": first,
                    "tracks": tracks,
                    "chapters": shown_chapters(recording, window),
                },
            )
        archive.writestr("index.html", page)
        for asset in ("light.css", "light.js"):
            archive.writestr(asset, _static(asset))
        for track in tracks:
            for text_format in ("vtt", "txt", "html"):
                text = transcripts_services.export_track(track=track, format=text_format, window=window)
                archive.writestr(f"subtitles/{track.language}.{text_format}", text)
        for number, scene in enumerate(scenes):
            if scene.picture is not None:
                _store(archive, scene.picture.key, f"pictures/{number + 1:03}.jpg")
        if sound is not None:
            _store(archive, sound.key, "sound.m4a")


def _store(archive: zipfile.ZipFile, key: str, name: str) -> None:
    """Copy a stored file, which is compressed already, piece by piece."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_STORED
    info.external_attr = 0o644 << 16
    with stored.open_stored(key) as source, archive.open(info, "w") as target:
        while chunk := source.read(io.DEFAULT_BUFFER_SIZE * 16):
            target.write(chunk)


def _static(name: str) -> bytes:
    found = finders.find(f"rostrum/{name}")
    if not found:
        raise NotBuilt(_("The interface was not built: run `make frontend`."))
    return Path(found).read_bytes()
