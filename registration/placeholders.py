"""Words in braces that organisers may put into a text, such as {name}: a fixed list, replaced once, never evaluated."""

import re
from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _

from registration.errors import InvalidDetail

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def check(text: str, *, known: Collection[str], field: str) -> None:
    """Check that a text names only known placeholders.

    Raises:
        InvalidDetail: it has another one, or a brace without its partner.
    """
    unknown = [name for name in _PLACEHOLDER.findall(text) if name not in known]
    lonely = set("{}") & set(_PLACEHOLDER.sub("", text))
    if unknown or lonely:
        shown = unknown[0][:40] if unknown else sorted(lonely)[0]
        raise InvalidDetail(
            _("“%(shown)s” is not known here. In braces you can use: %(known)s.")
            % {"shown": shown, "known": ", ".join(f"{{{name}}}" for name in known)},
            field=field,
        )


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with each known placeholder replaced; what a value holds is not looked at again.

    >>> fill("{name}, {other}", {"name": "{other}"})
    '{other}, {other}'
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
