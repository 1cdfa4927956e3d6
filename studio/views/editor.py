"""The subtitle editor in the studio, and what belongs to it: history, reviewers, translations to renew."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import transcripts.services
from library.models import Recording
from library.player import grant_data
from studio import editing
from studio.editing import Door
from studio.forms import StudioForm
from studio.views.access import StudioRequest, may_change, studio_page
from studio.views.recordings import recording_context
from studio.views.tracks import find_track
from studio.views.webinars import page_of
from transcripts import cues as arithmetic
from transcripts import selectors
from transcripts.models import Revision, TextTrack
from transcripts.services.reviewing import LINK_DAYS
from work.errors import DomainError
from work.models import FINISHED_STATES

CHANGES_SHOWN = 100  # on a page of the comparison
STALE_SHOWN = 50


class ReviewerForm(StudioForm):
    """Who is to review. The service checks the address."""

    email = forms.EmailField(label=gettext_lazy("Email address"), max_length=254)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=150, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language of the mail"), choices=settings.LANGUAGES)


def _door(request: StudioRequest, pk: UUID, *, change: bool = False) -> Door:
    track, recording = find_track(request, pk, change=change)
    may_edit = may_change(request, recording.webinar.organisation)
    return Door(track=track, recording=recording, may_edit=may_edit, user=request.user)


def _context(
    request: StudioRequest, track: TextTrack, recording: Recording, tab: str, **more: object
) -> dict[str, object]:
    current = track.current_revision
    return recording_context(
        request,
        recording,
        "overview",
        track=track,
        track_tab=tab,
        revision=current,
        author=selectors.author_of(current) if current else "",
        stale_count=len(selectors.stale_cues_of(track)),
        **more,
    )


@studio_page
@require_GET
def edit(request: StudioRequest, pk: UUID) -> HttpResponse:
    door = _door(request, pk)
    context = _context(request, door.track, door.recording, "edit")
    return render(request, "studio/track/edit.html", {**context, **editing.editor_context(door)})


@studio_page
@require_GET
def edit_data(request: StudioRequest, pk: UUID) -> JsonResponse:
    return editing.data(_door(request, pk))


@studio_page
@require_POST
def edit_save(request: StudioRequest, pk: UUID) -> JsonResponse:
    return editing.save(request, _door(request, pk, change=True))


@studio_page
@require_http_methods(["GET", "POST"])
def peaks(request: StudioRequest, pk: UUID) -> JsonResponse:
    """GET: the picture of the sound. POST: try once more to make it."""
    is_change = request.method == "POST"
    return editing.peaks(_door(request, pk, change=is_change), again=is_change)


@studio_page
@require_GET
def grant(request: StudioRequest, pk: UUID) -> JsonResponse:
    """A new grant for a player whose own has ended."""
    door = _door(request, pk)
    package = editing.shown_package(door.recording)
    if package is None:
        return JsonResponse({"base": "", "package": ""})
    data = grant_data(recording=door.recording, package=package, right=door.right, registration_id=None)
    return JsonResponse(data)


@studio_page
@require_POST
def mark_reviewed(request: StudioRequest, pk: UUID) -> HttpResponse:
    track, _recording = find_track(request, pk, change=True)
    try:
        transcripts.services.mark_reviewed(track=track, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Marked as reviewed."))
    return redirect("studio:track_edit", pk=pk)


@studio_page
@require_GET
def history(request: StudioRequest, pk: UUID) -> HttpResponse:
    """All revisions; `?old=2&new=5` compares two of them."""
    track, recording = find_track(request, pk)
    context = _context(request, track, recording, "history")
    revisions = [(row, selectors.author_of(row)) for row in selectors.history_of(track)]
    new = _chosen(track, request.GET.get("new", "")) or track.current_revision
    old = _chosen(track, request.GET.get("old", ""))
    if old is None and new is not None:
        old = track.revisions.filter(number__lt=new.number).last()
    found = (
        arithmetic.changes(arithmetic.from_rows(old.cues), arithmetic.from_rows(new.cues))
        if old is not None and new is not None
        else []
    )
    context |= {
        "revisions": revisions,
        "old": old,
        "new": new,
        "changes": page_of(found, request.GET.get("page"), CHANGES_SHOWN),
    }
    return render(request, "studio/track/history.html", context)


def _chosen(track: TextTrack, number: str) -> Revision | None:
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        return None
    return track.revisions.filter(number=int(number)).first()


@studio_page
@require_POST
def restore(request: StudioRequest, pk: UUID) -> HttpResponse:
    track, _recording = find_track(request, pk, change=True)
    wanted = _chosen(track, request.POST.get("revision", ""))
    if wanted is None:
        raise Http404
    transcripts.services.restore_revision(track=track, number=wanted.number, user=request.user)
    messages.success(request, _("Version %(number)s is the current one again.") % {"number": wanted.number})
    return redirect("studio:track_history", pk=pk)


@studio_page
def reviewers(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: who was asked. POST: ask one more."""
    is_change = request.method == "POST"
    track, recording = find_track(request, pk, change=is_change)
    form = ReviewerForm(request.POST or None, initial={"language": request.LANGUAGE_CODE})
    if is_change and form.is_valid():
        try:
            transcripts.services.assign_reviewer(track=track, user=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("The link is on its way to %(email)s.") % {"email": form.cleaned_data["email"]})
            return redirect("studio:track_reviewers", pk=pk)
    links = list(track.review_links.select_related("created_by"))
    context = _context(request, track, recording, "reviewers", form=form, links=links, days=LINK_DAYS)
    return render(request, "studio/track/reviewers.html", context, status=400 if is_change else 200)


