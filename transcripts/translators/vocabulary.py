"""Which languages a CTranslate2 model names in its vocabulary, without loading the model.

M2M100 writes a language as `__fr__`, NLLB as `fra_Latn` (FLORES-200).
"""

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from transcripts import languages

Family = Literal["m2m100", "nllb"]
_M2M = re.compile(r"__([a-z]{2,3})__")
_NLLB = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_M2M_NAMES = {"nb": "no", "nn": "no", "prs": "fa"}
# FLORES-200 codes whose letters are not simply ISO 639-2/T plus the language's first script.
_NLLB_NAMES = {
    "ar": "arb_Arab", "az": "azj_Latn", "et": "est_Latn", "fa": "pes_Arab", "ff": "fuv_Latn", "ja": "jpn_Jpan",
    "ko": "kor_Hang", "ku": "kmr_Latn", "lv": "lvs_Latn", "mg": "plt_Latn", "mn": "khk_Cyrl", "ms": "zsm_Latn",
    "ne": "npi_Deva", "no": "nob_Latn", "om": "gaz_Latn", "ps": "pbt_Arab", "sq": "als_Latn", "sw": "swh_Latn",
    "uz": "uzn_Latn", "zh": "zho_Hans", "zh-Hant": "zho_Hant", "zh-TW": "zho_Hant", "zh-HK": "zho_Hant",
}  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    family: Family
    codes: frozenset[str]  # the tokens themselves, such as "__fr__"

    def code(self, tag: str) -> str | None:
        """The model's token for a BCP 47 tag; None if it has none.

        >>> Vocabulary("nllb", frozenset({"fra_Latn"})).code("fr-CA")
        'fra_Latn'
        """
        if not languages.is_known(tag):
            return None
        tag = languages.canonical(tag)
        name = languages.primary(tag)
        if self.family == "m2m100":
            code = f"__{_M2M_NAMES.get(name, name)}__"
        else:
            language = languages.get(name)
            code = _NLLB_NAMES.get(tag) or _NLLB_NAMES.get(name) or f"{language.iso639_2}_{language.scripts[0]}"
        return code if code in self.codes else None


def of(folder: Path) -> Vocabulary | None:
    """The languages of the model in a folder; None if it is no M2M100- or NLLB-type model.

    Raises:
        OSError: there is no vocabulary to read.
    """
    path = next((one for one in _files(folder) if one.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"{folder} has no shared_vocabulary")
    return _read(path, path.stat().st_mtime_ns)


def _files(folder: Path) -> list[Path]:
    return [folder / "shared_vocabulary.json", folder / "shared_vocabulary.txt"]


@functools.lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Vocabulary | None:
    text = path.read_text(encoding="utf-8")
    try:
        tokens = json.loads(text) if path.suffix == ".json" else text.split("\n")
    except ValueError as error:
        raise OSError(f"{path} is damaged: {error}") from error
    m2m = frozenset(token for token in tokens if _M2M.fullmatch(token))
    if m2m:
        return Vocabulary("m2m100", m2m)
    nllb = frozenset(token for token in tokens if _NLLB.fullmatch(token))
    return Vocabulary("nllb", nllb) if nllb else None
