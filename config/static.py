"""The files of the pages: named by their content, and compressed once."""

import os
from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

ENDINGS = (".gz", ".br")


class ThriftyCompressor(Compressor):
    """Leaves alone what is compressed already, and spends Brotli's best, which takes minutes, on our own pages only."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.quick = Compressor(use_brotli=False, **options)

    def compress(self, path: str) -> list[str]:
        """Write the compressed forms beside a file. Return the names of those that are new."""
        changed_at = os.stat(path).st_mtime  # compressed forms get their original's time
        if any(os.path.exists(path + ending) and os.stat(path + ending).st_mtime == changed_at for ending in ENDINGS):
            return []
        is_ours = f"{os.sep}rostrum{os.sep}" in path
        compressed: list[str] = super().compress(path) if is_ours else self.quick.compress(path)
        return compressed


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage with that compressor."""

    def create_compressor(self, **options: Any) -> ThriftyCompressor:
        return ThriftyCompressor(**options)
