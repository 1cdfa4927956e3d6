"""Interpreters' channels: sounds recorded in files of their own, which viewers can choose instead of the speaker's.

    add_channel -> prepare_channel (measured, placed, excerpts for the ear) -> make_channel, once per version
                                     +-> a weak match waits for confirm_channel, by a person who has listened

A channel belongs to the asset of the recording; every version (package) gets a rendition of it, cut and filled to
exactly the version's stretch. Whoever makes a version calls `make_channel` for each of `usable_channels`.
"""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from media.errors import MediaError, MediaRejected
from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.models import (
    MAIN_SOUND,
    SURE_MATCH,
    Asset,
    Derivative,
    DerivativeKind,
    InterpretationChannel,
    Package,
    Rendition,
    RenditionKind,
)
from media.services import stored
from media.services.audio import encode_sound, measured, save_derivative, speech_of
from media.services.inspection import workable_source
from media.services.packages import delete_asset
from media.services.stored import Fenced
from media.services.video import NO_METADATA, read_track, save_rendition
from media.sound import RATE, Level, first_level, fitted, levelled, stretched
from media.source import SourceFacts
from media.timeline import Window
from work.errors import TemporaryFailure

LEAST_MATCH = 0.2  # below this, what was found is an accident
PLACES = 3  # of the recording at which a person can listen
EXCERPT_S = 20
MARGIN_S = 15  # of the channel to both sides, so that it can be moved without fetching more
MOST_OFFSET_MS = 24 * 3600 * 1000


class ChannelError(MediaError):
    """This cannot be done with the channel."""

    code = "channel"
    status = 409


class RecordingNotHeard(ChannelError):
    """The recording's own sound is not prepared yet, so there is nothing to compare with."""

    code = "recording_not_prepared"


class Excerpt(NamedTuple):
    """What a person compares at one place: twenty seconds of the recording, and the channel around them.

    `channel_ms` is where in the channel's file its excerpt begins; None if the channel is silent there, as it had not
    begun or was over.
    """

    place_ms: int
    main: Derivative | None
    channel: Derivative | None
    channel_ms: int | None


# --- What a person does --------------------------------------------------------------------------------------------


def add_channel(
    *, asset: Asset, source: Asset, language: str, name: str = "", user: User | None = None
) -> InterpretationChannel:
    """Take a file as the interpretation of a recording into one language. The same file again: the same channel.

    Args:
        source: an inspected asset of its own; its picture, if it has one, is not used.
        language: a BCP 47 tag.

    Raises:
        MediaRejected: the file has no sound, is used for something else, or the language has a channel already.
    """
    existing = InterpretationChannel.objects.filter(source=source).first()
    if existing is not None and (existing.asset_id, existing.language) == (asset.pk, language):
        return existing
    if not source.has_audio:
        raise MediaRejected(_("This file has no sound, so it cannot be an interpreter's channel."), code="no_sound")
    is_used = existing is not None or source.pk == asset.pk or source.packages.exists()
    if is_used or source.organisation_id != asset.organisation_id:
        raise MediaRejected(_("This file is used for something else. Upload it again."), code="in_use")
    try:
        with transaction.atomic():
            channel = InterpretationChannel.objects.create(
                asset=asset, source=source, language=language, name=name.strip()
            )
            record_action(
                action="channel.add",
                target=channel,
                organisation=asset.organisation,
                user=user,
                language=language,
                file_name=source.file_name,
            )
    except IntegrityError as error:
        raise MediaRejected(
            _("There is an interpreter's channel in this language already. Remove it first, then upload the new one."),
            code="channel_exists",
            field="language",
        ) from error
    return channel


def confirm_channel(*, channel: InterpretationChannel, offset_ms: int, user: User | None = None) -> None:
    """Say, after listening, when the channel begins; from now on viewers may choose it.

    Raises:
        ChannelError: the offset is longer than a day.
    """
    _move(channel, offset_ms)
    with transaction.atomic():
        channel.confirmed_at = timezone.now()
        channel.confirmed_by = user
        channel.save(update_fields=["offset_ms", "drift_ppm", "confirmed_at", "confirmed_by", "updated_at"])
        _record("channel.confirm", channel, user, offset_ms=offset_ms)


