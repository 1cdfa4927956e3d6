"""How much an outside tool may use."""

from dataclasses import dataclass

MB = 1024**2


@dataclass(frozen=True)
class Limits:
    """Limits of one run. Going over one ends the run with `LimitExceeded`.

    Attributes:
        wall_s: seconds by the clock.
        cpu_s: processor seconds of each process; None follows from `wall_s` and the number of processors.
        memory_bytes: address space of each process.
        output_bytes: all files in the output folder together, and each single file.
        stdout_bytes: what is kept of standard output (lines given to `on_line` do not count).
        processes: at the same time, the sandbox's own two included.
        open_files: per process.
        tmp_bytes: the private /tmp, which lives in memory.
    """

    wall_s: float = 600
    cpu_s: int | None = None
    memory_bytes: int = 2048 * MB
    output_bytes: int = 1024 * MB
    stdout_bytes: int = 64 * MB
    processes: int = 32
    open_files: int = 256
    tmp_bytes: int = 256 * MB
