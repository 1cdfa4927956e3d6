"""Reads shared by pages, API and mails."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import CharField, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Cast
from django.http import HttpRequest
from rest_framework.request import Request

from accounts import rules as accounts_rules
from accounts.models import ApiToken
from events.models import Material, MaterialPage, Visibility, Webinar, WebinarQuerySet, WebinarState
from library import rules
from library.chapters import headers_of, title_of
from library.memory import ShortMemory
from library.models import Recording, RecordingState
from library.viewings import watched_by as watched_by  # a read like the others, for what counts attendance
from media import growing
from media.models import Derivative, DerivativeKind, Package, Rendition, RenditionKind, ReplacedFile
from media.timeline import Window
from transcripts import searching
from transcripts import selectors as transcripts_selectors
from transcripts.models import TextTrack
from work.models import WorkState


def listed_webinars() -> WebinarQuerySet:
    """Webinars that the catalogue shows to strangers, with what a card needs."""
    return (
        WebinarQuerySet(Webinar)
        .filter(state=WebinarState.PUBLISHED, visibility=Visibility.PUBLIC)
        .select_related("organisation", "series", "places")
        .prefetch_related("speakers")
    )


def listed_recordings() -> QuerySet[Recording]:
    """Recordings that the catalogue shows to strangers: published, for everyone, of a listed webinar, watchable."""
    return (
        Recording.objects.filter(
            state=RecordingState.PUBLISHED,
            visibility=Visibility.PUBLIC,
            webinar__visibility=Visibility.PUBLIC,
            asset__current_package__isnull=False,
        )
        .exclude(webinar__state=WebinarState.DRAFT)
        .select_related("webinar__organisation", "webinar__series", "asset__current_package")
        .prefetch_related("webinar__speakers", _posters(), "asset__tracks")
        .order_by("-webinar__starts_at", "-created_at")
    )


def _posters() -> "Prefetch[str]":
    return Prefetch(
        "asset__current_package__derivatives",
        queryset=Derivative.objects.filter(kind=DerivativeKind.POSTER).order_by("name"),
        to_attr="posters",
    )


def topics() -> list[str]:
    """Topics of what the catalogue lists, each once."""
    found = (
        Webinar.objects.filter(state=WebinarState.PUBLISHED, visibility=Visibility.PUBLIC)
        .exclude(topic="")
        .values_list("topic", flat=True)
        .distinct()
    )
    return sorted(set(found), key=str.casefold)


def spoken_languages() -> list[str]:
    found = (
        Webinar.objects.filter(state=WebinarState.PUBLISHED, visibility=Visibility.PUBLIC)
        .values_list("spoken_language", flat=True)
        .distinct()
    )
    return sorted(set(found))


def found_webinars(query: str) -> QuerySet[Webinar]:
    """Listed webinars whose title, summary, topic or speakers contain every word of the query, newest first."""
    # A text with translations is kept as JSON, in which letters outside ASCII are escaped: look for both spellings.
    text = CharField()
    webinars = listed_webinars().annotate(title_text=Cast(F("title"), text), summary_text=Cast(F("summary"), text))
    for word in query.split()[:8]:
        escaped = json.dumps(word)[1:-1]
        match = Q()
        for spelling in {word, escaped}:
            match |= Q(title_text__icontains=spelling) | Q(summary_text__icontains=spelling)
        match |= Q(topic__icontains=word) | Q(audience__icontains=word)
        match |= Q(pk__in=Webinar.objects.filter(_speaker_matches(word)).values("pk"))
        webinars = webinars.filter(match)
    return webinars.order_by("-starts_at", "-pk")


MOST_SPOKEN = 100  # hits of one search; who has more should ask for more words


def found_tracks(query: str) -> "QuerySet[TextTrack]":
    """Published tracks of listed recordings in which every word of the query is said, the newest webinars first.

    Each has `has_newer`: the webinar's page shows another recording unless this one is asked for.
    """
    assets = listed_recordings().values("asset")
    newer = Recording.objects.filter(
        webinar=OuterRef("asset__recording__webinar"),
        state=RecordingState.PUBLISHED,
        published_at__gt=OuterRef("asset__recording__published_at"),
    )
    tracks = (
        TextTrack.objects.filter(asset__in=assets)
        .annotate(has_newer=Exists(newer))
        .select_related("current_revision", "asset__recording__webinar__organisation", "asset__current_package")
    )
    return searching.matching(query, tracks).order_by("-asset__recording__webinar__starts_at", "kind", "language", "pk")


def spoken_hits(query: str, tracks: Iterable[TextTrack]) -> list[searching.Hit]:
    """The moments at which tracks say a query's words, in the time that viewers see."""
    return [
        searching.hit_in(
            track, query, transcripts_selectors.cues_of(track, window=Window.of(track.asset.current_package))
        )
        for track in tracks
    ]


