"""Runs outside tools on hostile files: no network, no secrets, its input and an output folder, and limits.

    result = sandbox.run(
        ["ffprobe", "-show_format", "file:in/source"],
        inputs={"source": path},
        output_dir=folder,
        limits=sandbox.Limits(wall_s=60),
    )

The command starts in a folder that holds `in/<name>` for each input (read-only) and `out/`, the only place that it
may write to and that remains. It sees nothing else of the project. Pure Python: no Django here.
"""

from sandbox.confinement import level, python_runtime
from sandbox.errors import LimitExceeded, SandboxError, Stopped, ToolFailed, ToolMissing
from sandbox.limits import Limits
from sandbox.runner import Result, run

__all__ = [
    "LimitExceeded",
    "Limits",
    "Result",
    "SandboxError",
    "Stopped",
    "ToolFailed",
    "ToolMissing",
    "level",
    "python_runtime",
    "run",
]
