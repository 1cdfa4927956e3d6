"""What every translator offers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar


class Translator(ABC):
    """A warm model. Made once per worker process by `transcripts.translators.get`; never in the web process.

    To add one: a module with a subclass, a row in `transcripts.translators._ENGINES`, and what it can do in
    `transcripts.translators.can_translate`.
    """

    name: ClassVar[str]

    def __init__(self, model: str) -> None:
        self.model = model  # as in TRANSLATION_MODEL

    @abstractmethod
    def translate(
        self,
        sentences: Sequence[str],
        *,
        source: str,
        target: str,
        progress: Callable[[float], None] = lambda _percent: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> list[str]:
        """Return the translation of each sentence, in order.

        Args:
            source, target: BCP 47 tags; `can_translate(source, target)` holds.
            progress: called with a percentage now and then.
            should_stop: asked often; when it is true, `Stopped` is raised.

        Raises:
            Stopped: see `should_stop`.
        """


class Stopped(Exception):
    """Translation was asked to stop."""
