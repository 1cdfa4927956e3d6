"""A webinar's speakers and its materials, as the organiser sees them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

import events.services
import events.slides
from events.models import Material, Speaker, Webinar
from studio.forms import MaterialForm, SpeakerForm
from studio.views.access import StudioRequest, find, studio_page
from studio.views.materials import materials_context
from studio.views.webinars import find_webinar, webinar_context
from work.errors import DomainError


def find_speaker(request: StudioRequest, pk: UUID) -> Speaker:
    rows = Speaker.objects.select_related("webinar__organisation")
    return find(rows, request, pk, path="webinar__organisation", change=True)


def find_material(request: StudioRequest, pk: UUID) -> Material:
    rows = Material.objects.select_related("webinar__organisation")
    return find(rows, request, pk, path="webinar__organisation", change=True)


def _materials(webinar: Webinar) -> dict[str, Any]:
    rows = webinar.materials.select_related("speaker").prefetch_related("pages")
    return materials_context(rows, poll_url=reverse("studio:materials", args=[webinar.pk]))


@studio_page
@require_GET
def speakers(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_webinar(request, pk)
    return _speakers_page(request, found, MaterialForm())


def _speakers_page(request: StudioRequest, webinar: Webinar, form: MaterialForm, status: int = 200) -> HttpResponse:
    people = list(webinar.speakers.all())
    context = webinar_context(
        request,
        webinar,
        "speakers",
        speakers=people,
        form=form,
        **_materials(webinar),
    )
    return render(request, "studio/webinar/speakers.html", context, status=status)


@studio_page
def speaker_create(request: StudioRequest, pk: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk, change=True)
    form = SpeakerForm(request.POST or None, initial={"language": webinar.spoken_language})
    if request.method == "POST" and form.is_valid():
        try:
            speaker = events.services.add_speaker(webinar=webinar, user=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("%(name)s was added.") % {"name": speaker.name})
            return redirect("studio:speakers", pk=webinar.pk)
    context = webinar_context(request, webinar, "speakers", form=form)
    return render(request, "studio/speaker_form.html", context)


@studio_page
def speaker_edit(request: StudioRequest, pk: UUID) -> HttpResponse:
    speaker = find_speaker(request, pk)
    names = ("name", "email", "affiliation", "biography", "language")
    form = SpeakerForm(request.POST or None, initial={name: getattr(speaker, name) for name in names})
    if request.method == "POST" and form.is_valid():
        try:
            events.services.update_speaker(speaker=speaker, user=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("Your changes were saved."))
            return redirect("studio:speakers", pk=speaker.webinar_id)
    context = webinar_context(request, speaker.webinar, "speakers", form=form, speaker=speaker)
    return render(request, "studio/speaker_form.html", context)


@studio_page
def speaker_remove(request: StudioRequest, pk: UUID) -> HttpResponse:
    speaker = find_speaker(request, pk)
    webinar = speaker.webinar
    if request.method == "POST":
        events.services.remove_speaker(speaker=speaker, user=request.user)
        messages.success(request, _("%(name)s was removed.") % {"name": speaker.name})
        return redirect("studio:speakers", pk=webinar.pk)
    context = webinar_context(
        request,
        webinar,
        "speakers",
        question=_("Remove %(name)s from the speakers?") % {"name": speaker.name},
        effects=[
            _("The personal link stops working."),
            _("Slides that the speaker uploaded stay; remove them yourself if you wish."),
        ],
        confirm=_("Remove the speaker"),
        back=reverse("studio:speakers", args=[webinar.pk]),
    )
    return render(request, "studio/webinar/confirm.html", context)


@studio_page
@require_POST
def speaker_invite(request: StudioRequest, pk: UUID) -> HttpResponse:
    speaker = find_speaker(request, pk)
    try:
        events.services.invite_speaker(speaker=speaker, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The invitation goes to %(email)s.") % {"email": speaker.email})
    return redirect("studio:speakers", pk=speaker.webinar_id)


@studio_page
def materials(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: the list of files, for a page that waits for their pages. POST: one more file."""
    webinar = find_webinar(request, pk, change=request.method == "POST")
    if request.method != "POST":
        if "HX-Request" not in request.headers:  # somebody came here by reloading a form
            return redirect("studio:speakers", pk=webinar.pk)
        context = webinar_context(request, webinar, "speakers", **_materials(webinar))
        return render(request, "studio/includes/materials.html", context)
    form = MaterialForm(request.POST, request.FILES)
    if not form.is_valid():
        return _speakers_page(request, webinar, form, status=400)
    try:
        file: UploadedFile[bytes] = form.cleaned_data["file"]
        events.slides.add_material(
            webinar=webinar,
            speaker=None,
            user=request.user,
            file=file,
            kind=form.cleaned_data["kind"],
            title=form.cleaned_data["title"],
        )
    except DomainError as error:
        form.add_domain_error(error)
        return _speakers_page(request, webinar, form, status=error.status)
    messages.success(request, _("The file was received. Its pages appear below in a moment."))
    return redirect(reverse("studio:speakers", args=[webinar.pk]) + "#materials")


@studio_page
def material_remove(request: StudioRequest, pk: UUID) -> HttpResponse:
    material = find_material(request, pk)
    webinar = material.webinar
    back = reverse("studio:speakers", args=[webinar.pk]) + "#materials"
    if request.method == "POST":
        events.slides.remove_material(material=material, user=request.user)
        messages.success(request, _("%(file)s was removed.") % {"file": material.file_name})
        return redirect(back)
    context = webinar_context(
        request,
        webinar,
        "speakers",
        question=_("Remove %(file)s?") % {"file": material.file_name},
        effects=[_("The file and the pictures of its pages are deleted. They cannot be brought back.")],
        confirm=_("Remove the file"),
        back=back,
    )
    return render(request, "studio/webinar/confirm.html", context)
