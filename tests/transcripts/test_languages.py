import pytest
from pytest_django import Settings

from transcripts import engines, languages, selectors

EU = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv"
OTHERS = "sq ar bm fa ps prs ff ru so ti tr uk ur wo rom ku kmr ckb am ka hy bs sr mk zh hi bn ta vi th ln sw ha yo ig"


@pytest.mark.parametrize("tag", f"{EU} {OTHERS}".split())
def test_needed_language_is_in_the_table(tag: str) -> None:
    language = languages.get(tag)
    assert language.autonym
    assert len(language.iso639_2) == 3


def test_tags_are_unique() -> None:
    tags = [language.tag for language in languages.every()]
    assert len(tags) == len(set(tags))


@pytest.mark.parametrize("tag", ["ar", "fa", "ps", "prs", "ur", "he", "ckb", "ff-Adlm"])
def test_right_to_left_languages_say_so(tag: str) -> None:
    assert languages.get(tag).direction == "rtl"


def test_region_and_script_are_kept_and_written_the_usual_way() -> None:
    assert languages.get("PT_br").tag == "pt-BR"
    assert languages.get("zh-hant").tag == "zh-Hant"


@pytest.mark.parametrize(
    "tag",
    [
        "",
        "x",
        "english",
        "xx",
        "en-",
        "en--US",
        "en-Qqqq",
        "en-ZZ",
        "en-QX",
        "qqq",
        "und",
        "en\n",
        "fr;drop",
        "qaa",
        "e" * 100,
    ],
)
def test_unknown_language_is_refused(tag: str) -> None:
    assert not languages.is_known(tag)
    with pytest.raises(languages.UnknownLanguage):
        languages.get(tag)


@pytest.mark.parametrize(
    ("text", "tag", "expected"),
    [
        ("Bonjour à tous", "fr", True),
        ("Bonjour à tous", "ar", False),
        ("مرحبا بكم", "fr", False),
        ("مرحبا بكم WHO/Europe", "ar", True),
        ("Ласкаво просимо", "uk", True),
        ("Ласкаво просимо", "sr-Latn", False),
        ("健康について", "ja", True),
        ("健康", "zh", True),
        ("12 !", "fr", True),
        ("", "ar", True),
    ],
)
def test_letters_tell_whether_a_text_can_be_in_a_language(text: str, tag: str, expected: bool) -> None:
    assert languages.is_written_in(languages.get(tag), text) == expected


def test_every_language_that_whisper_may_hear_is_in_the_table() -> None:
    assert [name for name in engines.WHISPER_LANGUAGES if not languages.is_known(engines.tag_of(name))] == []


def test_every_script_of_the_table_can_be_told_from_letters() -> None:
    for language in languages.every():
        assert languages.is_written_in(language, language.autonym), language.tag


def test_abilities_say_what_the_engines_can_do() -> None:
    found = {
        one.language.tag: (one.can_recognise, one.can_translate_from, one.can_translate_into)
        for one in selectors.abilities()
    }
    assert found["fr"] == (True, True, True)
    assert found["bm"] == (False, False, False)
    assert len(found) > 130


def test_whisper_translates_into_english_where_nothing_else_can(settings: Settings) -> None:
    settings.TRANSLATION_ENGINE = "none"
    settings.WHISPER_MODEL = "small"
    assert selectors.translation_is_possible("uk", "en")
    assert not selectors.translation_is_possible("uk", "fr")
    assert not selectors.translation_is_possible("bm", "en")
    settings.WHISPER_MODEL = "turbo"
    assert not selectors.translation_is_possible("uk", "en")
