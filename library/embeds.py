"""The player inside other sites' pages: addresses, code to copy, oEmbed, and links for recordings that are not public.

What anybody may watch may be embedded anywhere. Everything else needs an `EmbedLink`, which an organiser makes for
certain sites and until a day, and can revoke.
"""

import re
from datetime import datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import QuerySet
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.links import LinkError, make_token, read_token
from accounts.models import User
from accounts.services import record_action
from events.models import Visibility, WebinarState
from library.errors import LibraryError
from library.models import EmbedLink, Recording, RecordingState
from library.rules import Right
from library.structured import absolute
from media.models import RenditionKind

WIDTH, HEIGHT = 960, 540
_PURPOSE = "embed"
_MAX_SITES = 20
_LONGEST = timedelta(days=3 * 366)


def embed_link_right(recording: Recording, token: str) -> tuple[Right, EmbedLink] | None:
    """What an embed link's token in the address allows for this recording, or None."""
    try:
        link = read_token(purpose=_PURPOSE, token=token, queryset=EmbedLink.objects.live().filter(recording=recording))
    except LinkError:
        return None
    return Right("embed", str(link.pk)), link


def embed_url(recording: Recording, link: EmbedLink | None = None) -> str:
    """The absolute address of the page that holds only the player."""
    address = absolute(reverse("library:embed", args=[recording.webinar.slug]))
    if link is None:
        return address
    token = make_token(purpose=_PURPOSE, pk=link.pk, nonce=link.link_nonce)
    return f"{address}?{urlencode({'grant': token})}"


def embed_code(
    recording: Recording, link: EmbedLink | None = None, *, width: int = WIDTH, height: int = HEIGHT
) -> str | None:
    """The HTML to copy into another page; None if the recording may not be embedded without a link."""
    if link is None and recording.visibility not in (Visibility.PUBLIC, Visibility.UNLISTED):
        return None
    # Plain text: whoever shows it (in a page, in JSON) escapes it like any other.
    return (
        f'<iframe src="{escape(embed_url(recording, link))}" title="{escape(str(recording.webinar.title))}" '
        f'width="{width}" height="{height}" style="border:0;max-width:100%;aspect-ratio:{width}/{height}" '
        'loading="lazy" allow="fullscreen; picture-in-picture; clipboard-write" '
        'referrerpolicy="strict-origin-when-cross-origin"></iframe>'
    )


def oembed(url: str, *, max_width: int | None = None, max_height: int | None = None) -> dict[str, Any] | None:
    """The answer of oembed.com's protocol for the address of a recording's page; None if there is nothing to embed."""
    recording = _recording_at(url)
    if recording is None:
        return None
    width, height = _fitting(max_width or WIDTH, max_height or HEIGHT)
    package = recording.asset.current_package
    has_video = package is not None and package.renditions.filter(kind=RenditionKind.VIDEO).exists()
    answer: dict[str, Any] = {
        "version": "1.0",
        "type": "video" if has_video else "rich",
        "title": str(recording.webinar.title),
        "provider_name": recording.webinar.organisation.name,
        "provider_url": absolute("/"),
        "width": width,
        "height": height,
        "html": embed_code(recording, width=width, height=height),
        "cache_age": 3600,
    }
    if has_video:
        answer |= {
            "thumbnail_url": absolute(reverse("library:poster", args=[recording.webinar.slug])),
            "thumbnail_width": WIDTH,
            "thumbnail_height": HEIGHT,
        }
    return answer


def oembed_address(url: str) -> str:
    """Where a page's oEmbed description is; its <head> links there."""
    return absolute(f"{reverse('library:oembed')}?{urlencode({'url': url, 'format': 'json'})}")


def embeddable_recording(slug: str) -> Recording | None:
    """The newest published recording of a webinar that anybody may watch, listed or not."""
    return (
        _published()
        .filter(webinar__slug=slug, visibility__in=[Visibility.PUBLIC, Visibility.UNLISTED])
        .order_by("-published_at")
        .first()
    )


