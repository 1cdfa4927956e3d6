"""Which font draws which script, for subtitles in the picture. Names and packages are Debian's."""

from dataclasses import dataclass

NOTO, NOTO_CJK = "fonts-noto-core", "fonts-noto-cjk"


@dataclass(frozen=True)
class Font:
    """Attributes:
    family: as fontconfig knows it.
    sample: letters that it must have.
    package: the Debian package that brings it.
    line: height of a line in em (ascent and descent). Renderers of subtitles divide the size by it, so that fonts with
        high marks would come out small.
    """

    family: str
    sample: str
    package: str = NOTO
    line: float = 1.36


# By ISO 15924 code. Each font also has the marks and joined forms of its script; letters of other scripts within a
# text are drawn with those scripts' fonts.
FONTS = {
    "Latn": Font("Noto Sans", "Aßłəŋ"),
    "Cyrl": Font("Noto Sans", "ЖіҐқ"),
    "Grek": Font("Noto Sans", "Ωή"),
    "Arab": Font("Noto Sans Arabic", "عپګڕ", line=2.11),
    "Aran": Font("Noto Nastaliq Urdu", "ٹےں", line=2.5),
    "Hebr": Font("Noto Sans Hebrew", "ש"),
    "Thaa": Font("Noto Sans Thaana", "ދ", line=1.49),
    "Syrc": Font("Noto Sans Syriac", "ܐ"),
    "Nkoo": Font("Noto Sans NKo", "ߒ"),
    "Adlm": Font("Noto Sans Adlam", "𞤀"),
    "Deva": Font("Noto Sans Devanagari", "क्ष"),
    "Beng": Font("Noto Sans Bengali", "ক"),
    "Guru": Font("Noto Sans Gurmukhi", "ਪ"),
    "Gujr": Font("Noto Sans Gujarati", "ગ"),
    "Taml": Font("Noto Sans Tamil", "த"),
    "Telu": Font("Noto Sans Telugu", "త"),
    "Knda": Font("Noto Sans Kannada", "ಕ"),
    "Mlym": Font("Noto Sans Malayalam", "മ"),
    "Orya": Font("Noto Sans Oriya", "କ"),
    "Tfng": Font("Noto Sans Tifinagh", "ⵣ"),
    "Tibt": Font("Noto Serif Tibetan", "བོ"),
    "Sinh": Font("Noto Sans Sinhala", "ස"),
    "Thai": Font("Noto Sans Thai", "ไ", line=1.51),
    "Laoo": Font("Noto Sans Lao", "ລ", line=1.65),
    "Mymr": Font("Noto Sans Myanmar", "မ", line=2.18),
    "Khmr": Font("Noto Sans Khmer", "ខ"),
    "Ethi": Font("Noto Sans Ethiopic", "አ"),
    "Armn": Font("Noto Sans Armenian", "հ"),
    "Geor": Font("Noto Sans Georgian", "ქ"),
    "Hani": Font("Noto Sans CJK SC", "中", NOTO_CJK, 1.45),
    "Hant": Font("Noto Sans CJK TC", "體", NOTO_CJK, 1.45),
    "Jpan": Font("Noto Sans CJK JP", "日ほ", NOTO_CJK, 1.45),
    "Kore": Font("Noto Sans CJK KR", "한", NOTO_CJK, 1.45),
}
DEFAULT = FONTS["Latn"]


def font_for(script: str) -> Font:
    """Return the font of a script; Latin's for one that is not in the table, whose letters are looked up one by one."""
    return FONTS.get({"Hans": "Hani"}.get(script, script), DEFAULT)
