"""What changes webinars, series and speakers."""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import IntegrityError, transaction
from django.db.models import F, Model
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from i18nfield.strings import LazyI18nString

from accounts import links
from accounts.models import Organisation, User
from accounts.services import record_action
from accounts.text import clean_lines
from events import selectors, signals, slides, validators
from events.errors import (
    EditConflict,
    EndsBeforeStart,
    EventError,
    InvalidValue,
    NoAddress,
    SlugTaken,
    WrongState,
    ZoneChangeUnclear,
)
from events.models import Series, Speaker, Visibility, Webinar, WebinarState, random_nonce

M = TypeVar("M", bound=Model)

# What calendars show of a webinar: a change of these raises `calendar_sequence` (RFC 5545, section 3.8.7.4).
CALENDAR_FIELDS: Final = frozenset({"title", "starts_at", "ends_at", "time_zone", "join_url"})
MAX_CAPACITY: Final = 1_000_000
MAX_REMINDERS: Final = 6
MIN_REMINDER, MAX_REMINDER = 5, 30 * 24 * 60  # minutes before the start
_MOMENTS: Final = ("starts_at", "ends_at", "registration_opens_at", "registration_closes_at")
# Words that stand where a webinar's or series' name would stand in an address.
RESERVED_SLUGS: Final = frozenset({"new", "search", "calendar"})


# --- Webinars ------------------------------------------------------------------------------------------------------
def create_webinar(
    *,
    organisation: Organisation,
    user: User | None,
    title: str | dict[str, str] | LazyI18nString,
    starts_at: datetime,
    ends_at: datetime,
    time_zone: str,
    slug: str = "",
    series: Series | None = None,
    **fields: Any,
) -> Webinar:
    """Create a draft.

    Args:
        starts_at, ends_at: moments (aware), or local times in `time_zone` (naive).
        slug: the page's name in addresses; made from the title when empty.
        fields: `summary`, `topic`, `audience`, `spoken_language`, `subtitle_languages`, `capacity`,
            `registration_opens_at`, `registration_closes_at`, `needs_approval`, `needs_invitation`, `email_domains`,
            `join_url`, `visibility`.

    Raises:
        EndsBeforeStart, ImpossibleLocalTime, DoubledLocalTime, UnknownTimeZone, UnknownLanguage, SlugTaken,
        InvalidValue: a value cannot be meant; `field` names it.
    """
    given = {
        "title": title,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "time_zone": time_zone,
        "series": series,
        "spoken_language": organisation.language,
        **fields,
    }
    webinar = Webinar(organisation=organisation, created_by=user)
    for name, value in _clean_webinar(webinar, given).items():
        setattr(webinar, name, value)
    with transaction.atomic():
        _save_with_slug(webinar, slug=slug, title=webinar.title)
        record_action(action="webinar.created", target=webinar, organisation=organisation, user=user)
    return webinar


def update_webinar(
    *,
    webinar: Webinar,
    user: User | None,
    expected_updated_at: datetime | None = None,
    slug: str = "",
    zone_change: str = "",
    **fields: Any,
) -> Webinar:
    """Change the given fields (those of `create_webinar`) and announce what really changed.

    Args:
        slug: a new address; empty to keep the one it has.
        expected_updated_at: the `updated_at` that the editor saw. When the row has been saved since, nothing is
            written, so that two editors cannot silently overwrite each other.
        zone_change: what a new `time_zone` without new times means: "clock" keeps what the clocks show, so the moment
            moves; "moment" keeps the moment, so what the clocks show moves.

    Raises:
        EditConflict: somebody else saved in between.
        ZoneChangeUnclear: the zone changes, the times were not given, and `zone_change` is neither.
        WrongState: the webinar is cancelled, or its address would change after it was published.
        InvalidValue: as for `create_webinar`.
    """
    with transaction.atomic():
        current = _lock(Webinar.objects.select_related("organisation", "series"), webinar, expected_updated_at)
        if current.state == WebinarState.CANCELLED:
            raise WrongState(_("This webinar is cancelled and cannot be changed."))
        cleaned = _clean_webinar(current, _with_zone_change(current, fields, zone_change))
        changes = {name for name, value in cleaned.items() if getattr(current, name) != value}
        for name in changes:
            setattr(current, name, cleaned[name])
        if slug and slug != current.slug:
            if current.state != WebinarState.DRAFT:
                raise WrongState(_("The address of a published webinar stays as it is."), field="slug")
            _save_with_slug(current, slug=slug, title=current.title)
            changes.add("slug")
        if not changes:
            return current
        saved = {*changes, "updated_at"}
        if changes & CALENDAR_FIELDS:
            current.calendar_sequence += 1
            saved.add("calendar_sequence")
        current.save(update_fields=saved)
        record_action(
            action="webinar.updated",
            target=current,
            organisation=current.organisation,
            user=user,
            changes=sorted(changes),
        )
        signals.webinar_changed.send(sender=Webinar, webinar=current, changes=frozenset(changes))
    return current


