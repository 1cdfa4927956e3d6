"""The real CTranslate2 with the demo's translator."""

import json
import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.transcripts.speech import phrases
from transcripts import translators
from transcripts.errors import EngineUnknown, LanguageNotSupported, ModelMissing, ModelUnusable
from transcripts.translators.base import Stopped
from transcripts.translators.vocabulary import Vocabulary

NLLB_CODES = "eng_Latn fra_Latn arb_Arab ukr_Cyrl pes_Arab prs_Arab bam_Latn fuv_Latn wol_Latn zho_Hans zho_Hant"
NLLB = Vocabulary("nllb", frozenset(NLLB_CODES.split()))


@pytest.mark.parametrize("target", ["fr", "es", "uk", "ar"])
def test_phrase_book_is_translated(target: str) -> None:
    source, truth = phrases("en"), phrases(target)
    made = translators.get().translate(list(source.values()), source="en", target=target)
    assert sum(one == other for one, other in zip(made, truth.values(), strict=True)) >= 38


def test_progress_is_reported_and_stopping_stops() -> None:
    seen: list[float] = []
    source = list(phrases("en").values())
    with pytest.raises(Stopped):
        translators.get().translate(
            source, source="en", target="fr", progress=seen.append, should_stop=lambda: len(seen) == 1
        )
    assert seen == [40.0]


def test_nothing_to_translate_gives_nothing() -> None:
    assert translators.get().translate([], source="en", target="fr") == []


def test_unknown_language_is_refused_by_name() -> None:
    with pytest.raises(LanguageNotSupported, match="bm"):
        translators.get().translate(["Welcome."], source="en", target="bm")


def test_translator_is_offered_for_what_it_knows(settings: Settings) -> None:
    assert translators.can_translate("en", "ar")
    assert translators.can_translate("en-GB", "fr-CA")
    assert not translators.can_translate("en", "de")  # in its vocabulary, but the demo's model was never taught it
    assert not translators.can_translate("en", "bm")
    assert not translators.can_translate("en", "en-GB")
    assert not translators.can_translate("en", "nonsense")
    settings.TRANSLATION_ENGINE = "none"
    assert not translators.can_translate("en", "ar")


@pytest.mark.parametrize(
    ("tag", "code"),
    [("en", "eng_Latn"), ("ar", "arb_Arab"), ("fa", "pes_Arab"), ("prs", "prs_Arab"), ("bm", "bam_Latn"),
     ("ff", "fuv_Latn"), ("wo", "wol_Latn"), ("uk-UA", "ukr_Cyrl"), ("zh", "zho_Hans"), ("zh-TW", "zho_Hant"),
     ("de", None), ("x", None)],
)  # fmt: skip
def test_nllb_languages_have_their_codes(tag: str, code: str | None) -> None:
    assert NLLB.code(tag) == code


@pytest.mark.parametrize("left_out", ["", "model.bin", "sentencepiece.bpe.model", "shared_vocabulary.json"])
def test_missing_model_is_named_with_its_setting(settings: Settings, tmp_path: Path, left_out: str) -> None:
    model = tmp_path / "model"
    if left_out:
        shutil.copytree(settings.DEMO_MODEL_DIR / "m2m-tiny-webinar", model)
        (model / left_out).unlink()
    settings.TRANSLATION_MODEL = str(model)
    with pytest.raises(ModelMissing) as caught:
        translators.get()
    assert all(part in str(caught.value) for part in (str(model), "TRANSLATION_MODEL", "try again"))


def test_damaged_or_other_model_is_an_error_not_a_crash(settings: Settings, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(settings.DEMO_MODEL_DIR / "m2m-tiny-webinar", model)
    settings.TRANSLATION_MODEL = str(model)
    (model / "model.bin").write_bytes(b"nonsense")
    with pytest.raises(ModelUnusable):
        translators.get()
    (model / "shared_vocabulary.json").write_text(json.dumps(["<s>", "hello"]))
    with pytest.raises(ModelUnusable, match="M2M100"):
        translators.get()


@pytest.mark.parametrize(("engine", "words"), [("none", "switched off"), ("babel", "ctranslate2")])
def test_no_translator_is_a_clear_message(settings: Settings, engine: str, words: str) -> None:
    settings.TRANSLATION_ENGINE = engine
    with pytest.raises(EngineUnknown, match=words):
        translators.get()
