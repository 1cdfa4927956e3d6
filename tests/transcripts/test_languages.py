import pytest

from transcripts import languages

EU = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv"
OTHERS = "sq ar bm fa ps prs ff ru so ti tr uk ur wo"


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


@pytest.mark.parametrize("tag", ["", "x", "english", "xx", "en-", "en--US", "en\n", "fr;drop", "qaa", "e" * 100])
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
