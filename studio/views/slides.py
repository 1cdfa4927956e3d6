"""The page with a recording's slides and chapters."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from events.models import Material, MaterialPage
from library import chapters as chapter_services
from library import slides as slide_services
from library import updates
from library.chapters import Mark
from library.models import Chapter, Recording, RecordingUpdate, UpdateTask
from studio.recording_forms import moment_text
from studio.slide_forms import ChapterFormSet, SlideForm
from studio.views.access import StudioRequest, find_recording, studio_page
from studio.views.recordings import recording_context
from work.errors import DomainError
from work.models import FINISHED_STATES


@studio_page
def slides(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: which page is shown when, and the chapters. POST: one correction, or a new entry."""
    if request.method != "POST":
        return _page(request, find_recording(request, pk))
    recording = find_recording(request, pk, change=True)
    form = SlideForm(request.POST, materials=_materials(recording))
    if form.is_valid():
        values = form.cleaned_data
        try:
            slide_services.set_slide(
                recording=recording,
                base=values["base"],
                start_ms=values["start"],
                end_ms=values["end"],
                page=_chosen_page(recording, values),
                interval_id=values["interval"],
                user=request.user,
            )
        except DomainError as error:
            form.add_domain_error(error)
            return _page(request, recording, slide_form=form, status=error.status)
        messages.success(request, _("Your changes were saved."))
        return redirect("studio:slides", pk=pk)
    return _page(request, recording, slide_form=form, status=400)


@studio_page
@require_POST
def slide_remove(request: StudioRequest, pk: UUID, interval: UUID) -> HttpResponse:
    recording = find_recording(request, pk, change=True)
    try:
        slide_services.remove_slide(
            recording=recording, base=request.POST.get("base", ""), interval_id=interval, user=request.user
        )
    except DomainError as error:
        messages.error(request, str(error))
        return _page(request, recording, status=error.status)
    return redirect("studio:slides", pk=pk)


@studio_page
@require_POST
def slides_find(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Look for the slides again, in the background."""
    recording = find_recording(request, pk, change=True)
    updates.request_update(recording=recording, task=UpdateTask.SLIDES, user=request.user, wait_s=0)
    messages.success(request, _("The slides are being looked for. This takes some minutes; corrections stay."))
    return redirect("studio:slides", pk=pk)


@studio_page
@require_POST
def chapters(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Store the list of chapters; or, with `forget`, let the machine make it again from the slides."""
    recording = find_recording(request, pk, change=True)
    base = request.POST.get("base", "")
    formset = ChapterFormSet(request.POST, prefix="chapters")
    if "forget" not in request.POST and not formset.is_valid():
        return _page(request, recording, formset=formset, status=400)
    try:
        if "forget" in request.POST:
            chapter_services.forget_edits(recording=recording, base=base, user=request.user)
        else:
            chapter_services.save_chapters(recording=recording, base=base, marks=_marks(formset), user=request.user)
    except slide_services.StaleTimeline as error:
        theirs = list(recording.chapters.all())
        return _page(request, recording, formset=formset, theirs=theirs, error=str(error), status=error.status)
    except DomainError as error:
        return _page(request, recording, formset=formset, error=str(error), status=error.status)
    messages.success(request, _("The chapters were saved."))
    return redirect("studio:slides", pk=pk)


def _marks(formset: Any) -> list[Mark]:
    return [
        Mark(form.cleaned_data["start"], form.cleaned_data["title"])
        for form in formset.forms
        if form.cleaned_data.get("title") and not form.cleaned_data.get("DELETE")
    ]


def _page(
    request: StudioRequest,
    recording: Recording,
    *,
    slide_form: SlideForm | None = None,
    formset: Any = None,
    theirs: list[Chapter] | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    materials = _materials(recording)
    base = slide_services.slides_version(recording)
    intervals = list(recording.slide_intervals.select_related("page__material"))
    update = RecordingUpdate.objects.filter(recording=recording, task=UpdateTask.SLIDES).order_by("created_at").last()
    if formset is None:
        formset = ChapterFormSet(
            initial=[
                {"start": moment_text(chapter.start_ms), "title": chapter.title} for chapter in recording.chapters.all()
            ],
            prefix="chapters",
        )
    context = recording_context(
        request,
        recording,
        "slides",
        intervals=[(interval, _form_for(interval, base, materials)) for interval in intervals],
        slides_version=base,
        weak=slide_services.WEAK,
        new_slide_form=slide_form or SlideForm(initial={"base": base}, materials=materials, auto_id="new_%s"),
        refused_slide_form=slide_form,
        has_slides=slide_services.pages_of(recording).exists(),
        has_several_files=len(materials) > 1,
        update=update if update is not None and update.state not in FINISHED_STATES else None,
        chapters=formset,
        chapters_version=chapter_services.chapters_version(recording),
        theirs=theirs,
        chapters_error=error,
    )
    return render(request, "studio/recording/slides.html", context, status=status)


def _form_for(interval: Any, base: str, materials: list[Material]) -> SlideForm:
    return SlideForm(
        initial={
            "interval": interval.pk,
            "base": base,
            "start": moment_text(interval.start_ms),
            "end": moment_text(interval.end_ms),
            "material": str(interval.page.material_id) if interval.page else "",
            "page": interval.page.number if interval.page else None,
        },
        materials=materials,
        auto_id=f"s{interval.pk.hex[:8]}_%s",
    )


def _materials(recording: Recording) -> list[Material]:
    """The slides of the webinar that have pages, in their order."""
    found = slide_services.pages_of(recording).values_list("material_id", flat=True)
    return list(Material.objects.filter(pk__in=set(found)).order_by("created_at"))


def _chosen_page(recording: Recording, values: dict[str, Any]) -> MaterialPage | None:
    if values["page"] is None:
        return None
    pages = slide_services.pages_of(recording).filter(number=values["page"])
    if values["material"]:
        pages = pages.filter(material=values["material"])
    page = pages.first()
    if page is None:
        raise slide_services.SlideInvalid(slide_services.no_such_page(), field="page")
    return page
