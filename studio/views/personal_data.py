"""What an organiser does when somebody asks for their data, or to be forgotten."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.personal_data import erase_person, export_person
from accounts.services import record_action
from events.models import Webinar
from registration.data_views import zip_response
from registration.models import Registration
from registration.personal_data import is_anonymous
from studio.views.access import StudioRequest, studio_page
from studio.views.webinars import find_webinar, webinar_context


def _find(request: StudioRequest, pk: UUID, registrant: UUID) -> tuple[Webinar, Registration]:
    webinar = find_webinar(request, pk, change=True)
    registration = webinar.registrations.filter(pk=registrant).first()
    if registration is None or is_anonymous(registration):
        raise Http404
    return webinar, registration


@studio_page
@require_POST
def registrant_export(request: StudioRequest, pk: UUID, registrant: UUID) -> HttpResponse:
    """All that this organisation stores about a person. Who took it is recorded: hence POST."""
    webinar, registration = _find(request, pk, registrant)
    record_action(action="person.exported", target=registration, organisation=webinar.organisation, user=request.user)
    return zip_response(export_person(email=registration.email, organisation=webinar.organisation))


@studio_page
@require_http_methods(["GET", "HEAD", "POST"])
def registrant_erase(request: StudioRequest, pk: UUID, registrant: UUID) -> HttpResponse:
    """Ask first; then forget the person in the whole organisation."""
    webinar, registration = _find(request, pk, registrant)
    if request.method == "POST":
        erase_person(email=registration.email, organisation=webinar.organisation, user=request.user)
        messages.success(request, _("The person’s data are erased."))
        return redirect("studio:registrants", pk=pk)
    count = Registration.objects.filter(
        email__iexact=registration.email, webinar__organisation=webinar.organisation
    ).count()
    context = webinar_context(
        request,
        webinar,
        "registrants",
        question=_("Erase all data of %(name)s?") % {"name": registration.name},
        effects=[
            _("%(n)d registrations in your organisation lose name, address, answers in words, files and certificates.")
            % {"n": count},
            _("Places at sessions to come are freed. Mails that wait are not sent."),
            _("Numbers of people stay right. This cannot be undone."),
        ],
        confirm=_("Erase the data"),
        back=reverse("studio:registrants", args=[pk]),
    )
    return render(request, "studio/webinar/confirm.html", context)
