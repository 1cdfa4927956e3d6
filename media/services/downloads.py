"""Files to keep: MP4 with picture and sound, also an interpreter's, and with every track inside. No re-encoding."""

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg
from babel import Locale, UnknownLocaleError
from django.db import transaction
from django.utils.translation import gettext as _

from media.errors import PackageIncomplete
from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.languages import iso639_2
from media.models import MAIN_SOUND, Derivative, DerivativeKind, Package, Rendition, RenditionKind
from media.services import stored
from media.services.audio import save_derivative
from media.services.channels import sounds_of
from media.services.stored import Fenced

SMALL_HEIGHT = 480  # of the picture for slow lines
OPTIONS = {"c": "copy", "movflags": "+faststart", "map_metadata": "-1", "map_chapters": "-1", "f": "mp4"}


def make_downloads(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> list[Derivative]:
    """Make one MP4 per rung, named like it, from the very streams that play; of sound alone an M4A named "audio".

    Of each interpreter's channel there is the largest picture and a small one for slow lines, with that sound instead;
    `facts["language"]` says which. What was made from the same streams before is kept; what is not wanted any more
    goes.
    """
    wanted = _wanted(package)
    rows = []
    for number, (name, parts, language) in enumerate(wanted):
        progress(100 * number / len(wanted), _("Preparing the download %(name)s") % {"name": name})
        facts: dict[str, Any] = {"made_of": [part.key for part in parts]}
        if language:
            facts |= {"language": language, "rung": parts[0].name}
        existing = package.derivatives.filter(kind=DerivativeKind.MP4, name=name).first()
        if existing is not None and existing.facts == facts:
            rows.append(existing)
            continue
        rows.append(
            _make(
                package,
                DerivativeKind.MP4,
                name,
                parts,
                [],
                facts=facts,
                workdir=workdir,
                should_stop=should_stop,
                fenced=fenced,
            )
        )
    with fenced():
        for row in package.derivatives.filter(kind=DerivativeKind.MP4).exclude(pk__in=[row.pk for row in rows]):
            stored.replace_key(row.key)
            row.delete()
    return rows


def make_subtitled_mp4(
    *,
    package: Package,
    tracks: Sequence[tuple[str, str]],
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> Derivative:
    """Make an MP4 of the best rung with all sounds and text tracks inside, which players outside a browser offer.

    Args:
        tracks: BCP 47 tag and WebVTT text of each. MP4 knows only ISO 639-2 codes, so the name is added in words.
    """
    sounds, rungs = _streams(package)
    progress(5, _("Putting the subtitles in"))
    parts = [*rungs[:1], *sounds]
    facts = {
        "made_of": [part.key for part in parts],
        "languages": [language for language, _text in tracks],
        "sounds": [part.language for part in sounds if part.name != MAIN_SOUND],
    }
    return _make(
        package,
        DerivativeKind.MP4_SUBTITLED,
        "",
        parts,
        tracks,
        facts=facts,
        workdir=workdir,
        should_stop=should_stop,
        fenced=fenced,
    )


def _wanted(package: Package) -> list[tuple[str, list[Rendition], str]]:
    """Name, streams and (of a channel) language of every file to make."""
    sounds, rungs = _streams(package)
    main = [sound for sound in sounds if sound.name == MAIN_SOUND]
    channels = [sound for sound in sounds if sound.name != MAIN_SOUND]
    if not rungs:
        return [*((MAIN_SOUND, [sound], "") for sound in main), *((row.name, [row], row.language) for row in channels)]
    small = min(rungs, key=lambda row: abs((row.height or 0) - SMALL_HEIGHT))
    return [
        *((rung.name, [rung, *main], "") for rung in rungs),
        *(
            (f"{rung.name}-{sound.language}", [rung, sound], sound.language)
            for sound in channels
            for rung in dict.fromkeys([rungs[0], small])
        ),
    ]


def _streams(package: Package) -> tuple[list[Rendition], list[Rendition]]:
    """Return the sounds, the recording's own first, and the rungs, best first.

    Raises:
        PackageIncomplete: there is neither.
    """
    sounds = sounds_of(package)
    # Files are for players of all ages: no AV1.
    rungs = [row for row in package.renditions.all() if row.codecs.startswith("avc1")]
    rungs.sort(key=lambda row: (row.height or 0) * (row.width or 0), reverse=True)
    if not sounds and not rungs:
        raise PackageIncomplete(_("There is nothing to download yet."))
    return sounds, rungs


def _make(
    package: Package,
    kind: DerivativeKind,
    name: str,
    parts: Sequence[Rendition],
    tracks: Sequence[tuple[str, str]],
    *,
    facts: dict[str, Any],
    workdir: Path,
    should_stop: ShouldStop,
    fenced: Fenced,
) -> Derivative:
    is_sound_alone = all(part.kind == RenditionKind.AUDIO for part in parts)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=workdir)))
        inputs = {part.name: stack.enter_context(stored.on_disk(part.key, workdir)) for part in parts}
        streams = [own_input(part.name)["v" if part.kind == RenditionKind.VIDEO else "a"] for part in parts]
        options: dict[str, Any] = dict(OPTIONS)
        names = []
        for number, sound in enumerate(part for part in parts if part.kind == RenditionKind.AUDIO):
            options[f"disposition:a:{number}"] = "default" if number == 0 else "0"
            if sound.language:
                options[f"metadata:s:a:{number}"] = f"language={iso639_2(sound.language)}"
                names.append((f"a:{number}", sound.language))
        for number, (language, text) in enumerate(tracks):
            path = folder / f"track{number}.vtt"
            path.write_text(text, encoding="utf-8")
            inputs[f"track{number}"] = path
            streams.append(own_input(f"track{number}", f="webvtt")["s"])
            options["c:s"] = "mov_text"
            options[f"metadata:s:s:{number}"] = f"language={iso639_2(language)}"
            names.append((f"s:{number}", language))
        target = stack.enter_context(tempfile.TemporaryDirectory(dir=workdir))
        arguments = ffmpeg.get_args(ffmpeg.output(*streams, "file:out/download.mp4", **options))
        titles = [
            flag
            for stream, language in names
            for flag in (f"-metadata:s:{stream}", f"handler_name={language_name(language)}")
        ]
        run_ffmpeg(
            # Without -copyts every input would be moved to begin at 0: sound, whose hidden first samples lie before it,
            # would come late by up to 43 ms.
            ["-copyts", *arguments[:-1], *titles, arguments[-1]],
            inputs=inputs,
            output_dir=Path(target),
            duration_ms=max(part.duration_ms for part in parts),
            should_stop=should_stop,
        )
        key = stored.new_key(package, name or "subtitled", ".m4a" if is_sound_alone else ".mp4")
        size = stored.put(Path(target) / "download.mp4", key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted.append(key)
        return save_derivative(
            package,
            kind,
            name=name,
            key=key,
            size=size,
            content_type="audio/mp4" if is_sound_alone else "video/mp4",
            facts=facts,
        )


def language_name(tag: str) -> str:
    """Return a language's own name for itself, or its tag."""
    try:
        return Locale.parse(tag, sep="-").get_display_name() or tag
    except (UnknownLocaleError, ValueError):
        return tag
