"""The embedded queue: kombu's messages as files in a folder, but each one appears whole or not at all.

Kombu's own transport creates a message under its final name and then fills it, so a worker that looks in between takes
an empty file and the message is gone. Here a message is written beside the others under a name that no reader wants,
then renamed; and it is taken by a rename too, so that of several workers exactly one gets it.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

UNFINISHED = ".unfinished"
TAKEN = ".taken"


class Channel(filesystem.Channel):
    """A channel whose files are complete whenever another process can see them."""

    def _put(self, queue: str, payload: Any, **_kwargs: Any) -> None:  # type: ignore[override]  # as kombu's own does
        name = f"{time.time_ns():020d}_{secrets.token_hex(8)}.{queue}.msg"
        self._write_whole(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue: str) -> Any:  # type: ignore[override]  # as kombu's own does
        """Take the oldest message of a queue.

        Raises:
            Empty: there is none.
        """
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            mine = folder / f"{name}{TAKEN}"
            try:
                os.rename(folder / name, mine)
            except FileNotFoundError:
                continue  # another worker was faster
            text = mine.read_text("utf-8")
            mine.unlink()
            return loads(text)
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        """Note which queue an exchange leads to; workers that start together keep each other's entries."""
        file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]  # missing in the stubs
        file.parent.mkdir(exist_ok=True)
        entry = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with _locked(file.with_suffix(".lock")):
            known = self.get_table(exchange)
            if entry not in known:
                self._write_whole(file, dumps([entry, *known]))

    def _write_whole(self, path: Path, text: str) -> None:
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}{UNFINISHED}")
        try:
            unfinished.write_text(text, "utf-8")
            os.rename(unfinished, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise ChannelError(f"Cannot write {path}") from error


class Transport(filesystem.Transport):
    """What `filesystem://` means here (config/celery.py)."""

    Channel = Channel

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """Nothing: a folder has no host, and kombu would warn of its absence at every connection."""
        return {}


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