def _speaker_matches(word: str) -> Q:
    return Q(speakers__name__icontains=word) | Q(speakers__affiliation__icontains=word)


def watchable_recording(webinar: Webinar, request: HttpRequest | Request) -> tuple[Recording, rules.Right] | None:
    """The recording that this visitor gets on the watch page: the newest published one, else (members) the newest.

    One that `?recording=` names comes before, if this visitor may watch it.
    """
    recordings = list(
        Recording.objects.filter(webinar=webinar)
        .select_related("webinar__organisation", "asset__current_package")
        .order_by("-published_at", "-created_at")
    )
    # Published ones first; the sort is stable, so the newest stays first within each group.
    wanted = request.GET.get("recording", "")
    recordings.sort(key=lambda recording: (str(recording.pk) != wanted, recording.state != RecordingState.PUBLISHED))
    for recording in recordings:
        right = rules.viewing_right(recording, request)
        if right is not None:
            return recording, right
    return None


def query_for(recording: Recording, request: HttpRequest | Request) -> str:
    """What the addresses of a page about a recording end with: "?recording=..." if it was asked for by name."""
    return f"?recording={recording.pk}" if request.GET.get("recording") == str(recording.pk) else ""


def published_recordings(webinar: Webinar, request: HttpRequest | Request) -> list[Recording]:
    """Published recordings of a webinar that this visitor may watch, the oldest first: its parts, where it has some."""
    rows = Recording.objects.filter(
        webinar=webinar, state=RecordingState.PUBLISHED, asset__current_package__isnull=False
    ).select_related("webinar__organisation", "asset__current_package")
    return [row for row in rows.order_by("published_at", "pk") if rules.viewing_right(row, request) is not None]


def is_for_registered(webinar: Webinar) -> bool:
    """True if there is a published recording that people who registered may watch."""
    return Recording.objects.filter(
        webinar=webinar, state=RecordingState.PUBLISHED, visibility=Visibility.REGISTERED
    ).exists()


def public_materials(webinar: Webinar) -> QuerySet[Material]:
    """Slides and handouts offered to the audience, with their pages."""
    return (
        Material.objects.filter(webinar=webinar, is_public=True)
        .exclude(state__in=[WorkState.FAILED, WorkState.CANCELLED])
        .select_related("speaker", "webinar")
        .prefetch_related(Prefetch("pages", queryset=MaterialPage.objects.order_by("number")))
    )


@dataclass(frozen=True)
class ShownSlide:
    """A page on screen, in the time of the version that viewers see. `title` may be empty."""

    start_ms: int
    end_ms: int
    page: MaterialPage
    title: str


def slides_at(recording: Recording) -> list[ShownSlide]:
    """Return which page is shown when, in order: for headings in a transcript, or a list beside the player."""
    window = Window.of(recording.asset.current_package)
    rows = recording.slide_intervals.filter(page__isnull=False).select_related("page").order_by("start_ms")
    pages = [(window.span(row.start_ms, row.end_ms), row.page) for row in rows]
    ignored = headers_of(list({page.pk: page.text for _span, page in pages if page is not None}.values()))
    return [
        ShownSlide(*span, page, title_of(page.text, ignored=ignored))
        for span, page in pages
        if span is not None and page is not None
    ]