def recording_for_link(slug: str, token: str) -> tuple[Recording, Right, EmbedLink] | None:
    """The published recording that an embed link's token opens."""
    for recording in _published().filter(webinar__slug=slug).order_by("-published_at"):
        found = embed_link_right(recording, token)
        if found is not None:
            return recording, *found
    return None


def create_embed_link(
    *, recording: Recording, name: str, sites: list[str], ends_at: datetime, user: User | None = None
) -> EmbedLink:
    """Let certain sites show a recording that is not public.

    Args:
        sites: addresses of the sites; only scheme, host and port of each count.

    Raises:
        LibraryError: a site is not a web address, there are none or too many, or the end is past or too far away.
    """
    origins = sorted({_origin(site) for site in sites if site.strip()})
    if not origins or len(origins) > _MAX_SITES:
        raise LibraryError(
            _("Give the addresses of one to %(most)s sites.") % {"most": _MAX_SITES}, code="sites", field="sites"
        )
    if not timezone.now() < ends_at < timezone.now() + _LONGEST:
        raise LibraryError(_("Choose an end in the future, within three years."), code="ends_at", field="ends_at")
    with transaction.atomic():
        link = EmbedLink.objects.create(
            recording=recording, name=name.strip()[:100], sites=origins, ends_at=ends_at, created_by=user
        )
        _record("embed_link_created", link, user, sites=origins, ends_at=ends_at.isoformat())
    return link


def revoke_embed_link(*, link: EmbedLink, user: User | None = None) -> None:
    """End an embed link: the page is refused at once, and so is every fetch of players that stand open."""
    with transaction.atomic():
        if EmbedLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            _record("embed_link_revoked", link, user)


def _record(action: str, link: EmbedLink, user: User | None, **detail: Any) -> None:
    organisation = link.recording.webinar.organisation
    record_action(
        action=action, target=link.recording, organisation=organisation, user=user, link=str(link.pk), **detail
    )


def _origin(site: str) -> str:
    site = site.strip()
    try:
        URLValidator(schemes=["https", "http"])(site)
        parts = urlsplit(site)
        port = parts.port
    except (ValidationError, ValueError):
        raise LibraryError(
            _("“%(site)s” is not the address of a site. Write it like https://intranet.example.org")
            % {"site": site[:100]},
            code="sites",
            field="sites",
        ) from None
    host = (parts.hostname or "").encode("idna").decode()
    # It becomes part of a header: nothing but the letters of an origin may stand in it.
    if not re.fullmatch(r"[a-z0-9.\-]+|\[[0-9a-f:.]+\]", host):
        raise LibraryError(_("“%(site)s” is not the address of a site.") % {"site": site[:100]}, field="sites")
    return f"{parts.scheme.lower()}://{host}{f':{port}' if port else ''}"


def _published() -> QuerySet[Recording]:
    return (
        Recording.objects.filter(state=RecordingState.PUBLISHED, asset__current_package__isnull=False)
        .exclude(webinar__state=WebinarState.DRAFT)
        .select_related("webinar__organisation", "asset__current_package__asset")
    )


def _recording_at(url: str) -> Recording | None:
    asked, own = urlsplit(url), urlsplit(absolute("/"))
    if (asked.scheme, asked.netloc) != (own.scheme, own.netloc):
        return None
    try:
        match = resolve(asked.path)
    except Resolver404:
        return None
    if match.view_name not in ("library:watch", "library:webinar", "library:embed"):
        return None
    return embeddable_recording(match.kwargs["slug"])


def _fitting(max_width: int, max_height: int) -> tuple[int, int]:
    """The largest 16:9 box within both, and never above the usual size."""
    width = max(1, min(WIDTH, max_width, max_height * 16 // 9))
    return width, max(1, width * 9 // 16)
