"""Finding a model: a path, or a name that is downloaded once to MODEL_DIR."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from transcripts.errors import ModelMissing, ModelUnusable


def looks_like_path(model: str) -> bool:
    return model.startswith((".", "/", "~")) or model.endswith(".pt") or Path(model).exists()


@contextlib.contextmanager
def download_lock() -> Iterator[Path]:
    """The folder of downloaded models, for one downloading process at a time on this machine."""
    folder = Path(settings.MODEL_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def no_such_path(model: str, *, setting: str) -> ModelMissing:
    return ModelMissing(
        _("There is no model at “%(model)s”. Correct the setting %(setting)s, or put the model there, then try again.")
        % {"model": model, "setting": setting},
        model=model,
        address="",
        setting=setting,
    )


def no_such_name(model: str, names: list[str], *, setting: str) -> ModelMissing:
    return ModelMissing(
        _("“%(model)s” is neither a model's path nor one of the names %(names)s. Correct the setting %(setting)s.")
        % {"model": model, "names": ", ".join(names), "setting": setting},
        model=model,
        address="",
        setting=setting,
    )


def not_downloaded(model: str, *, address: str, reason: object, setting: str) -> ModelMissing:
    return ModelMissing(
        _(
            "The model “%(model)s” is not on this machine and could not be downloaded from %(address)s (%(reason)s). "
            "Let this machine reach that address, or set %(setting)s to the path of a model, then try again."
        )
        % {"model": model, "address": address, "reason": str(reason)[:200], "setting": setting},
        model=model,
        address=address,
        setting=setting,
    )


def not_loaded(model: str, *, reason: object, setting: str) -> ModelUnusable:
    return ModelUnusable(
        _(
            "The model “%(model)s” is there but cannot be loaded (%(reason)s). Remove it so that it is downloaded "
            "again, or set %(setting)s to another one, then try again."
        )
        % {"model": model, "reason": str(reason)[:200], "setting": setting},
        model=model,
        setting=setting,
    )
