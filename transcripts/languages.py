"""The languages that tracks can have, as BCP 47 tags. Pure Python.

Reading speeds (characters per second, adult programmes) and line lengths follow the Netflix timed text style guides
where a language has one; 17 and 42 otherwise.
"""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from babel import Locale

Direction = Literal["ltr", "rtl"]

# language[-Script][-REGION], RFC 5646 section 2.1, as far as subtitles need it.
_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?")


class UnknownLanguage(KeyError):
    """The tag is not a BCP 47 tag, or of a language that is not in the table."""


@dataclass(frozen=True)
class Language:
    """What a language's subtitles need to know.

    Attributes:
        tag: BCP 47, such as "fr" or "pt-BR".
        autonym: its name in itself, as shown to viewers.
        english: its English name.
        direction: of its script.
        iso639_2: the three letters (ISO 639-2/T, else 639-3) that MP4 files want.
        scripts: ISO 15924 codes that it is written in.
        chars_per_second: how fast people read it.
        line_chars: how many characters fit on a line.
        has_spaces: False where words are not separated by spaces.
    """

    tag: str
    autonym: str
    english: str
    iso639_2: str
    scripts: tuple[str, ...] = ("Latn",)
    chars_per_second: int = 17
    line_chars: int = 42
    has_spaces: bool = True

    @property
    def is_full_width(self) -> bool:
        """True where a line's length is counted in squares, of which a Latin letter takes half a one."""
        return self.scripts[0] in ("Hani", "Hans", "Hant", "Jpan", "Kore")

    @property
    def direction(self) -> Direction:
        return "rtl" if self.scripts[0] in _RTL_SCRIPTS else "ltr"


_RTL_SCRIPTS = {"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm"}
_CYRL, _ARAB, _DEVA, _ETHI = ("Cyrl",), ("Arab",), ("Deva",), ("Ethi",)
_BOTH = ("Latn", "Cyrl")