def publish_webinar(*, webinar: Webinar, user: User | None) -> Webinar:
    """Show a draft to those who may see it, and open its registration.

    Raises:
        WrongState: it is not a draft.
    """
    with transaction.atomic():
        moved = Webinar.objects.filter(pk=webinar.pk, state=WebinarState.DRAFT).update(
            state=WebinarState.PUBLISHED, published_at=timezone.now(), updated_at=timezone.now()
        )
        current = _fresh(webinar)
        if not moved:
            if current.state == WebinarState.CANCELLED:
                raise WrongState(_("This webinar is cancelled and cannot be published."))
            raise WrongState(_("This webinar is published already."))
        record_action(action="webinar.published", target=current, organisation=current.organisation, user=user)
        signals.webinar_published.send(sender=Webinar, webinar=current)
    return current


def cancel_webinar(*, webinar: Webinar, user: User | None) -> Webinar:
    """Call a webinar off. Its page stays and says so; calendars are told to remove it.

    Raises:
        WrongState: it was cancelled before.
    """
    with transaction.atomic():
        was_published = (
            Webinar.objects.filter(pk=webinar.pk, state=WebinarState.PUBLISHED).update(**_cancelled_fields()) == 1
        )
        if not was_published:
            moved = Webinar.objects.filter(pk=webinar.pk, state=WebinarState.DRAFT).update(**_cancelled_fields())
            if not moved:
                raise WrongState(_("This webinar is cancelled already."))
        current = _fresh(webinar)
        record_action(action="webinar.cancelled", target=current, organisation=current.organisation, user=user)
        if was_published:
            signals.webinar_cancelled.send(sender=Webinar, webinar=current)
    return current


def _cancelled_fields() -> dict[str, Any]:
    now = timezone.now()
    return {
        "state": WebinarState.CANCELLED,
        "cancelled_at": now,
        "updated_at": now,
        "calendar_sequence": F("calendar_sequence") + 1,
    }


def delete_webinar(*, webinar: Webinar, user: User | None) -> None:
    """Remove a draft with its speakers and materials.

    Raises:
        WrongState: it was published, so people may know of it: cancel it instead; or something that is kept, such as
            a recording, belongs to it.
    """
    with transaction.atomic():
        current = _lock(Webinar.objects.select_related("organisation"), webinar)
        if current.state != WebinarState.DRAFT:
            raise WrongState(_("Only a draft can be deleted. Cancel the webinar instead."))
        if selectors.has_kept_rows(current):
            raise WrongState(_("This webinar has recordings or registrations. Remove these first."))
        for material in current.materials.all():
            slides.remove_material(material=material, user=user)
        record_action(
            action="webinar.deleted",
            target=current,
            organisation=current.organisation,
            user=user,
            slug=current.slug,
        )
        current.delete()


