"""From upload to announcement: everything that happens to a recording.

    inspect -+-> first_look (watchable within seconds) -+
             +-> encode (parts) ------------------------+-> package -----------------+-> ready -> publish -> follow_up
             +-> audio ---------------------------------+                            |
                  +-> transcribe (parts) -> captions ---|----------------------------+
                                               |        |
                                               +-> translate, one per language ------+-> subtitled_mp4 --> follow_up
             channels (interpreters', only where there are any): after audio, before package
             replace (only of a file that takes another's place): after package and captions, before ready
             pictures (poster, storyboard): after encode
             slides (which is on screen when; chapters): after encode
             light (for slow connections): after package, slides, captions and translations

Each step is an ordinary function that may run twice. Steps do not know each other: the table `STEPS` is the only place
that says what follows what. Optional steps hold nothing up; text tracks join a published page when they are ready.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

import library.chapters
import library.light
import library.messages
import library.services
import library.slides
import library.versions
import media.services
import transcripts.selectors
import transcripts.services
from library.models import RecordingState
from media.models import Package
from media.timeline import Window
from studio.models import Production, StepPart, StepRow
from transcripts.errors import HasErrors
from work.errors import Skip
from work.models import WorkState

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """What a step may use: its production, a folder to work in, and the way to its row.

    `report(percent, activity)` shows progress, `should_stop()` says whether to give up, `fenced()` is the transaction
    in which results are stored (it fails once another worker has taken over).
    """

    production: Production
    workdir: Path
    report: Callable[[float, str], None]
    should_stop: Callable[[], bool]
    fenced: Callable[[], AbstractContextManager[None]]
    language: str = ""  # of a step that exists once per language

    @property
    def package(self) -> Package:
        package = self.production.package
        if package is None:
            raise Skip(_("There is nothing to work on."))
        return package


# --- The steps -----------------------------------------------------------------------------------------------------


def inspect(run: Run) -> None:
    """Look into the file, refuse what is unsafe or not a recording, and open a new version of what is made from it."""
    asset = run.production.asset
    media.services.inspect_source(
        asset=asset,
        workdir=run.workdir,
        language=run.production.spoken_language,
        progress=run.report,
        should_stop=run.should_stop,
        fenced=run.fenced,
    )
    if run.production.package is None:
        with run.fenced():
            run.production.package = media.services.start_package(asset=asset)
            run.production.save(update_fields=["package", "updated_at"])


def first_look(run: Run) -> None:
    """Make it watchable: by copying streams where the source allows, else with the lowest useful rung."""
    media.services.make_first_look(
        package=run.package, workdir=run.workdir, progress=run.report, should_stop=run.should_stop, fenced=run.fenced
    )


def plan_encode(production: Production) -> list[dict[str, Any]]:
    assert production.package is not None
    return media.services.plan_encode_parts(package=production.package)


def encode_part(run: Run, part: dict[str, Any]) -> dict[str, Any]:
    """Encode every rung of one stretch of picture from one decode."""
    return media.services.encode_part(
        package=run.package,
        part=part,
        workdir=run.workdir,
        progress=run.report,
        should_stop=run.should_stop,
        fenced=run.fenced,
    )


def join_encoded(run: Run, results: list[dict[str, Any]]) -> None:
    if not results:
        raise Skip(_("There is no picture to encode, or the copied one is enough."))
    media.services.join_parts(
        package=run.package,
        results=results,
        workdir=run.workdir,
        progress=run.report,
        should_stop=run.should_stop,
        fenced=run.fenced,
    )


def plan_av1(production: Production) -> list[dict[str, Any]]:
    assert production.package is not None
    return media.services.plan_encode_parts(package=production.package, codec="av1")


def join_av1(run: Run, results: list[dict[str, Any]]) -> None:
    if not results:
        raise Skip(_("This server makes no AV1, or the picture is too small for it."))
    join_encoded(run, results)


def audio(run: Run) -> None:
    """Encode the sound once, at one loudness, for all rungs; and once more for speech recognition."""
    if not run.production.asset.has_audio:
        raise Skip(_("The recording has no sound."))
    media.services.make_audio(
        package=run.package,
        workdir=run.workdir,
        language=run.production.spoken_language,
        progress=run.report,
        should_stop=run.should_stop,
        fenced=run.fenced,
    )


def channels(run: Run) -> None:
    """Give this version the interpreters' channels that viewers may have, before it takes the place of another."""
    if not media.services.make_channels(
        package=run.package, workdir=run.workdir, progress=run.report, should_stop=run.should_stop, fenced=run.fenced
    ):
        raise Skip(_("No interpreter's channel has found its place yet."))