_TABLE = (
    # The European Union's official languages
    Language("bg", "български", "Bulgarian", "bul", _CYRL),
    Language("cs", "čeština", "Czech", "ces"),
    Language("da", "dansk", "Danish", "dan"),
    Language("de", "Deutsch", "German", "deu"),
    Language("el", "Ελληνικά", "Greek", "ell", ("Grek",)),
    Language("en", "English", "English", "eng", chars_per_second=20),
    Language("es", "español", "Spanish", "spa"),
    Language("et", "eesti", "Estonian", "est"),
    Language("fi", "suomi", "Finnish", "fin"),
    Language("fr", "français", "French", "fra"),
    Language("ga", "Gaeilge", "Irish", "gle"),
    Language("hr", "hrvatski", "Croatian", "hrv"),
    Language("hu", "magyar", "Hungarian", "hun"),
    Language("it", "italiano", "Italian", "ita"),
    Language("lt", "lietuvių", "Lithuanian", "lit"),
    Language("lv", "latviešu", "Latvian", "lav"),
    Language("mt", "Malti", "Maltese", "mlt"),
    Language("nl", "Nederlands", "Dutch", "nld"),
    Language("pl", "polski", "Polish", "pol"),
    Language("pt", "português", "Portuguese", "por"),
    Language("ro", "română", "Romanian", "ron"),
    Language("sk", "slovenčina", "Slovak", "slk"),
    Language("sl", "slovenščina", "Slovenian", "slv"),
    Language("sv", "svenska", "Swedish", "swe"),
    # Other languages of Europe
    Language("az", "azərbaycan", "Azerbaijani", "aze", ("Latn", "Cyrl", "Arab")),
    Language("be", "беларуская", "Belarusian", "bel", _CYRL),
    Language("bs", "bosanski", "Bosnian", "bos", _BOTH),
    Language("ca", "català", "Catalan", "cat"),
    Language("cy", "Cymraeg", "Welsh", "cym"),
    Language("eu", "euskara", "Basque", "eus"),
    Language("gl", "galego", "Galician", "glg"),
    Language("hy", "հայերեն", "Armenian", "hye", ("Armn",)),
    Language("is", "íslenska", "Icelandic", "isl"),
    Language("ka", "ქართული", "Georgian", "kat", ("Geor",)),
    Language("lb", "Lëtzebuergesch", "Luxembourgish", "ltz"),
    Language("mk", "македонски", "Macedonian", "mkd", _CYRL),
    Language("nb", "norsk bokmål", "Norwegian Bokmål", "nob"),
    Language("nn", "norsk nynorsk", "Norwegian Nynorsk", "nno"),
    Language("no", "norsk", "Norwegian", "nor"),
    Language("rom", "romani", "Romani", "rom", _BOTH),
    Language("ru", "русский", "Russian", "rus", _CYRL),
    Language("sq", "shqip", "Albanian", "sqi"),
    Language("sr", "српски", "Serbian", "srp", ("Cyrl", "Latn")),
    Language("tr", "Türkçe", "Turkish", "tur"),
    Language("uk", "українська", "Ukrainian", "ukr", _CYRL),
    Language("br", "brezhoneg", "Breton", "bre"),
    Language("fo", "føroyskt", "Faroese", "fao"),
    Language("la", "Latina", "Latin", "lat"),
    Language("oc", "occitan", "Occitan", "oci"),
    Language("yi", "ייִדיש", "Yiddish", "yid", ("Hebr",)),
    # The Americas and the Pacific
    Language("haw", "ʻŌlelo Hawaiʻi", "Hawaiian", "haw"),
    Language("ht", "kreyòl ayisyen", "Haitian Creole", "hat"),
    Language("mi", "Māori", "Maori", "mri"),
    # Asia and the Middle East
    Language("ar", "العربية", "Arabic", "ara", _ARAB, chars_per_second=20),
    Language("bn", "বাংলা", "Bengali", "ben", ("Beng",)),
    Language("ckb", "کوردیی ناوەندی", "Central Kurdish", "ckb", _ARAB),
    Language("fa", "فارسی", "Persian", "fas", _ARAB),
    Language("gu", "ગુજરાતી", "Gujarati", "guj", ("Gujr",)),
    Language("he", "עברית", "Hebrew", "heb", ("Hebr",)),
    Language("hi", "हिन्दी", "Hindi", "hin", _DEVA, chars_per_second=22),
    Language("id", "Bahasa Indonesia", "Indonesian", "ind"),
    Language("ja", "日本語", "Japanese", "jpn", ("Jpan",), chars_per_second=4, line_chars=16, has_spaces=False),
    Language("kk", "қазақша", "Kazakh", "kaz", ("Cyrl", "Latn", "Arab")),
    Language("km", "ខ្មែរ", "Khmer", "khm", ("Khmr",), has_spaces=False),
    Language("ko", "한국어", "Korean", "kor", ("Kore",), chars_per_second=12, line_chars=16),
    Language("ku", "kurdî", "Kurdish", "kur", ("Latn", "Arab")),
    Language("ky", "кыргызча", "Kyrgyz", "kir", _CYRL),
    Language("lo", "ລາວ", "Lao", "lao", ("Laoo",), has_spaces=False),
    Language("mn", "монгол", "Mongolian", "mon", _CYRL),
    Language("mr", "मराठी", "Marathi", "mar", _DEVA),
    Language("ms", "Bahasa Melayu", "Malay", "msa", ("Latn", "Arab")),
    Language("my", "မြန်မာ", "Burmese", "mya", ("Mymr",), has_spaces=False),
    Language("ne", "नेपाली", "Nepali", "nep", _DEVA),
    Language("pa", "ਪੰਜਾਬੀ", "Punjabi", "pan", ("Guru", "Arab")),
    Language("prs", "دری", "Dari", "prs", _ARAB),
    Language("ps", "پښتو", "Pashto", "pus", _ARAB),
    Language("si", "සිංහල", "Sinhala", "sin", ("Sinh",)),
    Language("ta", "தமிழ்", "Tamil", "tam", ("Taml",)),
    Language("te", "తెలుగు", "Telugu", "tel", ("Telu",)),
    Language("tg", "тоҷикӣ", "Tajik", "tgk", _CYRL),
    Language("th", "ไทย", "Thai", "tha", ("Thai",), line_chars=35, has_spaces=False),
    Language("tl", "Tagalog", "Tagalog", "tgl"),
    Language("ur", "اردو", "Urdu", "urd", _ARAB),
    Language("uz", "oʻzbekcha", "Uzbek", "uzb", ("Latn", "Cyrl", "Arab")),
    Language("vi", "Tiếng Việt", "Vietnamese", "vie"),
    Language("zh", "中文", "Chinese", "zho", ("Hani",), chars_per_second=9, line_chars=16, has_spaces=False),
    Language("as", "অসমীয়া", "Assamese", "asm", ("Beng",)),
    Language("ba", "башҡорт теле", "Bashkir", "bak", _CYRL),
    Language("bo", "བོད་སྐད་", "Tibetan", "bod", ("Tibt",), has_spaces=False),
    Language("dv", "ދިވެހި", "Dhivehi", "div", ("Thaa",)),
    Language("jv", "Jawa", "Javanese", "jav"),
    Language("kmr", "kurmancî", "Northern Kurdish", "kmr"),
    Language("kn", "ಕನ್ನಡ", "Kannada", "kan", ("Knda",)),
    Language("ml", "മലയാളം", "Malayalam", "mal", ("Mlym",)),
    Language("sa", "संस्कृतम्", "Sanskrit", "san", _DEVA),
    Language("sd", "سنڌي", "Sindhi", "snd", ("Arab", "Deva")),
    Language("su", "Basa Sunda", "Sundanese", "sun"),
    Language("syr", "ܣܘܪܝܝܐ", "Syriac", "syr", ("Syrc",)),
    Language("tk", "türkmen dili", "Turkmen", "tuk", _BOTH),
    Language("tt", "татар", "Tatar", "tat", _CYRL),
    Language("ug", "ئۇيغۇرچە", "Uyghur", "uig", _ARAB),
    Language("yue", "粵語", "Cantonese", "yue", ("Hani",), chars_per_second=9, line_chars=16, has_spaces=False),
    # Africa
    Language("aa", "Qafar af", "Afar", "aar"),
    Language("ak", "Akan", "Akan", "aka"),
    Language("ee", "Eʋegbe", "Ewe", "ewe"),
    Language("kab", "Taqbaylit", "Kabyle", "kab"),
    Language("kr", "Kanuri", "Kanuri", "kau"),
    Language("lg", "Luganda", "Ganda", "lug"),
    Language("mnk", "Mandinka", "Mandinka", "mnk"),
    Language("ny", "Chinyanja", "Nyanja", "nya"),
    Language("rn", "Ikirundi", "Rundi", "run"),
    Language("sn", "chiShona", "Shona", "sna"),
    Language("snk", "Sooninkanxanne", "Soninke", "snk"),
    Language("st", "Sesotho", "Southern Sotho", "sot"),
    Language("tn", "Setswana", "Tswana", "tsn"),
    Language("xh", "isiXhosa", "Xhosa", "xho"),
    Language("zgh", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "Standard Moroccan Tamazight", "zgh", ("Tfng", "Latn", "Arab")),
    Language("af", "Afrikaans", "Afrikaans", "afr"),
    Language("am", "አማርኛ", "Amharic", "amh", _ETHI),
    Language("bm", "bamanankan", "Bambara", "bam", ("Latn", "Nkoo")),
    Language("ff", "Pulaar", "Pulaar", "ful", ("Latn", "Adlm", "Arab")),
    Language("ha", "Hausa", "Hausa", "hau", ("Latn", "Arab")),
    Language("ig", "Igbo", "Igbo", "ibo"),
    Language("ln", "lingála", "Lingala", "lin"),
    Language("mg", "Malagasy", "Malagasy", "mlg"),
    Language("om", "Oromoo", "Oromo", "orm", ("Latn", "Ethi")),
    Language("rw", "Ikinyarwanda", "Kinyarwanda", "kin"),
    Language("so", "Soomaali", "Somali", "som"),
    Language("sw", "Kiswahili", "Swahili", "swa"),
    Language("ti", "ትግርኛ", "Tigrinya", "tir", _ETHI),
    Language("wo", "Wolof", "Wolof", "wol", ("Latn", "Arab")),
    Language("yo", "Yorùbá", "Yoruba", "yor"),
    Language("zu", "isiZulu", "Zulu", "zul"),
)
_BY_TAG = {language.tag: language for language in _TABLE}