def _with_zone_change(current: Webinar, fields: dict[str, Any], meant: str) -> dict[str, Any]:
    """Return the fields with the times that a change of the zone alone means."""
    if "time_zone" not in fields or {"starts_at", "ends_at"} <= fields.keys():
        return fields
    if validators.time_zone(fields["time_zone"]).key == current.time_zone or meant == "moment":
        return fields
    if meant != "clock":
        raise ZoneChangeUnclear(
            _("Say what stays when the time zone changes: what the clocks show, or the moment."), field="zone_change"
        )
    old = validators.time_zone(current.time_zone)
    kept = {
        name: moment.astimezone(old).replace(tzinfo=None)
        for name in ("starts_at", "ends_at", "registration_opens_at", "registration_closes_at")
        if (moment := getattr(current, name)) is not None
    }
    return {**kept, **fields}


def _fresh(webinar: Webinar) -> Webinar:
    return Webinar.objects.select_related("organisation", "series").get(pk=webinar.pk)


def _clean_webinar(webinar: Webinar, given: dict[str, Any]) -> dict[str, Any]:
    """Return the checked values of the given fields, as they fit together with those that stay."""
    unknown = given.keys() - _WEBINAR_CHECKS.keys() - {*_MOMENTS, "series"}
    if unknown:
        raise TypeError(f"not fields of a webinar: {sorted(unknown)}")
    language = webinar.spoken_language
    if "spoken_language" in given:
        language = validators.language_tag(given["spoken_language"], field="spoken_language")
    cleaned = {name: check(given[name], language) for name, check in _WEBINAR_CHECKS.items() if name in given}
    zone: str = cleaned.get("time_zone", webinar.time_zone)
    for name in _MOMENTS:
        if name in given:
            cleaned[name] = validators.local_time(given[name], zone, field=name) if given[name] else None
    starts_at, ends_at = cleaned.get("starts_at", webinar.starts_at), cleaned.get("ends_at", webinar.ends_at)
    for name, value in (("starts_at", starts_at), ("ends_at", ends_at)):
        if value is None:
            raise InvalidValue(_("Say when the webinar starts and ends."), field=name, code="required")
    if ends_at <= starts_at:
        raise EndsBeforeStart(_("The webinar must end after it starts."), field="ends_at")
    closes_at = cleaned.get("registration_closes_at", webinar.registration_closes_at)
    if closes_at is not None and closes_at > ends_at:
        raise InvalidValue(_("Registration cannot close after the end of the webinar."), field="registration_closes_at")
    opens_at = cleaned.get("registration_opens_at", webinar.registration_opens_at)
    if opens_at is not None and opens_at >= (closes_at or ends_at):
        raise InvalidValue(_("Registration must open before it closes."), field="registration_opens_at")
    if "series" in given:
        cleaned["series"] = series = given["series"]
        if series is not None and series.organisation_id != webinar.organisation_id:
            raise InvalidValue(_("This series belongs to another organisation."), field="series")
    return cleaned


def _clean_capacity(value: int | None, _language: str) -> int | None:
    if value is not None and not 1 <= value <= MAX_CAPACITY:
        raise InvalidValue(
            _("Give a number of places from 1 to %(max)s, or none for no limit.") % {"max": MAX_CAPACITY},
            field="capacity",
        )
    return value


def _clean_join_url(value: str, _language: str) -> str:
    value = value.strip()
    if value:
        try:
            URLValidator(schemes=["http", "https"])(value)
        except ValidationError:
            raise InvalidValue(
                _("Give the whole address of the live room, beginning with https://."), field="join_url"
            ) from None
        if len(value) > 1000:
            raise InvalidValue(_("This address is longer than 1000 characters."), field="join_url")
    return value


def _clean_reminders(values: Iterable[int], _language: str) -> list[int]:
    minutes = sorted(set(values), reverse=True)
    if len(minutes) > MAX_REMINDERS or not all(
        isinstance(one, int) and MIN_REMINDER <= one <= MAX_REMINDER for one in minutes
    ):
        raise InvalidValue(
            _("Choose at most %(count)s reminders, from 5 minutes to 30 days before the start.")
            % {"count": MAX_REMINDERS},
            field="reminder_minutes",
        )
    return minutes


def _clean_visibility(value: str, _language: str) -> str:
    if value not in Visibility.values:
        raise InvalidValue(
            _("Choose one of: %(choices)s.") % {"choices": ", ".join(Visibility.values)}, field="visibility"
        )
    return str(value)


