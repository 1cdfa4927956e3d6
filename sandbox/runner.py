"""Starts a confined tool, watches it, and leaves nothing of it behind."""

import contextlib
import logging
import os
import secrets
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandbox import processes
from sandbox.confinement import confined, cpu_limit_s, level
from sandbox.errors import Limit, LimitExceeded, Stopped, ToolFailed
from sandbox.limits import Limits

logger = logging.getLogger(__name__)

TICK_S = 0.2
STDERR_TAIL_BYTES = 8000
READ_BYTES = 65536
# What programs say when the address space is used up; their exit status says nothing.
NO_MEMORY = (b"Cannot allocate memory", b"bad_alloc", b"MemoryError", b"memory exhausted", b"out of memory")


@dataclass(frozen=True)
class Result:
    """What a tool left besides its files.

    Attributes:
        stdout: standard output, whole; empty when `on_line` took it.
        stderr_tail: the last lines of its messages.
        stderr_lines: how many lines of messages there were.
        seconds: by the clock.
    """

    stdout: bytes
    stderr_tail: str
    stderr_lines: int
    seconds: float


def run(
    command: Sequence[str],
    *,
    inputs: Mapping[str, Path],
    output_dir: Path,
    limits: Limits,
    readable: Sequence[Path] = (),
    on_line: Callable[[str], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_alive: Callable[[], None] | None = None,
    stdin: bytes | None = None,
) -> Result:
    """Run a tool on hostile input and wait for it.

    The command starts in a folder with `in/<name>` per input, and `out/`, which is `output_dir`. At the strong level
    it sees besides that only the system's programs and `readable` (files or folders, at their own paths), has no
    network and an empty environment. At the weak level (`sandbox.level()`) only the limits and the environment hold.

    Args:
        command: program name (or absolute path) and arguments; no user text belongs in it.
        on_line: called with each line of standard output; may raise, which ends the tool.
        should_stop: polled several times a second.
        on_alive: called several times a second, but only if the tool said, wrote or computed something meanwhile.
        stdin: what the tool may read; nothing by default.

    Raises:
        ToolMissing: the program is not installed.
        ToolFailed: it ended with an error.
        LimitExceeded: it wanted too much, and was ended with all its children.
        Stopped: `should_stop` said so; the same.
    """
    marker = secrets.token_hex(8)
    with contextlib.ExitStack() as stack:
        arguments, folder = stack.enter_context(
            confined(command, inputs=inputs, output_dir=output_dir, readable=readable, limits=limits, marker=marker)
        )
        source: int | IO[bytes] = subprocess.DEVNULL
        if stdin is not None:
            # A file in memory cannot block, however little of it the tool reads.
            source = stack.enter_context(os.fdopen(os.memfd_create("stdin"), "r+b"))
            source.write(stdin)
            source.seek(0)
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env={},
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        tool = os.path.basename(command[0])
        return _Watch(process, tool, output_dir, limits, marker, should_stop, on_alive).wait(on_line)


class _Watch:
    """One running tool: reads what it says, holds it to its limits, ends it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        tool: str,
        output_dir: Path,
        limits: Limits,
        marker: str,
        should_stop: Callable[[], bool] | None,
        on_alive: Callable[[], None] | None,
    ) -> None:
        self.process = process
        self.tool = tool
        self.output_dir = output_dir
        self.limits = limits
        self.should_stop = should_stop
        self.on_alive = on_alive
        self.said_bytes = 0
        self.seen: tuple[int, ...] = ()
        self.marker = marker
        self.is_weak = level() == "weak"
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.stderr_lines = 0
        self.started_at = time.monotonic()

    def wait(self, on_line: Callable[[str], None] | None) -> Result:
        try:
            self._read(on_line)
            self._reap()
        finally:
            self._end()
        self._raise_for_status()
        return Result(bytes(self.stdout), self.stderr_tail, self.stderr_lines, time.monotonic() - self.started_at)

    @property
    def stderr_tail(self) -> str:
        return self.stderr.decode("utf-8", "replace").replace("\x00", "")

    def _read(self, on_line: Callable[[str], None] | None) -> None:
        """Read both pipes until they close, looking at the limits at every tick."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        partial = b""
        next_look = time.monotonic() + TICK_S / 4
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            selector.register(self.process.stderr, selectors.EVENT_READ)
            while selector.get_map():
                for key, _events in selector.select(timeout=max(0.0, next_look - time.monotonic())):
                    data = os.read(key.fd, READ_BYTES)
                    self.said_bytes += len(data)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is self.process.stderr:
                        self._keep_stderr(data)
                    elif on_line is None:
                        self._keep_stdout(data)
                    else:
                        *lines, partial = (partial + data).split(b"\n")
                        if len(partial) > READ_BYTES:
                            raise LimitExceeded(self.tool, "stdout", self.stderr_tail)
                        for line in lines:
                            on_line(line.decode("utf-8", "replace"))
                if time.monotonic() >= next_look:
                    self._look()
                    next_look = time.monotonic() + TICK_S
        if on_line is not None and partial:
            on_line(partial.decode("utf-8", "replace"))

    def _keep_stdout(self, data: bytes) -> None:
        self.stdout += data
        if len(self.stdout) > self.limits.stdout_bytes:
            raise LimitExceeded(self.tool, "stdout", self.stderr_tail)

    def _keep_stderr(self, data: bytes) -> None:
        self.stderr_lines += data.count(b"\n")
        self.stderr += data
        del self.stderr[:-STDERR_TAIL_BYTES]

    def _look(self) -> None:
        if self.should_stop is not None and self.should_stop():
            raise Stopped(f"{self.tool} was stopped")
        over: Limit | None = None
        size = _size_of(self.output_dir)
        family = processes.family(self.process.pid, self.marker if self.is_weak else "")
        if time.monotonic() - self.started_at > self.limits.wall_s:
            over = "wall"
        elif size > self.limits.output_bytes:
            over = "output"
        # The kernel's own limit does not hold for root.
        elif len(family) > self.limits.processes:
            over = "processes"
        if self.on_alive is not None:
            seen = (self.said_bytes, size, *processes.io_and_cpu(family))
            if seen != self.seen:
                self.on_alive()
            self.seen = seen
        if over is not None:
            raise LimitExceeded(self.tool, over, self.stderr_tail)

    def _reap(self) -> None:
        """Wait for the end, still within the wall time: a tool may close its pipes and go on."""
        while True:
            if self.process.poll() is not None:
                return
            self._look()
            time.sleep(0.005)

    def _end(self) -> None:
        """Kill whatever is left, and close the pipes."""
        # At the strong level the kernel ends the whole namespace, but a moment later; the caller wants to clean up now.
        processes.kill_family(self.process.pid, self.marker, with_root=self.process.returncode is None)
        if self.process.returncode is None:
            self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def _raise_for_status(self) -> None:
        status = self.process.returncode
        if status == 0:
            return
        if status < 0:
            status = 128 - status
        over: Limit | None = None
        if status == 128 + signal.SIGXFSZ or b"File too large" in self.stderr:
            over = "output"
        elif status == 128 + signal.SIGXCPU:
            over = "cpu"
        elif status == 128 + signal.SIGKILL:
            # Not by us: we raised already. The kernel does it at the limit, or when the whole machine is out of memory.
            seconds = time.monotonic() - self.started_at
            over = "cpu" if seconds * (os.cpu_count() or 1) >= cpu_limit_s(self.limits) else "memory"
        elif any(words in self.stderr for words in NO_MEMORY):
            over = "memory"
        if over is not None:
            raise LimitExceeded(self.tool, over, self.stderr_tail)
        raise ToolFailed(self.tool, status, self.stderr_tail)


def _size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder, links not followed; files may vanish while we count."""
    total = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    total += _size_of(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total
