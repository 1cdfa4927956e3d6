"""The only callers of ffmpeg and ffprobe: sandboxed, limited, with progress and errors in our words."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ffmpeg
from django.conf import settings
from django.utils.translation import gettext as _

import sandbox
from media.errors import EncodingFailed, NoSpace, ToolUnavailable
from media.ffmpeg.allowed import OWN_OPTIONS, PROBE_OPTIONS, SOURCE_OPTIONS
from work import leases
from work.errors import TemporaryFailure

logger = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
ShouldStop = Callable[[], bool]

GB = 1024**3
UNWRITTEN = "No space left on device"
SOURCE = "source"  # the name, inside the sandbox, of every file that came from outside


def silent(_percent: float, _activity: str = "") -> None:
    """Progress that nobody looks at."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


def source_input(**options: Any) -> Any:
    """Begin an ffmpeg graph at the source, with the allow-lists that every hostile input must have."""
    return ffmpeg.input(f"file:in/{SOURCE}", **SOURCE_OPTIONS, **options)


def own_input(name: str, **options: Any) -> Any:
    """Begin an ffmpeg graph at a file that we made."""
    return ffmpeg.input(f"file:in/{name}", **OWN_OPTIONS, **options)


def run_ffmpeg(
    graph: Any,
    *,
    inputs: Mapping[str, Path],
    output_dir: Path,
    duration_ms: int,
    progress: Progress = silent,
    activity: str = "",
    should_stop: ShouldStop = never,
    log_level: str = "error",
    output_bytes: int = 64 * GB,
    stdout_bytes: int = 0,
) -> sandbox.Result:
    """Run one ffmpeg command.

    Args:
        graph: outputs built with ffmpeg-python from `source_input` and `own_input`, or a list of arguments.
        duration_ms: how much media the command makes: for progress, and for its time limit.
        progress: called with percent and `activity`; may raise, which ends the tool.
        stdout_bytes: most that the command may write to standard output (`pipe:1`); then there is no progress.

    Raises:
        EncodingFailed, NoSpace, ToolUnavailable: see there.
        TemporaryFailure: `should_stop` said so, and `progress` did not say why.
    """
    arguments = list(graph) if isinstance(graph, Sequence) else ffmpeg.get_args(graph)
    validate_inputs(arguments)
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-y", "-v", log_level]
    if not stdout_bytes:
        command += ["-nostats", "-progress", "pipe:1", "-stats_period", "0.5"]

    def on_line(line: str) -> None:
        name, _equals, value = line.partition("=")
        if name == "out_time_us" and value.lstrip("-").isdigit() and duration_ms:
            progress(min(99.0, max(0.0, int(value) / 10 / duration_ms)), activity)

    limits = sandbox.Limits(
        wall_s=300 + 20 * duration_ms / 1000,
        memory_bytes=settings.TOOL_MEMORY_MB * 1024**2,
        output_bytes=output_bytes,
        stdout_bytes=stdout_bytes,
    )
    return _run(
        [*command, *arguments],
        inputs=inputs,
        output_dir=output_dir,
        limits=limits,
        on_line=None if stdout_bytes else on_line,
        should_stop=should_stop,
        progress=progress,
    )


def run_ffprobe(
    arguments: Sequence[str],
    *,
    path: Path,
    output_dir: Path,
    wall_s: float = 60,
    on_line: Callable[[str], None] | None = None,
    should_stop: ShouldStop = never,
) -> sandbox.Result:
    """Look into the one file at `path` with ffprobe.

    Raises:
        sandbox.ToolFailed, sandbox.LimitExceeded: ffprobe's own view of the file; the caller knows what it means.
        ToolUnavailable: ffprobe is not installed.
    """
    command = ["ffprobe", "-hide_banner", "-v", "error"]
    for name, value in PROBE_OPTIONS.items():
        command += [f"-{name}", value]
    command += [*arguments, "-i", f"file:in/{SOURCE}"]
    limits = sandbox.Limits(wall_s=wall_s, memory_bytes=settings.TOOL_MEMORY_MB * 1024**2, output_bytes=1024**2)
    try:
        with leases.listening() as heard:
            return sandbox.run(
                command,
                inputs={SOURCE: path},
                output_dir=output_dir,
                limits=limits,
                on_line=on_line,
                should_stop=should_stop,
                on_alive=heard,
            )
    except sandbox.ToolMissing as error:
        raise _tool_missing(error) from error
    except sandbox.Stopped as error:
        raise TemporaryFailure(_("Stopped."), costs_try=False, code="stopped") from error