# What each field must be; every check gets the value and the language that bare texts are in.
_WEBINAR_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "title": lambda value, language: validators.translated_text(
        value, field="title", label=_("Title"), language=language, max_length=200, required=True
    ),
    "summary": lambda value, language: validators.translated_text(
        value, field="summary", label=_("Summary"), language=language, max_length=10_000, one_line=False
    ),
    "topic": lambda value, _language: validators.short_text(value, field="topic", label=_("Topic"), max_length=100),
    "audience": lambda value, _language: validators.short_text(
        value, field="audience", label=_("Audience"), max_length=200
    ),
    "spoken_language": lambda value, _language: validators.language_tag(value, field="spoken_language"),
    "subtitle_languages": lambda value, _language: validators.language_tags(value, field="subtitle_languages"),
    "time_zone": lambda value, _language: validators.time_zone(value).key,
    "capacity": _clean_capacity,
    "join_url": _clean_join_url,
    "needs_approval": lambda value, _language: bool(value),
    "needs_invitation": lambda value, _language: bool(value),
    "email_domains": lambda value, _language: validators.domains(value, field="email_domains"),
    "visibility": _clean_visibility,
    "reminder_minutes": _clean_reminders,
}


# --- Series --------------------------------------------------------------------------------------------------------
def create_series(
    *,
    organisation: Organisation,
    user: User | None,
    title: str | dict[str, str] | LazyI18nString,
    description: str | dict[str, str] | LazyI18nString = "",
    is_public: bool = False,
    slug: str = "",
) -> Series:
    """Create a series; nothing is shown of it to strangers until `is_public`.

    Raises:
        InvalidValue, SlugTaken: a value cannot be meant; `field` names it.
    """
    series = Series(organisation=organisation, is_public=is_public)
    for name, value in _clean_series(organisation, {"title": title, "description": description}).items():
        setattr(series, name, value)
    with transaction.atomic():
        _save_with_slug(series, slug=slug, title=series.title)
        record_action(action="series.created", target=series, organisation=organisation, user=user)
    return series


def update_series(
    *, series: Series, user: User | None, expected_updated_at: datetime | None = None, **fields: Any
) -> Series:
    """Change `title`, `description` or `is_public`.

    Raises:
        EditConflict: somebody else saved in between (see `update_webinar`).
        InvalidValue: a value cannot be meant; `field` names it.
    """
    with transaction.atomic():
        current = _lock(Series.objects.select_related("organisation"), series, expected_updated_at)
        cleaned = _clean_series(current.organisation, fields)
        changes = {name for name, value in cleaned.items() if getattr(current, name) != value}
        if not changes:
            return current
        for name in changes:
            setattr(current, name, cleaned[name])
        current.save(update_fields={*changes, "updated_at"})
        record_action(
            action="series.updated",
            target=current,
            organisation=current.organisation,
            user=user,
            changes=sorted(changes),
        )
    return current


def delete_series(*, series: Series, user: User | None) -> None:
    """Remove a series; its webinars stay, without it."""
    with transaction.atomic():
        record_action(
            action="series.deleted", target=series, organisation=series.organisation, user=user, slug=series.slug
        )
        series.delete()


def _clean_series(organisation: Organisation, given: dict[str, Any]) -> dict[str, Any]:
    cleaned = dict(given)
    for name, label, length in (("title", _("Title"), 200), ("description", _("Description"), 10_000)):
        if name in given:
            cleaned[name] = validators.translated_text(
                given[name],
                field=name,
                label=label,
                language=organisation.language,
                max_length=length,
                required=name == "title",
                one_line=name == "title",
            )
    return cleaned