def pictures(run: Run) -> None:
    """Choose a poster and draw the storyboard for the seek bar."""
    if not run.production.asset.has_video:
        raise Skip(_("The recording has no picture."))
    media.services.make_pictures(
        package=run.package, workdir=run.workdir, progress=run.report, should_stop=run.should_stop, fenced=run.fenced
    )


def slides(run: Run) -> dict[str, Any]:
    """Find out which slide is on screen when, and make chapters of that."""
    recording = run.production.recording
    found = library.slides.find_slides(
        recording=recording,
        package=run.package,
        workdir=run.workdir,
        progress=run.report,
        should_stop=run.should_stop,
        fenced=run.fenced,
    )
    with run.fenced():
        return {"slides": found, "chapters": library.chapters.make_chapters(recording=recording)}


def light(run: Run) -> dict[str, Any]:
    """Make the version for slow connections: pictures, small sound, words."""
    recording = run.production.recording
    recording.refresh_from_db()
    return library.light.make_light(
        recording=recording,
        package=run.package,
        workdir=run.workdir,
        progress=run.report,
        should_stop=run.should_stop,
        fenced=run.fenced,
    )


def plan_transcription(production: Production) -> list[dict[str, Any]]:
    assert production.package is not None
    asset = production.asset
    if production.keeps_subtitles:
        raise Skip(_("The subtitles of the former file are kept."))
    if not asset.has_audio:
        raise Skip(_("The recording has no sound."))
    if not transcripts.services.can_transcribe(production.spoken_language):
        raise Skip(_("No engine here can write subtitles in this language; a person can upload them."))
    return transcripts.services.plan_transcription(asset=asset, package=production.package)


def transcribe_part(run: Run, part: dict[str, Any]) -> dict[str, Any]:
    """Write down what is said in one stretch of sound."""
    return transcripts.services.transcribe_part(
        package=run.package,
        part=part,
        language=run.production.spoken_language,
        other_languages=run.production.other_languages,
        hints=_hints(run.production),
        progress=run.report,
        should_stop=run.should_stop,
    )


def keep_transcription(run: Run, results: list[dict[str, Any]]) -> dict[str, Any]:
    """The parts' results stay with the step until `captions` makes cues of them."""
    return {"parts": results}


def captions(run: Run) -> dict[str, Any]:
    """Make readable cues of what was heard."""
    transcription = run.production.steps.get(name="transcribe")
    if transcription.state != WorkState.DONE:
        raise Skip(transcription.error or _("There is no transcription."))
    with run.fenced():
        track = transcripts.services.write_captions(
            asset=run.production.asset,
            results=transcription.result["parts"],
            language=run.production.spoken_language,
            terms=_hints(run.production),
        )
        _publish_if_wanted(run.production, track)
    return {"cues": track.current_revision.cue_count if track.current_revision else 0}


def translate(run: Run) -> dict[str, Any]:
    """Translate the captions into one language."""
    asset = run.production.asset
    source = transcripts.selectors.captions_of(asset=asset, language=run.production.spoken_language)
    if source is None or source.current_revision is None or not source.current_revision.cue_count:
        raise Skip(_("There are no captions to translate."))
    # A server that cannot be reached is no reason to go without: the step then fails, and can be tried again.
    if not transcripts.services.can_translate(source.language, run.language, otherwise=True):
        raise Skip(_("No engine here can translate into this language; a person can upload subtitles."))
    track = transcripts.services.translate_track(
        asset=asset,
        source_track=source,
        language=run.language,
        package=run.production.package,
        progress=run.report,
        should_stop=run.should_stop,
        fenced=run.fenced,
    )
    with run.fenced():
        _publish_if_wanted(run.production, track)
    return {"cues": track.current_revision.cue_count if track.current_revision else 0}


def package(run: Run) -> None:
    """Check what was made against the source, make the downloads, and show this version to viewers."""
    media.services.check_package(
        package=run.package, workdir=run.workdir, progress=run.report, should_stop=run.should_stop
    )
    media.services.make_downloads(
        package=run.package, workdir=run.workdir, progress=run.report, should_stop=run.should_stop, fenced=run.fenced
    )
    with run.fenced():
        media.services.complete_package(package=run.package)


