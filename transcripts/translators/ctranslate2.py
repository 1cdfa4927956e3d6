"""CTranslate2 with models of the M2M100 and NLLB types, and their SentencePiece tokenizer beside them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import ctranslate2
import sentencepiece
from django.utils.translation import gettext as _

from transcripts.engines import is_demo
from transcripts.errors import LanguageNotSupported, ModelMissing, ModelUnusable
from transcripts.translators import vocabulary
from transcripts.translators.base import Stopped, Translator

SETTING = "TRANSLATION_MODEL"
BATCH_SENTENCES = 16
BEAM_SIZE = 2
DEMO_BEAM_SIZE = 1  # the demo's tiny model is right on all of its sentences without a beam, and on 99 % with one
MAX_SOURCE_TOKENS = 500  # M2M100 and NLLB learned no longer sentences
_TOKENIZERS = ("sentencepiece.bpe.model", "sentencepiece.model", "spm.model", "flores200_sacrebleu_tokenizer_spm.model")


class CTranslate2Translator(Translator):
    name = "ctranslate2"

    def __init__(self, model: str, device: str) -> None:
        """Load the model in a folder.

        Raises:
            ModelMissing: there is no such folder, or a file is missing in it.
            ModelUnusable: it cannot be loaded, or is of another type.
        """
        super().__init__(model)
        folder = Path(model).expanduser()
        tokenizer = next((folder / name for name in _TOKENIZERS if (folder / name).is_file()), None)
        if not (folder / "model.bin").is_file() or tokenizer is None:
            raise missing(model)
        try:
            found = vocabulary.of(folder)
        except OSError as error:
            raise missing(model) from error
        if found is None:
            raise _unusable(model, _("it is not of the M2M100 or NLLB type"))
        self._vocabulary = found
        self._beam_size = DEMO_BEAM_SIZE if is_demo(model) else BEAM_SIZE
        try:
            self._translator = ctranslate2.Translator(str(folder), device=device)
            self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
        except (RuntimeError, ValueError, OSError) as error:
            raise _unusable(model, str(error)) from error

    def translate(
        self,
        sentences: Sequence[str],
        *,
        source: str,
        target: str,
        progress: Callable[[float], None] = lambda _percent: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> list[str]:
        source_code, target_code = self._code(source), self._code(target)
        done: list[str] = []
        for batch in _batches(sentences):
            if should_stop():
                raise Stopped
            tokens = [
                [source_code, *self._pieces.encode(one, out_type=str)[:MAX_SOURCE_TOKENS], "</s>"] for one in batch
            ]
            results = self._translator.translate_batch(
                tokens, target_prefix=[[target_code]] * len(tokens), beam_size=self._beam_size, max_decoding_length=512
            )
            done.extend(self._text(result.hypotheses[0], target_code) for result in results)
            progress(100 * len(done) / len(sentences))
        return done

    def _text(self, tokens: list[str], target_code: str) -> str:
        words = [token for token in tokens if token != target_code]
        return str(self._pieces.decode(words)).replace("⁇", "").strip()

    def _code(self, tag: str) -> str:
        code = self._vocabulary.code(tag)
        if code is None:
            raise LanguageNotSupported(
                _("The translation model “%(model)s” does not know the language “%(tag)s”.")
                % {"model": Path(self.model).name, "tag": tag}
            )
        return code


def _batches(sentences: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(sentences), BATCH_SENTENCES):
        yield sentences[at : at + BATCH_SENTENCES]


def missing(model: str) -> ModelMissing:
    return ModelMissing(
        _(
            "There is no translation model at “%(model)s”. Set %(setting)s to a folder with a CTranslate2 model of the "
            "M2M100 or NLLB type (model.bin, shared_vocabulary.json and its SentencePiece model), then try again."
        )
        % {"model": model, "setting": SETTING},
        model=model,
        address="",
        setting=SETTING,
    )


def _unusable(model: str, reason: str) -> ModelUnusable:
    return ModelUnusable(
        _(
            "The translation model “%(model)s” cannot be used: %(reason)s. Set %(setting)s to another one, "
            "then try again."
        )
        % {"model": model, "reason": reason[:200], "setting": SETTING},
        model=model,
        setting=SETTING,
    )