# --- Speakers ------------------------------------------------------------------------------------------------------
def add_speaker(
    *,
    webinar: Webinar,
    user: User | None,
    name: str,
    email: str = "",
    affiliation: str = "",
    biography: str = "",
    language: str = "",
    position: int | None = None,
) -> Speaker:
    """Add a presenter, last in order unless `position` says otherwise. Nothing is sent; see `invite_speaker`.

    Raises:
        InvalidValue: a value cannot be meant; `field` names it.
    """
    given = {
        "name": name,
        "email": email,
        "affiliation": affiliation,
        "biography": biography,
        "language": language or webinar.spoken_language,
        "position": webinar.speakers.count() if position is None else position,
    }
    speaker = Speaker(webinar=webinar, **_clean_speaker(given))
    with transaction.atomic():
        speaker.save()
        _record_speaker("speaker.added", speaker, user)
    return speaker


def update_speaker(
    *, speaker: Speaker, user: User | None, expected_updated_at: datetime | None = None, **fields: Any
) -> Speaker:
    """Change `name`, `email`, `affiliation`, `biography`, `language` or `position`.

    `user` is None when speakers change their own entry. A new address ends the personal link that the old one got.

    Raises:
        EditConflict: somebody else saved in between (see `update_webinar`).
        InvalidValue: a value cannot be meant; `field` names it.
    """
    with transaction.atomic():
        current = _lock(Speaker.objects.select_related("webinar__organisation"), speaker, expected_updated_at)
        cleaned = _clean_speaker(fields)
        changes = {name for name, value in cleaned.items() if getattr(current, name) != value}
        if not changes:
            return current
        for name in changes:
            setattr(current, name, cleaned[name])
        saved = {*changes, "updated_at"}
        if "email" in changes:
            current.link_nonce, current.invited_at = random_nonce(), None
            saved |= {"link_nonce", "invited_at"}
        current.save(update_fields=saved)
        _record_speaker("speaker.updated", current, user, changes=sorted(changes))
    return current


def remove_speaker(*, speaker: Speaker, user: User | None) -> None:
    """Take a presenter off; the personal link ends, materials stay with the webinar."""
    with transaction.atomic():
        _record_speaker("speaker.removed", speaker, user)
        speaker.delete()


def invite_speaker(*, speaker: Speaker, user: User | None = None) -> Speaker:
    """Have the personal link sent to a speaker (again, if it was before).

    Raises:
        NoAddress: the speaker has no e-mail address.
        WrongState: the webinar is cancelled.
    """
    with transaction.atomic():
        current = _lock(Speaker.objects.select_related("webinar__organisation"), speaker)
        if not current.email:
            raise NoAddress(_("Add the speaker's e-mail address first."), field="email")
        if current.webinar.state == WebinarState.CANCELLED:
            raise WrongState(_("This webinar is cancelled, so nobody is invited any more."))
        current.invited_at = timezone.now()
        current.save(update_fields=["invited_at", "updated_at"])
        _record_speaker("speaker.invited", current, user)
        signals.speaker_invited.send(sender=Speaker, speaker=current)
    return current


def _clean_speaker(given: dict[str, Any]) -> dict[str, Any]:
    unknown = given.keys() - {"name", "email", "affiliation", "biography", "language", "position"}
    if unknown:
        raise TypeError(f"not fields of a speaker: {sorted(unknown)}")
    cleaned = dict(given)
    for name, label, length in (("name", _("Name"), 150), ("affiliation", _("Affiliation"), 200)):
        if name in given:
            cleaned[name] = validators.short_text(
                given[name], field=name, label=label, max_length=length, required=name == "name"
            )
    if "biography" in given:
        cleaned["biography"] = clean_lines(given["biography"])
        if len(cleaned["biography"]) > 4000:
            raise InvalidValue(_("The biography may have at most 4000 characters."), field="biography")
    if "language" in given:
        cleaned["language"] = validators.language_tag(given["language"])
    if "email" in given:
        cleaned["email"] = _clean_email(given["email"])
    if "position" in given and not 0 <= given["position"] <= 32_767:
        raise InvalidValue(_("Give a position from 0 on."), field="position")
    return cleaned


def _clean_email(value: str) -> str:
    value = value.strip()
    if value:
        try:
            validate_email(value)
        except ValidationError:
            raise InvalidValue(_("This is not an e-mail address."), field="email") from None
        if len(value) > 254:
            raise InvalidValue(_("This e-mail address is too long."), field="email")
    return value


