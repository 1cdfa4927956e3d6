"""Finds a tool's processes in /proc."""

import contextlib
import os
import signal
import time


def family(root: int, marker: str = "") -> set[int]:
    """Return the process ids of `root` and all that descend from it.

    With a marker, also those that left their parents but still carry `SANDBOX_RUN=<marker>` in their environment.
    """
    children: dict[int, list[int]] = {}
    found: set[int] = set()
    wanted = f"SANDBOX_RUN={marker}".encode()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        pid = int(name)
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat", "rb") as file:
                # The name before it, in brackets, may itself hold spaces and brackets.
                parent = int(file.read().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(pid)
            if marker:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if wanted in file.read().split(b"\0"):
                        found.add(pid)
    waiting = [root]
    found.add(root)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.add(child)
            waiting.append(child)
    return found


def io_and_cpu(pids: set[int]) -> tuple[int, int]:
    """Return the bytes that some processes read and wrote so far, and their processor time in ticks."""
    bytes_moved, ticks = 0, 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            with open(f"/proc/{pid}/io", "rb") as file:
                bytes_moved += sum(int(line.split()[1]) for line in file.read().splitlines()[:2])
    return bytes_moved, ticks


def kill_family(root: int, marker: str, *, with_root: bool) -> None:
    """Kill all processes of a run and wait until none is left. A root that was reaped must not be killed again."""
    spared = set() if with_root else {root}
    for _round in range(1000):
        living = {pid for pid in family(root, marker) - spared if not _is_zombie(pid)}
        if not living:
            return
        for pid in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return True