def derivatives(package: Package, kind: str) -> list[Derivative]:
    return list(Derivative.objects.filter(package=package, kind=kind).order_by("name"))


def downloads(package: Package) -> list[Derivative]:
    """MP4 files of a package, the largest picture first; the one with subtitles inside is last."""
    kinds = (DerivativeKind.MP4, DerivativeKind.MP4_SUBTITLED)
    return sorted(Derivative.objects.filter(package=package, kind__in=kinds), key=download_order)


def plain_downloads(package: Package) -> list[Derivative]:
    """MP4 files with the recording's own sound and without subtitles inside, the largest picture first."""
    rows = [row for row in derivatives(package, DerivativeKind.MP4) if not row.facts.get("language")]
    return sorted(rows, key=download_order)


@dataclass(frozen=True)
class PackageFile:
    """A stored file that players fetch."""

    key: str
    content_type: str


_FETCHED = (DerivativeKind.POSTER, DerivativeKind.STORYBOARD, DerivativeKind.MP4)


def package_file(package: Package, name: str) -> PackageFile | None:
    """The package's file of that name, if it is one that players fetch: a rendition, a picture, the plain MP4.

    One that was replaced lately counts too: somebody may be in the middle of it.
    """
    return _files.get((package.pk, name), lambda: _package_file(package, name))


_files: "ShortMemory[PackageFile | None]" = ShortMemory()


def _package_file(package: Package, name: str) -> PackageFile | None:
    key = f"{package.prefix}/{name}"
    kind = Rendition.objects.filter(package=package, key=key).values_list("kind", flat=True).first()
    if kind is not None:
        return PackageFile(key, f"{kind}/mp4")
    found = Derivative.objects.filter(package=package, key=key, kind__in=_FETCHED).values_list("content_type").first()
    if found is not None:
        return PackageFile(key, found[0])
    if name.endswith(".mp4") and ReplacedFile.objects.filter(key=key).exists():
        return PackageFile(key, "video/mp4")
    for index in Rendition.objects.filter(package=package, index__has_key="files").values_list("index", flat=True):
        if key in growing.keys(index):  # a part of what is watched while it is made
            return PackageFile(key, "video/mp4")
    return None


def download_order(derivative: Derivative) -> tuple[bool, int]:
    """Sort downloads by the height of the picture, which people choose by: a copied 720p may be the smaller file."""
    height = "".join(filter(str.isdigit, derivative.name))
    return derivative.kind == DerivativeKind.MP4_SUBTITLED, -int(height or 0)


def download_name(derivative: Derivative) -> str:
    """The last part of an MP4's download address."""
    return "subtitled.mp4" if derivative.kind == DerivativeKind.MP4_SUBTITLED else f"{derivative.name}.mp4"


def has_video(package: Package) -> bool:
    return package.renditions.filter(kind=RenditionKind.VIDEO).exists()


def recordings_visible_to(request: Request) -> QuerySet[Recording]:
    """For the API: what strangers may list, and everything of the caller's own organisations."""
    token = request.auth if isinstance(request.auth, ApiToken) else None
    own = accounts_rules.organisations_of(request.user, token=token)
    public = Q(state=RecordingState.PUBLISHED, visibility=Visibility.PUBLIC, webinar__visibility=Visibility.PUBLIC)
    public &= ~Q(webinar__state=WebinarState.DRAFT)
    return (
        Recording.objects.filter(public | Q(webinar__organisation__in=own))
        .select_related("webinar__organisation", "asset__current_package", "published_by")
        .prefetch_related(
            "asset__tracks__current_revision",
            "asset__current_package__renditions",
            "asset__current_package__derivatives",
        )
    )