def _record_speaker(action: str, speaker: Speaker, user: User | None, **detail: Any) -> None:
    record_action(
        action=action,
        target=speaker,
        organisation=speaker.webinar.organisation,
        user=user,
        actor="" if user else "speaker",
        webinar=str(speaker.webinar_id),
        **detail,
    )


# --- Rows of any kind ----------------------------------------------------------------------------------------------
def _lock(rows: Any, row: M, expected_updated_at: datetime | None = None) -> M:
    """Return the row as it is now, locked until the end of the transaction.

    SQLite has no row locks and needs none: its transactions begin by taking the only right to write.

    Raises:
        EditConflict: it was saved after `expected_updated_at`, or is gone.
    """
    current: M | None = rows.select_for_update(of=("self",)).filter(pk=row.pk).first()
    if current is None:
        raise EditConflict(_("This was deleted in the meantime."), code="deleted")
    if expected_updated_at is not None and current.updated_at != expected_updated_at:  # type: ignore[attr-defined]  # every model here is a Record
        raise EditConflict(
            _("Somebody else saved this while you were working on it. Look at the present text, then save again."),
            current=current,
        )
    return current


def _save_with_slug(row: Webinar | Series, *, slug: str, title: LazyI18nString) -> None:
    """Save the row under the given address name, or under one made from its title.

    Raises:
        SlugTaken: the given one belongs to another row.
        InvalidValue: the given one is not fit for an address.
    """
    if slug:
        candidates: Iterable[str] = [validators.slug(slug)]
        if row.__class__.objects.filter(slug=slug).exclude(pk=row.pk).exists() or slug in RESERVED_SLUGS:
            raise _slug_taken()
    else:
        candidates = _slugs_from(title)
    for candidate in candidates:
        row.slug = candidate
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            if not row.__class__.objects.filter(slug=candidate).exclude(pk=row.pk).exists():
                raise  # something else is wrong with the row
        else:
            return
    raise _slug_taken() if slug else EventError(_("No free address was found; give one yourself."), field="slug")


def _slug_taken() -> SlugTaken:
    return SlugTaken(_("This address is taken. Choose another one."), field="slug")


def _slugs_from(title: LazyI18nString) -> Iterable[str]:
    """Address names to try: the title in Latin letters, if it has such, with a random ending when that is taken.

    Titles in other scripts get a random name: a wrong transliteration is worse than none.
    """
    data = title.data if isinstance(title.data, dict) else {"": str(title)}
    texts = sorted(data.items(), key=lambda item: (item[0] != "en", item[0]))
    base = ""
    for _language, text in texts:
        made = slugify(text)[:60].strip("-_").replace("_", "-")
        # Most of the letters must have survived; "العربية 2027" is not well named by "2027".
        if sum(c.isalnum() for c in made) * 2 > sum(c.isalnum() for c in text[:60]):
            base = "-".join(part for part in made.split("-") if part)
            break
    if base and base not in RESERVED_SLUGS:
        yield base
    for _try in range(5):
        ending = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _position in range(8))
        yield f"{base or 'webinar'}-{ending}"


def public_path(webinar: Webinar) -> str:
    """The path of the webinar's public page (its view belongs to an app above this one)."""
    return f"/webinars/{webinar.slug}/"


def public_url(webinar: Webinar) -> str:
    return f"{settings.BASE_URL}{public_path(webinar)}"


def speaker_link(speaker: Speaker) -> str:
    """The speaker's personal address: whoever holds it acts as the speaker."""
    token = links.make_token(purpose="speaker", pk=speaker.pk, nonce=speaker.link_nonce)
    return f"{settings.BASE_URL}/speak/{token}/"


def speaker_by_token(token: str) -> Speaker:
    """Return the speaker whom a personal link belongs to.

    Raises:
        accounts.links.LinkError: the link opens nothing; see `accounts.links.read_token`.
    """
    rows = Speaker.objects.select_related("webinar__organisation", "webinar__series")
    return links.read_token(purpose="speaker", token=token, queryset=rows)
