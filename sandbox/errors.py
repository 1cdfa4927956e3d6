"""What can go wrong with an outside tool, one class per thing a caller may act on."""

from typing import Literal

Limit = Literal["wall", "cpu", "memory", "output", "stdout", "processes"]


class SandboxError(Exception):
    """Base of all errors of this package."""


class ToolMissing(SandboxError):
    """The program is not installed."""

    def __init__(self, tool: str) -> None:
        super().__init__(f"{tool} is not installed")
        self.tool = tool


class ToolFailed(SandboxError):
    """The tool ended with an error of its own.

    Attributes:
        returncode: its exit status; 128 + N when signal N ended it.
        stderr_tail: the last lines it wrote. May quote the hostile input: for logs, not for viewers.
    """

    def __init__(self, tool: str, returncode: int, stderr_tail: str) -> None:
        super().__init__(f"{tool} ended with status {returncode}: {stderr_tail[-300:]}")
        self.tool = tool
        self.returncode = returncode
        self.stderr_tail = stderr_tail

    @property
    def is_disk_full(self) -> bool:
        """True when the disk, not the input, was the reason."""
        return "No space left on device" in self.stderr_tail or "Disk quota exceeded" in self.stderr_tail


class LimitExceeded(SandboxError):
    """The tool wanted more than it was given, and was ended. `which` names the limit."""

    def __init__(self, tool: str, which: Limit, stderr_tail: str = "") -> None:
        super().__init__(f"{tool} went over its limit of {which}")
        self.tool = tool
        self.which = which
        self.stderr_tail = stderr_tail


class Stopped(SandboxError):
    """The caller's `should_stop` said so; the tool and its children are gone."""
