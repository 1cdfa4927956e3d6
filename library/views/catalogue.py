"""What is on offer: catalogue, webinar, series, search."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from events.models import Series, Webinar
from library import rules, selectors, structured

PER_PAGE = 12
ON_FRONT_PAGE = 6


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Upcoming webinars and recordings; `?show=` lists one of them in full, `topic` and `language` narrow both."""
    chosen = {name: request.GET.get(name, "").strip()[:100] for name in ("topic", "language")}
    upcoming = selectors.listed_webinars().upcoming()
    recordings = selectors.listed_recordings()
    if chosen["topic"]:
        upcoming = upcoming.filter(topic=chosen["topic"])
        recordings = recordings.filter(webinar__topic=chosen["topic"])
    if chosen["language"]:
        upcoming = upcoming.filter(spoken_language=chosen["language"])
        recordings = recordings.filter(webinar__spoken_language=chosen["language"])
    show = request.GET.get("show", "")
    return render(
        request,
        "library/catalogue.html",
        {
            "chosen": chosen,
            "show": show if show in ("upcoming", "recordings") else "",
            "upcoming": _page(request, upcoming, is_whole=show == "upcoming"),
            "recordings": _page(request, recordings, is_whole=show == "recordings"),
            "topics": selectors.topics(),
            "languages": selectors.spoken_languages(),
        },
    )


@require_safe
def webinar(request: HttpRequest, slug: str) -> HttpResponse:
    """One webinar: when, who, for whom, how to take part, what to read and watch."""
    found = find_webinar(request, slug)
    watchable = selectors.watchable_recording(found, request)
    context: dict[str, Any] = {
        "webinar": found,
        "speakers": found.speakers.all(),
        "materials": selectors.public_materials(found) if rules.can_get_materials(found, request) else [],
        "places_left": places_left(found),
        "recording": watchable[0] if watchable else None,
        "is_recording_for_registered": watchable is None and selectors.is_for_registered(found),
        "is_member": rules.is_member(request, found.organisation),
        "structured": structured.webinar_data(found),
    }
    return render(request, "library/webinar.html", context)


@require_safe
def series(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Series.objects.select_related("organisation"), slug=slug)
    if not found.is_public and not rules.is_member(request, found.organisation):
        raise Http404
    now = timezone.now()
    webinars = selectors.listed_webinars().filter(series=found)
    context = {
        "series": found,
        "upcoming": webinars.filter(ends_at__gt=now).order_by("starts_at"),
        "past": _page(request, webinars.filter(ends_at__lte=now).order_by("-starts_at"), is_whole=True),
    }
    return render(request, "library/series.html", context)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Webinars that hold every word of `q` in title, summary, topic or speakers; and where all of them are said."""
    query = request.GET.get("q", "").strip()[:200]
    found = selectors.found_webinars(query) if query else selectors.listed_webinars().none()
    said = Paginator(selectors.found_tracks(query)[: selectors.MOST_SPOKEN], PER_PAGE).get_page(request.GET.get("said"))
    context = {
        "query": query,
        "results": _page(request, found, is_whole=True),
        "said": said,
        "hits": selectors.spoken_hits(query, said.object_list),
    }
    return render(request, "library/search.html", context)


def find_webinar(request: HttpRequest, slug: str) -> Webinar:
    """The webinar of that address, if this visitor may see it; otherwise it does not exist."""
    found = get_object_or_404(
        Webinar.objects.select_related("organisation", "series", "places").prefetch_related("speakers"), slug=slug
    )
    if not rules.can_see_webinar(found, request):
        raise Http404
    return found


def places_left(webinar: Webinar) -> int | None:
    """How many places are free; None if there is no limit."""
    if webinar.capacity is None:
        return None
    places = getattr(webinar, "places", None)
    return max(0, webinar.capacity - (places.confirmed if places else 0))


def _page(request: HttpRequest, rows: QuerySet[Any], *, is_whole: bool) -> Page[Any]:
    """The asked page of a list, or its first few rows where it is only announced."""
    paginator = Paginator(rows, PER_PAGE if is_whole else ON_FRONT_PAGE)
    return paginator.get_page(request.GET.get("page") if is_whole else 1)