@functools.cache
def _subtags() -> frozenset[str]:
    """The subtags of languages, scripts and regions that CLDR knows, without those for "unknown"."""
    names = Locale("en")
    unknown = {"und", "mul", "mis", "zxx", "Zzzz", "Zxxx", "Zinh", "Zyyy", "ZZ"}
    return frozenset({*names.languages, *names.scripts, *names.territories, *_BY_TAG} - unknown)


def _exists(subtag: str | None) -> bool:
    if subtag is None:
        return True
    written = {4: subtag.title()}.get(len(subtag), subtag)
    return written in _subtags() or written.lower() in _subtags() or written.upper() in _subtags()


def canonical(tag: str) -> str:
    """Write a tag the usual way: `FR-ca` becomes `fr-CA`.

    Raises:
        UnknownLanguage: it is not a tag of language, script and region, or one of these does not exist.
    """
    parts = _TAG.fullmatch(tag.replace("_", "-"))
    if parts is None or not all(map(_exists, parts.groups())):
        raise UnknownLanguage(tag)
    language, script, region = parts.groups()
    return "-".join(
        part for part in (language.lower(), script and script.title(), region and region.upper()) if part is not None
    )


def primary(tag: str) -> str:
    """The language without script and region: `fr` of `fr-CA`."""
    return canonical(tag).partition("-")[0]