@studio_page
@require_POST
def reviewer_revoke(request: StudioRequest, pk: UUID, link: UUID) -> HttpResponse:
    track, _recording = find_track(request, pk, change=True)
    row = get_object_or_404(track.review_links, pk=link)
    transcripts.services.revoke_review(link=row, user=request.user)
    messages.success(request, _("The link of %(email)s does not work any more.") % {"email": row.email})
    return redirect("studio:track_reviewers", pk=pk)


@studio_page
def stale(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: cues whose source was changed since, old and new source side by side. POST: have one or all renewed."""
    is_change = request.method == "POST"
    track, recording = find_track(request, pk, change=is_change)
    if is_change:
        try:
            transcripts.services.request_renewal(
                track=track, cue_ids=[name[:40] for name in request.POST.getlist("cue")[:1]], user=request.user
            )
        except DomainError as error:
            messages.error(request, str(error))
        return redirect("studio:track_stale", pk=pk)
    rows = selectors.stale_rows_of(track)
    renewal = track.renewals.order_by("-created_at").first()
    context = _context(
        request,
        track,
        recording,
        "stale",
        rows=page_of(rows, request.GET.get("page"), STALE_SHOWN),
        renewal=renewal,
        is_renewing=renewal is not None and renewal.state not in FINISHED_STATES,
    )
    return render(request, "studio/track/stale.html", context)


@studio_page
@require_GET
def stale_state(request: StudioRequest, pk: UUID) -> HttpResponse:
    """The part of the page that changes while cues are renewed; loads the page anew at the end."""
    track, _recording = find_track(request, pk)
    if "HX-Request" not in request.headers:
        return redirect("studio:track_stale", pk=pk)
    renewal = track.renewals.order_by("-created_at").first()
    is_renewing = renewal is not None and renewal.state not in FINISHED_STATES
    context = {"track": track, "renewal": renewal, "is_renewing": is_renewing}
    response = render(request, "studio/includes/renewal_state.html", context)
    if not is_renewing:
        response["HX-Redirect"] = reverse("studio:track_stale", args=[pk])
    return response