def subtitled_mp4(run: Run) -> None:
    """Put every subtitle track and every sound into one MP4 for people who watch elsewhere."""
    asset = run.production.asset
    tracks = [
        (track.language, transcripts.services.export_track(track=track, format="vtt", window=Window.of(run.package)))
        for track in transcripts.selectors.tracks_of(asset=asset)
        if track.current_revision is not None and track.current_revision.cue_count
    ]
    if not tracks and len(media.services.sounds_of(run.package)) < 2:
        raise Skip(_("There are no subtitles to put in."))
    media.services.make_subtitled_mp4(
        package=run.package,
        tracks=tracks,
        workdir=run.workdir,
        progress=run.report,
        should_stop=run.should_stop,
        fenced=run.fenced,
    )


def replace(run: Run) -> dict[str, Any]:
    """Show the new file in place of the former one, with the former's subtitles if they are to be kept."""
    production = run.production
    asset = production.replacement
    if asset is None:
        raise Skip(_("The file that was to take the place of the recording's is gone."))
    recording = production.recording
    if recording.asset_id == asset.pk:
        return {}
    with run.fenced():
        if production.keeps_subtitles:
            transcripts.services.copy_tracks(
                source=recording.asset,
                target=asset,
                offset_ms=production.subtitle_offset_ms,
                user=production.created_by,
            )
        former = library.versions.replace_asset(
            recording=recording,
            asset=asset,
            user=production.created_by,
            offset_ms=production.subtitle_offset_ms,
            keeps_timeline=production.keeps_subtitles,
        )
    recording.refresh_from_db()
    return {"former_version": str(former.pk)}


def ready(run: Run) -> None:
    """A person can look at it now; or, if so agreed before, it is published without waiting for one."""
    production = run.production
    if production.publish_when_ready and production.publish_requested_at is None:
        with run.fenced():
            production.publish_requested_at = timezone.now()
            production.save(update_fields=["publish_requested_at", "updated_at"])


def publish(run: Run) -> None:
    """Open the recording to those who may watch it, with the text tracks that exist by now."""
    production = run.production
    if production.replacement_id and production.recording.state == RecordingState.WITHDRAWN:
        raise Skip(_("The recording was withdrawn meanwhile."))
    with run.fenced():
        for track in transcripts.selectors.tracks_of(asset=production.asset):
            _publish_if_wanted(production, track)
        library.services.publish_recording(recording=production.recording, user=production.created_by)


def follow_up(run: Run) -> dict[str, Any]:
    """Tell every registrant, once, where the recording is."""
    if not run.production.send_follow_up:
        raise Skip(_("No follow-up was wanted."))
    with run.fenced():
        return {"mails": library.messages.send_follow_up(recording=run.production.recording)}


def _publish_if_wanted(production: Production, track: Any) -> None:
    production.refresh_from_db(fields=["publish_requested_at"])
    wanted = production.publish_requested_at is not None
    if wanted and track.state == track.State.DRAFT and track.current_revision_id is not None:
        try:
            transcripts.services.publish_track(track=track, user=production.created_by)
        except HasErrors as error:
            # Viewers get the recording; these subtitles wait for a person who corrects them or says "anyway".
            logger.warning("%s stays a draft: %s", track, error)


def _hints(production: Production) -> list[str]:
    """Names and terms that speech recognition would otherwise misspell."""
    webinar = production.recording.webinar
    names = [value for s in webinar.speakers.all() for value in (s.name, s.affiliation) if value]
    terms = [term.text for term in transcripts.selectors.glossary_of(production.recording.asset)]
    return [str(webinar.title), *names, *filter(None, [webinar.topic]), *terms]


# --- What follows what ---------------------------------------------------------------------------------------------


def _always(_production: Production) -> bool:
    return True


def _is_publication_requested(production: Production) -> bool:
    return production.publish_requested_at is not None


@dataclass(frozen=True)
class Step:
    """One row of the table.

    A plain step has `run`. A step in parts has `plan` (what the parts are), `run_part` and `join` instead.
    """

    name: str
    run: Callable[[Run], dict[str, Any] | None] | None = None
    after: tuple[str, ...] = ()
    queue: str = "default"
    optional: bool = False
    per_language: bool = False
    gate: Callable[[Production], bool] = _always
    plan: Callable[[Production], list[dict[str, Any]]] | None = None
    run_part: Callable[[Run, dict[str, Any]], dict[str, Any]] | None = None
    join: Callable[[Run, list[dict[str, Any]]], dict[str, Any] | None] | None = None
    can_be_skipped: bool = False  # by a person, after it failed
    of_replacements: bool = False  # only where a new file takes the place of a recording's
    of_channels: bool = False  # only where the recording has interpreters' channels
    for_cuts: bool = False  # made again for each version that is cut at its ends (studio/cutting.py)
    is_wanted: Callable[[], bool] = lambda: True  # asked when a production begins