def get(tag: str) -> Language:
    """Return a language; a tag with a script or region gets its language's entry, told apart by name.

    >>> get("pt-br").autonym
    'português (BR)'

    Raises:
        UnknownLanguage: the tag is malformed, or the language is not in the table.
    """
    tag = canonical(tag)
    name, _dash, rest = tag.partition("-")
    language = _BY_TAG.get(name)
    if language is None:
        raise UnknownLanguage(tag)
    if not rest:
        return language
    named = replace(language, tag=tag, autonym=f"{language.autonym} ({rest})", english=f"{language.english} ({rest})")
    script = rest.partition("-")[0]
    return replace(named, scripts=(script,)) if len(script) == 4 else named


def is_known(tag: str) -> bool:
    try:
        get(tag)
    except UnknownLanguage:
        return False
    return True


def joined(parts: Iterable[str], language: str) -> str:
    """Put lines or cues together again: with spaces, except where the language's script has none between words.

    >>> joined(["今天", "我们", "WHO", "Europe"], "zh")
    '今天我们WHO Europe'
    """
    if not is_known(language) or get(language).has_spaces:
        return " ".join(parts)
    whole = ""
    for part in parts:
        between = " " if _is_spaced(whole[-1:]) and _is_spaced(part[:1]) else ""
        whole += between + part
    return whole


def _is_spaced(character: str) -> bool:
    # Thai is the first block of those without spaces; after it come Lao, Tibetan, Burmese, Khmer and the CJK ones.
    return character.isalnum() and character < "\u0e00"


def choices() -> list[tuple[str, str]]:
    """Tag and autonym of every language, for forms, in the order of the autonyms."""
    return sorted(((one.tag, one.autonym) for one in _TABLE), key=lambda choice: choice[1].casefold())


def every() -> Iterator[Language]:
    yield from _TABLE


# The first word of a letter's Unicode name tells its script, for the scripts in the table.
_SCRIPT_OF_NAME = {
    "LATIN": "Latn", "CYRILLIC": "Cyrl", "GREEK": "Grek", "ARABIC": "Arab", "HEBREW": "Hebr", "ARMENIAN": "Armn",
    "GEORGIAN": "Geor", "DEVANAGARI": "Deva", "BENGALI": "Beng", "GURMUKHI": "Guru", "GUJARATI": "Gujr",
    "TAMIL": "Taml", "TELUGU": "Telu", "SINHALA": "Sinh", "THAI": "Thai", "LAO": "Laoo", "MYANMAR": "Mymr",
    "KHMER": "Khmr", "ETHIOPIC": "Ethi", "HANGUL": "Kore", "HIRAGANA": "Jpan", "KATAKANA": "Jpan", "CJK": "Hani",
    "NKO": "Nkoo", "TIFINAGH": "Tfng", "KANNADA": "Knda",
    "MALAYALAM": "Mlym", "TIBETAN": "Tibt", "ADLAM": "Adlm", "THAANA": "Thaa", "SYRIAC": "Syrc",
}  # fmt: skip
_WRITTEN_WITH = {
    "Jpan": {"Jpan", "Hani"}, "Kore": {"Kore", "Hani"}, "Hans": {"Hani"}, "Hant": {"Hani"},
}  # fmt: skip
_SAMPLE_LETTERS = 2000
LEAST_SHARE = 0.2  # of a text's letters; names and terms in other letters are usual


def letters_by_script(text: str) -> Counter[str]:
    """How many letters of (the beginning of) a text are in which script, as ISO 15924 codes."""
    counts: Counter[str] = Counter()
    for letter in text:
        if letter.isalpha():
            script = _SCRIPT_OF_NAME.get(unicodedata.name(letter, "").partition(" ")[0])
            if script is not None:
                counts[script] += 1
            if counts.total() == _SAMPLE_LETTERS:
                break
    return counts


def is_written_in(language: Language, text: str) -> bool:
    """False if hardly a letter of the text is one of the language's: it must be in another language.

    >>> is_written_in(get("fr"), "مرحبا بكم")
    False
    """
    counts = letters_by_script(text)
    return not counts or letters_in_own_script(language, counts) >= LEAST_SHARE * counts.total()


def letters_in_own_script(language: Language, counts: Counter[str]) -> int:
    """How many of counted letters are of a script that the language is written in."""
    return sum(counts[script] for script in own_scripts(language))


def own_scripts(language: Language) -> set[str]:
    """The scripts whose letters a language uses, as ISO 15924 codes; "Jpan" and "Kore" without their Han characters."""
    return {script for one in language.scripts for script in _WRITTEN_WITH.get(one, {one})}
