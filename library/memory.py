"""Answers that may be a moment old, kept in this process: what a crowd asks within the same seconds is asked once."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.conf import settings

Answer = TypeVar("Answer")
MOST = 2000


class ShortMemory(Generic[Answer]):
    """Remembers answers for PLAYBACK_CACHED_S seconds. What raises, or is None, is not remembered."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Answer]] = {}

    def get(self, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        """The remembered answer, or a new one from `ask`."""
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        answer = ask()
        if settings.PLAYBACK_CACHED_S > 0 and answer is not None:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = now + settings.PLAYBACK_CACHED_S, answer
        return answer