STEPS = (
    Step("inspect", inspect, queue="media"),
    Step("first_look", first_look, after=("inspect",), queue="media"),
    Step("audio", audio, after=("inspect",), queue="media"),
    Step("channels", channels, after=("audio",), queue="media", optional=True, of_channels=True),
    Step(
        "encode",
        plan=plan_encode,
        run_part=encode_part,
        join=join_encoded,
        after=("inspect", "first_look"),
        queue="media",
    ),
    Step("pictures", pictures, after=("encode", "first_look"), queue="media", optional=True, for_cuts=True),
    Step(
        "transcribe",
        plan=plan_transcription,
        run_part=transcribe_part,
        join=keep_transcription,
        after=("audio",),
        queue="speech",
        can_be_skipped=True,
    ),
    Step("captions", captions, after=("transcribe",), can_be_skipped=True),
    Step("translate", translate, after=("captions",), queue="speech", optional=True, per_language=True),
    Step("package", package, after=("first_look", "encode", "audio", "channels"), queue="media"),
    Step("replace", replace, after=("package", "captions"), of_replacements=True),
    Step("slides", slides, after=("encode", "first_look", "replace"), queue="media", optional=True),
    Step(
        "subtitled_mp4",
        subtitled_mp4,
        after=("package", "captions", "translate", "replace"),
        queue="media",
        optional=True,
        for_cuts=True,
    ),
    Step(
        "light",
        light,
        after=("package", "slides", "captions", "translate", "replace"),
        queue="media",
        optional=True,
    ),
    Step(
        "av1",
        plan=plan_av1,
        run_part=encode_part,
        join=join_av1,
        after=("package",),
        queue="media",
        optional=True,
        is_wanted=lambda: media.services.current_recipe().av1.enabled,
    ),
    Step("ready", ready, after=("package", "captions", "replace")),
    Step("publish", publish, after=("ready",), gate=_is_publication_requested),
    Step("follow_up", follow_up, after=("publish", "translate", "subtitled_mp4"), optional=True),
)

STEPS_BY_NAME = {step.name: step for step in STEPS}


def step_of(row: StepRow) -> Step:
    return STEPS_BY_NAME[row.name.partition(":")[0]]


def rows_for(production: Production) -> list[StepRow]:
    """The rows of a new production: one per step, or one per language."""
    names: list[tuple[str, Step]] = []
    for step in filter(lambda step: step.is_wanted(), STEPS):
        if step.of_replacements and production.replacement_id is None:
            continue
        if step.of_channels and not production.asset.channels.exists():
            continue
        if step.per_language:
            names += [(f"{step.name}:{language}", step) for language in production.subtitle_languages]
        else:
            names.append((step.name, step))
    return [
        StepRow(production=production, name=name, position=position, is_optional=step.optional)
        for position, (name, step) in enumerate(names)
    ]


def ready_rows(production: Production, rows: Iterable[StepRow]) -> list[StepRow]:
    """The waiting rows whose predecessors are finished, whose gate is open, and whose parts are not under way."""
    rows = list(rows)
    found = []
    for row in rows:
        step = step_of(row)
        if row.state != WorkState.WAITING or not step.gate(production):
            continue
        before = [other for other in rows if step_of(other).name in step.after]
        if all(_lets_pass(other) for other in before) and not unfinished_parts(row).exists():
            found.append(row)
    return found


def _lets_pass(row: StepRow) -> bool:
    if row.state in (WorkState.DONE, WorkState.SKIPPED):
        return True
    return row.is_optional and row.state in (WorkState.FAILED, WorkState.CANCELLED)


def unfinished_parts(row: StepRow) -> "QuerySet[StepPart]":
    return row.parts.filter(state__in=[WorkState.WAITING, WorkState.QUEUED, WorkState.RUNNING])


def with_language(run: Run, row: StepRow) -> Run:
    return dataclasses.replace(run, language=row.name.partition(":")[2])
