import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from i18nfield.strings import LazyI18nString

from events import validators
from events.errors import DoubledLocalTime, ImpossibleLocalTime, InvalidValue, UnknownLanguage, UnknownTimeZone


def test_every_case_of_the_corpus_is_converted_or_refused_with_its_reason(corpus: Path) -> None:
    cases = json.loads((corpus / "strings" / "time_zones.json").read_text())
    assert len(cases) > 10
    for case in cases:
        local = datetime.fromisoformat(case["local"])
        if "utc" in case:
            assert validators.local_time(local, case["tz"]) == datetime.fromisoformat(case["utc"]), case
        elif "utc_first" in case:
            with pytest.raises(DoubledLocalTime) as doubled:
                validators.local_time(local, case["tz"])
            assert doubled.value.facts == {
                "first": datetime.fromisoformat(case["utc_first"]),
                "second": datetime.fromisoformat(case["utc_second"]),
            }
        else:
            with pytest.raises(ImpossibleLocalTime):
                validators.local_time(local, case["tz"])


def test_impossible_time_is_explained() -> None:
    with pytest.raises(ImpossibleLocalTime) as refused:
        validators.local_time(datetime(2027, 3, 28, 2, 30), "Europe/Berlin", field="ends_at")
    assert str(refused.value) == (
        "In Europe/Berlin there is no 02:30 on 28 March 2027, because the clocks are put forward. Choose another time."
    )
    assert refused.value.field == "ends_at"


def test_doubled_time_with_an_offset_is_a_moment_and_accepted() -> None:
    second = datetime.fromisoformat("2027-10-31T02:30:00+01:00")
    assert validators.local_time(second, "Europe/Berlin") == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("year", [1, 1999, 2200, 9999])
def test_years_without_webinars_are_refused(year: int) -> None:
    with pytest.raises(InvalidValue):
        validators.local_time(datetime(year, 1, 1), "Pacific/Kiritimati")


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "localtime", "../etc/passwd", "europe/brussels", "a" * 500, "\0"])
def test_unknown_time_zones_are_refused(name: str) -> None:
    with pytest.raises(UnknownTimeZone):
        validators.time_zone(name)


@pytest.mark.parametrize(
    ("given", "stored"),
    [("fr", "fr"), ("PT-br", "pt-BR"), ("ff_latn_sn", "ff-Latn-SN"), ("iw", "he"), ("wo", "wo"), ("es-419", "es-419")],
)
def test_language_tags_get_their_usual_spelling(given: str, stored: str) -> None:
    assert validators.language_tag(given) == stored


@pytest.mark.parametrize("tag", ["", "xx", "english", "en-", "e", "fr fr", "en\0", "x" * 400, "ar;q=1", "‏ar"])
def test_unknown_language_tags_are_refused(tag: str) -> None:
    with pytest.raises(UnknownLanguage):
        validators.language_tag(tag)


def test_languages_are_kept_once_in_their_order() -> None:
    assert validators.language_tags(["fr", "ar", "FR"], field="subtitle_languages") == ["fr", "ar"]


def _title(value: object) -> LazyI18nString:
    return validators.translated_text(value, field="title", label="Title", language="en", max_length=20, required=True)


@pytest.mark.parametrize("text", ["2027", "true", "null", '"quoted"', '{"en": 5}', "[1]"])
def test_text_that_looks_like_json_stays_text(text: str) -> None:
    assert _title(text).data == {"en": text}


def test_translated_text_is_cleaned_per_language() -> None:
    assert _title({"en": " Two\r\nlines ", "fr": "", "ar": "‮عنوان"}).data == {"en": "Two lines", "ar": "عنوان"}


@pytest.mark.parametrize("value", ["", "  ", {}, {"en": " "}, None, 5, ["a"], {"en": None}, {"en": ["x"]}, "x" * 21])
def test_titles_that_say_nothing_or_too_much_are_refused(value: object) -> None:
    with pytest.raises(InvalidValue) as refused:
        _title(value)
    assert refused.value.field == "title"


@given(st.one_of(st.text(), st.dictionaries(st.text(), st.text()), st.integers(), st.lists(st.text())))
def test_any_value_is_stored_clean_or_refused(value: object) -> None:
    try:
        texts = _title(value).data
    except InvalidValue:
        return
    assert all(0 < len(text) <= 20 and len(text.splitlines()) == 1 and "\0" not in text for text in texts.values())


@given(st.text(max_size=40))
def test_any_language_tag_is_normal_or_refused(tag: str) -> None:
    try:
        normal = validators.language_tag(tag)
    except UnknownLanguage:
        return
    assert validators.language_tag(normal) == normal
