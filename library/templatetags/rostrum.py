"""Filters and tags that every page may use."""

import json
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from transcripts import languages

register = template.Library()

# As Django's json_script: nothing that could end the element or begin a comment.
_JSON_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


@register.filter
def styled(field: BoundField) -> SafeString:
    """A form field's control with Bootstrap's class for its kind, marked when it has errors."""
    widget = field.field.widget
    if isinstance(widget, CheckboxInput | CheckboxSelectMultiple | RadioSelect):
        name = "form-check-input"
    elif isinstance(widget, Select):
        name = "form-select"
    else:
        name = "form-control"
    classes = [str(widget.attrs.get("class", "")), name, "is-invalid" if field.errors else ""]
    return field.as_widget(attrs={"class": " ".join(filter(None, dict.fromkeys(" ".join(classes).split())))})


@register.filter
def language_name(tag: str) -> str:
    """A language's name in itself; the tag where the table does not know it."""
    return languages.get(tag).autonym if languages.is_known(tag) else tag


@register.filter
def language_direction(tag: str) -> str:
    """`ltr`, `rtl`, or `auto` where the table does not know the language."""
    return languages.get(tag).direction if languages.is_known(tag) else "auto"


@register.filter
def clock(milliseconds: int | None) -> str:
    """Milliseconds as people write them: 0:07, 12:34, 1:02:03."""
    hours, rest = divmod((milliseconds or 0) // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def seconds(milliseconds: int) -> str:
    """Milliseconds as seconds for machines, whatever the page's language: 12.34."""
    return f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".")


@register.simple_tag
def json_ld(data: dict[str, Any]) -> SafeString:
    """A JSON-LD data block. Data blocks are never run, so the content security policy does not apply to them."""
    text = json.dumps(data, ensure_ascii=False).translate(_JSON_ESCAPES)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308  # escaped above