def validate_inputs(arguments: Sequence[str]) -> None:
    """Refuse a command whose inputs are not plain files of the sandbox behind allow-lists (promises S2, S5).

    Raises:
        ValueError: a mistake in our own code.
    """
    names = [arguments[at + 1] for at, argument in enumerate(arguments) if argument == "-i"]
    if not names or not all(name.startswith("file:in/") for name in names):
        raise ValueError(f"inputs must be files of the sandbox: {names}")
    for option in SOURCE_OPTIONS:
        if arguments.count(f"-{option}") != len(names):
            raise ValueError(f"every input needs -{option}")


def _run(
    command: Sequence[str],
    *,
    inputs: Mapping[str, Path],
    output_dir: Path,
    limits: sandbox.Limits,
    on_line: Callable[[str], None] | None,
    should_stop: ShouldStop,
    progress: Progress,
) -> sandbox.Result:
    logger.debug("running %s", command)
    try:
        with leases.listening() as heard:
            result = sandbox.run(
                command,
                inputs=inputs,
                output_dir=output_dir,
                limits=limits,
                on_line=on_line,
                should_stop=should_stop,
                on_alive=heard,
            )
    except sandbox.ToolMissing as error:
        raise _tool_missing(error) from error
    except sandbox.Stopped as error:
        progress(0, "")  # a lease raises here, and says whether it was cancelled, lost or handed back
        raise TemporaryFailure(_("Stopped."), costs_try=False, code="stopped") from error
    except sandbox.LimitExceeded as error:
        logger.warning("%s: %s: %s", command[0], error, error.stderr_tail)
        if error.which == "output":
            raise NoSpace(
                _("The result grew past its size limit, so it was given up. Ask the operator to look at the file.")
            ) from error
        raise EncodingFailed(
            _("This recording needs more %(limit)s than this server gives to one job.") % {"limit": _limit(error)},
            code="too_hard",
        ) from error
    except sandbox.ToolFailed as error:
        logger.warning("%s failed with status %s: %s", command[0], error.returncode, error.stderr_tail)
        if error.is_disk_full:
            raise no_space() from error
        raise EncodingFailed(
            _("The recording could not be converted (%(tool)s status %(status)s). Its file may be damaged.")
            % {"tool": error.tool, "status": error.returncode}
        ) from error
    if UNWRITTEN in result.stderr_tail:
        # ffmpeg 5 ends with 0 though the last of a file found no room.
        logger.warning("%s could not write: %s", command[0], result.stderr_tail)
        raise no_space()
    if result.stderr_tail and "error" in command:
        logger.info("%s said: %s", command[0], result.stderr_tail[-1000:])
    return result


def no_space() -> NoSpace:
    return NoSpace(_("The server's disk is full. Ask its operator to make room, then try this step again."))


def _tool_missing(error: sandbox.ToolMissing) -> ToolUnavailable:
    return ToolUnavailable(
        _("%(tool)s is not installed on this server. Its operator can install the Debian package ffmpeg.")
        % {"tool": error.tool}
    )


def _limit(error: sandbox.LimitExceeded) -> str:
    return {"wall": _("time"), "cpu": _("computing time"), "memory": _("memory")}.get(error.which, error.which)