def try_offset(*, channel: InterpretationChannel, offset_ms: int, user: User | None = None) -> None:
    """Put the channel elsewhere, to listen there; viewers cannot choose it until that is confirmed.

    Raises:
        ChannelError: the offset is longer than a day.
    """
    _move(channel, offset_ms)
    with transaction.atomic():
        channel.match = 0.0
        channel.confirmed_at = channel.confirmed_by = None
        channel.save(update_fields=["offset_ms", "drift_ppm", "match", "confirmed_at", "confirmed_by", "updated_at"])
        _withdraw(channel)
        _record("channel.move", channel, user, offset_ms=offset_ms)


def rename_channel(*, channel: InterpretationChannel, name: str, user: User | None = None) -> None:
    """Give the channel a name in the player; an empty one means the language's own name."""
    with transaction.atomic():
        channel.name = name.strip()[:100]
        channel.save(update_fields=["name", "updated_at"])
        _record("channel.rename", channel, user, name=channel.name)


def remove_channel(*, channel: InterpretationChannel, user: User | None = None) -> None:
    """Remove a channel everywhere: from every version, from the downloads, and the file that was uploaded."""
    source = channel.source
    with transaction.atomic():
        _record("channel.remove", channel, user, file_name=source.file_name)
        _withdraw(channel)
        for excerpt in _excerpt_rows(channel):
            stored.replace_key(excerpt.key)
            excerpt.delete()
        channel.delete()
        delete_asset(asset=source, user=user)


def move_channels(*, source: Asset, target: Asset) -> list[InterpretationChannel]:
    """Let the channels follow a recording to another file; each must be placed anew there.

    What `source` shows keeps its renditions, since somebody may still be watching it.
    """
    moved = []
    with transaction.atomic():
        for channel in source.channels.exclude(language__in=target.channels.values("language")):
            channel.asset = target
            channel.offset_ms = channel.match = channel.confirmed_at = channel.confirmed_by = None
            channel.drift_ppm = 0
            channel.save()
            moved.append(channel)
    return moved


# --- What there is -------------------------------------------------------------------------------------------------


def usable_channels(asset: Asset) -> "QuerySet[InterpretationChannel]":
    """The channels that viewers may have: surely placed, or confirmed."""
    sure = Q(match__gte=SURE_MATCH) | Q(confirmed_at__isnull=False)
    return asset.channels.filter(sure, offset_ms__isnull=False).select_related("source").order_by("language")


def sounds_of(package: Package) -> list[Rendition]:
    """All sounds of a version, the recording's own one first."""
    rows = [row for row in package.renditions.all() if row.kind == RenditionKind.AUDIO]
    return sorted(rows, key=lambda row: (row.name != MAIN_SOUND, row.language, row.name))


def rendition_name(channel: InterpretationChannel) -> str:
    """The name of a channel's rendition in every version."""
    return f"{MAIN_SOUND}-{channel.language}"


def is_made(channel: InterpretationChannel, package: Package) -> bool:
    """Whether a version has the channel as it is placed now."""
    row = package.renditions.filter(name=rendition_name(channel)).first()
    return row is not None and row.facts.get("made_of") == _made_of(channel)


def excerpts_of(channel: InterpretationChannel) -> list[Excerpt]:
    """What a person can listen to, place by place."""
    rows = {row.name: row for row in _excerpt_rows(channel)}
    found = []
    for number in range(PLACES):
        main, other = (rows.get(_excerpt_name(channel, number, side)) for side in ("main", "channel"))
        row = main or other
        if row is not None:
            found.append(Excerpt(row.facts["place_ms"], main, other, other.facts["channel_ms"] if other else None))
    return found


# --- What a worker does --------------------------------------------------------------------------------------------


