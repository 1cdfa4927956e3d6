"""Turns a command into one that runs confined: strongly with bubblewrap, weakly with resource limits alone."""

import functools
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from sandbox.errors import ToolMissing
from sandbox.limits import Limits

Level = Literal["strong", "weak"]

TOOL_PATH = "/usr/local/bin:/usr/bin:/bin"
# Programs and their data. Of /etc only what tools read at start: fonts, the linker's cache, Debian's alternatives
# (libblas, which ffmpeg links to, lives behind one) and LibreOffice's own settings. Never passwd, hosts or keys.
SYSTEM_PATHS = ("/usr", "/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/libreoffice")
MERGED_USR = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# RLIMIT_NPROC counts threads too, and an encoder starts several per processor.
THREADS_PER_PROCESS = 32


@functools.cache
def level() -> Level:
    """Return "strong" if bubblewrap works here (user namespaces may be forbidden, say in a container).

    Decided once per process, by trying.
    """
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return "weak"
    trial = [bwrap, *_namespaces(), *_system(), "--tmpfs", "/tmp", "/usr/bin/true"]  # noqa: S108  (inside)
    try:
        done = subprocess.run(trial, env={}, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "weak"
    return "strong" if done.returncode == 0 else "weak"


def python_runtime() -> list[Path]:
    """Return what `readable` must hold so that `sys.executable` runs in the sandbox with the installed libraries.

    The project's own packages are not among them: name the one script to run.
    """
    found = dict.fromkeys((Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()))
    return [path for path in found if not path.is_relative_to("/usr")]


def find_tool(name: str) -> str:
    """Return the absolute path of a program.

    Raises:
        ToolMissing: there is none.
    """
    path = shutil.which(name, path=TOOL_PATH)
    if path is None:
        raise ToolMissing(name)
    return path


@contextmanager
def confined(
    command: Sequence[str],
    *,
    inputs: Mapping[str, Path],
    output_dir: Path,
    readable: Sequence[Path],
    limits: Limits,
    marker: str,
) -> Iterator[tuple[list[str], Path]]:
    """Yield the argument list to start and the folder to start it in.

    `marker` goes into the tool's environment, by which stray children can be found at the weak level.

    Raises:
        ToolMissing: the program is not installed.
    """
    for name in inputs:
        if "/" in name or name in ("", ".", ".."):
            raise ValueError(f"not a plain name for an input: {name!r}")
    program = [find_tool(command[0]), *command[1:]]
    if level() == "strong":
        yield _strong(program, inputs, output_dir, readable, limits, marker), output_dir
        return
    with TemporaryDirectory(prefix="sandbox-") as folder:
        job = Path(folder)
        (job / "in").mkdir()
        (job / "tmp").mkdir()
        for name, path in inputs.items():
            (job / "in" / name).symlink_to(path.resolve())
        (job / "out").symlink_to(output_dir.resolve())
        yield _weak(program, job, limits, marker), job


def _strong(
    program: Sequence[str],
    inputs: Mapping[str, Path],
    output_dir: Path,
    readable: Sequence[Path],
    limits: Limits,
    marker: str,
) -> list[str]:
    bwrap = find_tool("bwrap")
    args = [bwrap, *_namespaces(), "--die-with-parent", "--new-session", "--clearenv", *_system()]
    args += ["--size", str(limits.tmp_bytes), "--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev"]  # noqa: S108
    for path in readable:
        args += ["--ro-bind", str(path.resolve()), str(path.resolve())]
        if path.is_symlink():
            args += ["--ro-bind", str(path.resolve()), str(path.absolute())]
    args += ["--dir", "/job/in"]
    for name, path in inputs.items():
        args += ["--ro-bind", str(path.resolve()), f"/job/in/{name}"]
    args += ["--bind", str(output_dir.resolve()), "/job/out", "--chdir", "/job"]
    # Everything that bubblewrap itself mounted as memory would be writable, without a limit.
    args += ["--remount-ro", "/dev", "--remount-ro", "/"]
    for name, value in _environment("/tmp", marker).items():  # noqa: S108  (the private one)
        args += ["--setenv", name, value]
    # Set inside the namespace, so that processes of the same user outside do not count.
    return [*args, "--", *_prlimit(limits, count_processes=True), *program]


def _weak(program: Sequence[str], job: Path, limits: Limits, marker: str) -> list[str]:
    environment = [f"{name}={value}" for name, value in _environment(str(job / "tmp"), marker).items()]
    return [
        *(find_tool("setpriv"), "--pdeathsig", "KILL", "--no-new-privs", "--"),
        *(find_tool("env"), "-i", *environment),
        *_prlimit(limits, count_processes=False),
        *program,
    ]


def _namespaces() -> list[str]:
    return [
        *("--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534"),
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
        *("--hostname", "sandbox", "--cap-drop", "ALL"),
    ]


def _system() -> list[str]:
    args: list[str] = []
    for path in SYSTEM_PATHS:
        if os.path.exists(path):
            args += ["--ro-bind", path, path]
    for path in MERGED_USR:
        if os.path.islink(path):
            args += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            args += ["--ro-bind", path, path]
    return args


def _environment(temporary: str, marker: str) -> dict[str, str]:
    return {
        "PATH": TOOL_PATH,
        "LANG": "C.UTF-8",
        "HOME": temporary,
        "TMPDIR": temporary,
        # One heap per thread would use up the address space, which is what memory is limited by.
        "MALLOC_ARENA_MAX": "2",
        "SANDBOX_RUN": marker,
    }


def cpu_limit_s(limits: Limits) -> int:
    """Return the processor seconds that one process may use."""
    if limits.cpu_s is not None:
        return limits.cpu_s
    return math.ceil(limits.wall_s * (os.cpu_count() or 1)) + 1


def _prlimit(limits: Limits, *, count_processes: bool) -> list[str]:
    cpu_s = cpu_limit_s(limits)
    args = [
        find_tool("prlimit"),
        # Both limits alike: at the soft one alone a tool may catch the signal, and end as if its input were at fault.
        f"--cpu={cpu_s}:{cpu_s}",
        f"--as={limits.memory_bytes}",
        f"--fsize={limits.output_bytes}",
        f"--nofile={limits.open_files}",
        "--core=0",
    ]
    if count_processes:
        args.append(f"--nproc={limits.processes * THREADS_PER_PROCESS}")
    return [*args, "--"]