def prepare_channel(
    *,
    channel: InterpretationChannel,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> None:
    """Measure the channel, find its place in the recording, and cut out what a person can compare by ear.

    A place that a person gave stays. Without any sound of the recording's own to compare with, both are taken to begin
    together, and a person must confirm that.

    Raises:
        RecordingNotHeard: the recording's own sound is not prepared yet.
    """
    speech = None
    if channel.asset.has_audio:
        speech = _speech_of_whole(channel.asset)
        if speech is None:
            raise RecordingNotHeard(_("The recording's own sound is not prepared yet. Try again when it is."))
    with (
        tempfile.TemporaryDirectory(dir=workdir) as name,
        workable_source(channel.source, workdir, progress=progress, should_stop=should_stop) as (path, facts),
    ):
        folder = Path(name)
        if facts.audio is None:
            raise MediaRejected(_("This file has no sound, so it cannot be an interpreter's channel."), code="no_sound")
        with measured(path, facts.audio, folder, progress=_part(progress, 0, 25), should_stop=should_stop) as (
            _path,
            _audio,
            loudness,
        ):
            pass
        own = folder / "speech.flac"
        if speech is None:
            _keep_place(channel, loudness, {"offset_ms": 0, "drift_ppm": 0.0, "match": 0.0}, fenced)
            _keep_excerpts(channel, None, own, [0.0], folder, workdir, should_stop, fenced)
            return
        with stored.on_disk(speech.key, workdir) as main:
            sounds = [
                _samples(one, folder, index, _part(progress, 25 + 10 * index, 35 + 10 * index), should_stop)
                for index, one in enumerate((main, own))
            ]
            found = _place(channel, sounds, _part(progress, 45, 90), should_stop)
            _keep_place(channel, loudness, found, fenced)
            progress(92, _("Cutting out excerpts"))
            places = _telling_places(sounds, channel)
            _keep_excerpts(channel, main, own, places, folder, workdir, should_stop, fenced)


def make_channel(
    *,
    channel: InterpretationChannel,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> Rendition:
    """Encode a channel for one version: in its place, as long as the version, at the same loudness as its own sound.

    One that exists and is right is kept.

    Raises:
        ChannelError: nobody knows yet where the channel belongs.
        TemporaryFailure: that was changed meanwhile.
    """
    if not channel.is_usable:
        raise ChannelError(_("Listen to this channel and confirm its place first."), code="unconfirmed")
    name, made_of = rendition_name(channel), _made_of(channel)
    if is_made(channel, package):
        return package.renditions.get(name=name)
    window = Window.of(package)
    duration_ms = window.duration_ms(SourceFacts.from_json(package.asset.probe).duration_ms)
    assert channel.offset_ms is not None
    start_ms = window.start_ms - channel.offset_ms
    with (
        tempfile.TemporaryDirectory(dir=workdir) as folder_name,
        workable_source(channel.source, workdir, progress=progress, should_stop=should_stop) as (path, facts),
    ):
        folder = Path(folder_name)
        assert facts.audio is not None
        with measured(path, facts.audio, folder, progress=_part(progress, 0, 40), should_stop=should_stop) as (
            source,
            audio,
            loudness,
        ):
            result = encode_sound(
                source,
                audio,
                folder,
                shape=lambda sound: fitted(
                    stretched(sound, channel.drift_ppm), start_ms=start_ms, duration_ms=duration_ms
                ),
                loudness=loudness,
                duration_ms=duration_ms,
                language=channel.language,
                progress=_part(progress, 40, 95),
                should_stop=should_stop,
            )
        track = read_track(folder / "audio.mp4")
        key = stored.new_key(package, name, ".mp4")
        size = stored.put(folder / "audio.mp4", key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted.append(key)
        now = InterpretationChannel.objects.select_for_update().filter(pk=channel.pk).first()
        if now is None or not now.is_usable or _made_of(now) != made_of:
            raise TemporaryFailure(_("The channel was changed meanwhile."), delay_s=1, costs_try=False)
        row = save_rendition(package, name=name, key=key, size=size, track=track, rung=None, rate=None)
        row.language = channel.language
        row.facts = {"made_of": made_of, "loudness": result}
        row.save(update_fields=["language", "facts", "updated_at"])
    return row


def make_channels(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> list[Rendition]:
    """Give a version all channels that viewers may have."""
    channels = list(usable_channels(package.asset))
    return [
        make_channel(
            channel=channel,
            package=package,
            workdir=workdir,
            progress=_part(progress, 100 * number / len(channels), 100 * (number + 1) / len(channels)),
            should_stop=should_stop,
            fenced=fenced,
        )
        for number, channel in enumerate(channels)
    ]


# --- Helpers -------------------------------------------------------------------------------------------------------


def _made_of(channel: InterpretationChannel) -> dict[str, Any]:
    return {"source": channel.source.sha256, "offset_ms": channel.offset_ms, "drift_ppm": channel.drift_ppm}


def _move(channel: InterpretationChannel, offset_ms: int) -> None:
    if abs(offset_ms) > MOST_OFFSET_MS:
        raise ChannelError(_("A channel cannot begin more than a day apart from the recording."), code="too_far",
                           field="offset_ms")  # fmt: skip
    channel.offset_ms = offset_ms


def _withdraw(channel: InterpretationChannel) -> None:
    """Take the channel out of every version and out of every file to download."""
    name = rendition_name(channel)
    for rendition in Rendition.objects.filter(package__asset=channel.asset_id, name=name):
        stored.replace_key(rendition.key)
        rendition.delete()
    ours = Q(kind=DerivativeKind.MP4, facts__language=channel.language) | Q(
        kind=DerivativeKind.MP4_SUBTITLED, facts__sounds__contains=channel.language
    )
    for derivative in Derivative.objects.filter(ours, package__asset=channel.asset_id):
        stored.replace_key(derivative.key)
        derivative.delete()


def _speech_of_whole(asset: Asset) -> Derivative | None:
    """The recording's own sound for recognition, of the newest version that was not cut."""
    for package in asset.packages.filter(trim_start_ms=0, trim_end_ms=None).order_by("-created_at"):
        speech = speech_of(package)
        if speech is not None:
            return speech
    return None


def _samples(path: Path, folder: Path, number: int, progress: Progress, should_stop: ShouldStop) -> Any:
    """Decode one of our FLAC files to samples on disk, and map them into memory."""
    import numpy as np  # slow to import, and the web processes never need it

    from media.alignment import RATE as COMPARED_RATE

    run_ffmpeg(
        own_input("speech")["a"].output(
            f"file:out/samples{number}.raw", **{"f": "s16le", "c:a": "pcm_s16le", "ac": 1, "ar": COMPARED_RATE}
        ),
        inputs={"speech": path},
        output_dir=folder,
        duration_ms=MOST_OFFSET_MS // 4,
        progress=lambda _percent, activity: progress(0, activity),
        activity=_("Reading both sounds"),
        should_stop=should_stop,
    )
    raw = folder / f"samples{number}.raw"
    return np.memmap(raw, np.int16, "r") if raw.stat().st_size else np.zeros(0, np.int16)


def _place(
    channel: InterpretationChannel, sounds: list[Any], progress: Progress, should_stop: ShouldStop
) -> dict[str, Any]:
    """Find the channel's place, unless a person said where it is."""
    from media.alignment import align

    if channel.confirmed_at is not None or (channel.offset_ms is not None and channel.match is not None):
        return {}

    def report(share: float) -> None:
        progress(100 * share, _("Comparing with the recording"))
        if should_stop():
            raise TemporaryFailure(_("Stopped."), costs_try=False, code="stopped")

    found = align(sounds[0], sounds[1], report=report)
    # A drift that is not sure would do more harm than none. And where next to nothing agrees, the best guess is that
    # both began together, as files of conference systems do.
    drift_ppm = found.drift_ppm if found.match >= SURE_MATCH else 0.0
    offset_ms = found.offset_ms if found.match >= LEAST_MATCH else 0
    return {"offset_ms": offset_ms, "drift_ppm": drift_ppm, "match": found.match}


def _telling_places(sounds: list[Any], channel: InterpretationChannel) -> list[float]:
    from media.alignment import telling_places

    offset_s = (channel.offset_ms or 0) / 1000
    return telling_places(*sounds, offset_s=offset_s, count=PLACES, length_s=EXCERPT_S)


def _keep_place(
    channel: InterpretationChannel, loudness: dict[str, Any], found: dict[str, Any], fenced: Fenced
) -> None:
    with fenced():
        now = InterpretationChannel.objects.select_for_update().filter(pk=channel.pk).first()
        if now is None:
            raise ChannelError(_("The channel was removed meanwhile."), code="gone")
        now.loudness = loudness or {"integrated": None}
        if now.offset_ms is None:
            for field, value in found.items():
                setattr(now, field, value)
        now.save()
    channel.refresh_from_db()


def _excerpt_rows(channel: InterpretationChannel) -> "QuerySet[Derivative]":
    return Derivative.objects.filter(
        package__asset=channel.asset_id, kind=DerivativeKind.EXCERPT, name__startswith=f"{channel.language}:"
    ).order_by("created_at")


def _excerpt_name(channel: InterpretationChannel, number: int, side: str) -> str:
    return f"{channel.language}:{number}:{side}"


def _keep_excerpts(
    channel: InterpretationChannel,
    main: Path | None,
    own: Path,
    places: list[float],
    folder: Path,
    workdir: Path,
    should_stop: ShouldStop,
    fenced: Fenced,
) -> None:
    """Cut both sounds around each place and keep them with the newest version, which is as private as they are."""
    package = channel.asset.packages.order_by("-created_at").first()
    if package is None:
        return
    rate = 1 + channel.drift_ppm / 1e6
    made: list[tuple[str, str, int, dict[str, Any]]] = []
    try:
        for number, place_s in enumerate(places):
            begin_s = (place_s - MARGIN_S - (channel.offset_ms or 0) / 1000) / rate
            end_s = begin_s + EXCERPT_S + 2 * MARGIN_S
            begin_s = max(0.0, begin_s)
            cuts = [("channel", own, begin_s, end_s - begin_s, channel.loudness)]
            if main is not None:
                cuts.append(("main", main, place_s, EXCERPT_S, package.loudness))
            for side, path, start_s, length_s, loudness in cuts:
                if length_s <= 0:
                    continue
                out = _excerpt(path, start_s, length_s, loudness, folder, should_stop)
                if out is None:
                    continue
                key = stored.new_key(package, "excerpt", ".m4a")
                facts = {"place_ms": round(1000 * place_s), "channel_ms": round(1000 * begin_s)}
                made.append((_excerpt_name(channel, number, side), key, stored.put(out, key), facts))
    except BaseException:
        stored.delete_now([key for _name, key, _size, _facts in made])
        raise
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted += [key for _name, key, _size, _facts in made]
        for row in _excerpt_rows(channel):
            stored.replace_key(row.key)
            row.delete()
        for name, key, size, facts in made:
            save_derivative(
                package,
                DerivativeKind.EXCERPT,
                name=name,
                key=key,
                size=size,
                content_type="audio/mp4",
                facts=facts,
            )


def _excerpt(
    path: Path, start_s: float, length_s: float, loudness: dict[str, Any], folder: Path, should_stop: ShouldStop
) -> Path | None:
    """A stretch of one of our FLAC files as a small M4A; None if nothing is there."""
    level = Level(first_level(loudness).gain_db, -1.0)
    sound = own_input("speech", ss=f"{start_s:.3f}")["a"].filter("atrim", end=length_s)
    out = folder / "excerpt.m4a"
    out.unlink(missing_ok=True)
    run_ffmpeg(
        levelled(sound.filter("aresample", str(RATE)), level).output(
            "file:out/excerpt.m4a", **{"f": "mp4", "c:a": "aac", "b:a": "64k", "ac": 1, "ar": RATE, **NO_METADATA}
        ),
        inputs={"speech": path},
        output_dir=folder,
        duration_ms=round(1000 * length_s),
        should_stop=should_stop,
    )
    try:
        with out.open("rb") as file:
            return out if b"mdat" in file.read(4096) and out.stat().st_size > 2000 else None
    except FileNotFoundError:
        return None


def _record(action: str, channel: InterpretationChannel, user: User | None, **facts: Any) -> None:
    record_action(
        action=action,
        target=channel,
        organisation=channel.asset.organisation,
        user=user,
        language=channel.language,
        **facts,
    )


def _part(progress: Progress, begin: float, end: float) -> Progress:
    return lambda percent, activity: progress(begin + (end - begin) * percent / 100, activity)
