"""Who registered: the list with its decisions, one registration, places, and tables to download."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

import events.services
from accounts.models import AuditEntry, User
from accounts.services import record_action
from events.models import Webinar
from notifications.models import Message
from registration import services
from registration.answers import in_words, items_of
from registration.messages import about
from registration.models import (
    Questionnaire,
    QuestionnaireItem,
    QuestionnairePurpose,
    Registration,
    RegistrationSource,
    RegistrationState,
)
from registration.open_points import OpenPoints, open_points, open_points_of
from registration.selectors import waitlist_rank
from registration.services.decisions import DECIDED_AT_ONCE
from studio import exports, overview
from studio.forms import CapacityForm
from studio.views.access import StudioRequest, find, studio_page
from studio.views.webinars import find_webinar, page_of, webinar_context
from work.errors import DomainError

PAGE_SIZE = 50
FILTERS = ("state", "country", "language", "source", "group", "invitation", "open")


def filters_of(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "")[:40] for name in FILTERS}


def _found(request: HttpRequest, webinar: Webinar) -> "Any":
    return overview.registrants(webinar, search=request.GET.get("q", "")[:100], filters=filters_of(request))


# --- The list ------------------------------------------------------------------------------------------------------
@studio_page
@require_GET
def registrants(request: StudioRequest, pk: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk)
    filters = filters_of(request)
    page = page_of(_found(request, webinar), request.GET.get("page"), PAGE_SIZE)
    for row in page:
        row.webinar = webinar
    points = open_points(page)
    context = webinar_context(
        request,
        webinar,
        "registrants",
        page=page,
        rows=[(row, points[row.pk].in_words()) for row in page],
        counts=overview.registrant_counts(webinar),
        search=request.GET.get("q", "")[:100],
        filters=filters,
        state=filters["state"],
        states=RegistrationState.choices,
        sources=RegistrationSource.choices,
        is_filtered=any(filters.values()) or bool(request.GET.get("q")),
        capacity_form=CapacityForm(initial={"capacity": webinar.capacity}),
    )
    context["may_decide"] = (
        context["may_change"] and context["counts"].pending > 0 and filters["state"] in ("", "pending")
    )
    return render(request, "studio/webinar/registrants.html", context)


@studio_page
@require_POST
def registrants_decide(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Approve or decline those chosen, or all that the list shows; asks first, with their number."""
    webinar = find_webinar(request, pk, change=True)
    back = f"{reverse('studio:registrants', args=[pk])}?{request.GET.urlencode()}"
    is_approval = request.POST.get("decision") != "decline"
    waiting = webinar.registrations.filter(state=RegistrationState.PENDING)
    if "all" in request.POST:
        waiting = _found(request, webinar).filter(state=RegistrationState.PENDING)
    else:
        waiting = waiting.filter(pk__in=_uuids(request.POST.getlist("pk")))
    pks = list(waiting.order_by("created_at", "pk").values_list("pk", flat=True)[: DECIDED_AT_ONCE + 1])
    if not pks:
        messages.warning(request, _("None of those chosen waits for approval."))
        return redirect(back)
    if "confirm" not in request.POST:
        return _ask(request, webinar, pks=pks[:DECIDED_AT_ONCE], is_approval=is_approval, back=back)
    try:
        done = services.decide(webinar=webinar, pks=pks, approved=is_approval, user=request.user).done
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(back)
    if is_approval:
        text = ngettext("%(n)d person was approved.", "%(n)d people were approved.", done)
    else:
        text = ngettext("%(n)d person was declined.", "%(n)d people were declined.", done)
    messages.success(request, text % {"n": done})
    return redirect(back)


def _ask(request: StudioRequest, webinar: Webinar, *, pks: list[UUID], is_approval: bool, back: str) -> HttpResponse:
    count = len(pks)
    if is_approval:
        question = ngettext("Approve %(n)d registration?", "Approve %(n)d registrations?", count)
        effects = [
            _("Each gets a place with an invitation, or a number on the waiting list when all places are taken."),
            _("They are told by mail at once."),
        ]
    else:
        question = ngettext("Decline %(n)d registration?", "Decline %(n)d registrations?", count)
        effects = [_("They are told by mail at once."), _("You can approve them later all the same.")]
    context = webinar_context(
        request,
        webinar,
        "registrants",
        question=question % {"n": count},
        effects=effects,
        pks=pks,
        decision="approve" if is_approval else "decline",
        back=back,
    )
    return render(request, "studio/webinar/decide.html", context)


def _uuids(values: list[str]) -> list[UUID]:
    found = []
    for value in values[:1000]:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found


@studio_page
@require_POST
def capacity(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Change the number of places; those who wait move up at once."""
    webinar = find_webinar(request, pk, change=True)
    form = CapacityForm(request.POST)
    if form.is_valid():
        try:
            events.services.update_webinar(webinar=webinar, user=request.user, capacity=form.cleaned_data["capacity"])
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The number of places was changed."))
    else:
        messages.error(request, _("Give a number of places from 1 to 1000000, or none for no limit."))
    return redirect("studio:registrants", pk=pk)


# --- One registration ----------------------------------------------------------------------------------------------
def find_registration(request: StudioRequest, pk: UUID, *, change: bool = False) -> Registration:
    rows = Registration.objects.select_related("webinar__organisation", "webinar__series", "group", "invitation")
    return find(rows, request, pk, path="webinar__organisation", change=change)


@studio_page
@require_GET
def registrant(request: StudioRequest, pk: UUID) -> HttpResponse:
    """What a person told, what became of their registration, and which mails they got; for organisers alone."""
    found = find_registration(request, pk, change=True)
    context = webinar_context(
        request,
        found.webinar,
        "registrants",
        registration=found,
        rank=waitlist_rank(found),
        answers=list(_answers_of(found)),
        open_points=open_points_of(found).in_words(),
        history=AuditEntry.objects.filter(target_type=found._meta.label_lower, target_id=str(found.pk))
        .select_related("user")
        .order_by("-at")[:50],
        mails=Message.objects.filter(about=about(found)).order_by("-created_at")[:50],
    )
    return render(request, "studio/webinar/registrant.html", context)


def _answers_of(registration: Registration) -> Iterator[tuple[str, str]]:
    response = registration.responses.filter(questionnaire__purpose=QuestionnairePurpose.REGISTRATION).first()
    if response is not None:
        for answer in response.answers.select_related("item__question").order_by("item__position"):
            yield str(answer.item.question.label), str(in_words(answer.item.question, answer.value) or "")


def _action(do: Callable[[Registration, User], object], said: Callable[[], str]) -> Callable[..., HttpResponseBase]:
    @studio_page
    @require_POST
    def view(request: StudioRequest, pk: UUID) -> HttpResponse:
        found = find_registration(request, pk, change=True)
        try:
            do(found, request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, said())
        return redirect("studio:registrant", pk=pk)

    return view


registrant_approve = _action(
    lambda found, user: services.approve(registration=found, user=user), lambda: _("The registration was approved.")
)
registrant_decline = _action(
    lambda found, user: services.decline(registration=found, user=user), lambda: _("The registration was declined.")
)
registrant_resend = _action(
    lambda found, user: services.resend_links(registration=found, user=user), lambda: _("The mail is on its way.")
)


@studio_page
def registrant_cancel(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Asks first: a place that was given back cannot be had again when others wait."""
    found = find_registration(request, pk, change=True)
    if request.method == "POST":
        services.cancel_registration(registration=found, user=request.user)
        messages.success(request, _("The registration was cancelled."))
        return redirect("studio:registrant", pk=pk)
    context = webinar_context(
        request,
        found.webinar,
        "registrants",
        question=_("Cancel the registration of %(name)s?") % {"name": found.name},
        effects=[
            _("The place goes to the next person on the waiting list at once."),
            _("The person is told by mail, and the session is taken out of their calendar."),
        ],
        confirm=_("Cancel the registration"),
        back=reverse("studio:registrant", args=[pk]),
    )
    return render(request, "studio/webinar/confirm.html", context)


# --- Tables --------------------------------------------------------------------------------------------------------
@studio_page
@require_POST
def registrants_table(request: StudioRequest, pk: UUID, format: str) -> HttpResponseBase:
    """The registrants that the list shows as CSV or XLSX. It holds personal data, so who took it is recorded: POST."""
    webinar = _recorded_export(request, pk)
    header, rows = _table(request, webinar)
    return exports.table_response(header, rows, name=f"registrants-{webinar.slug}", format=format)


def _recorded_export(request: StudioRequest, pk: UUID) -> Webinar:
    webinar = find_webinar(request, pk, change=True)
    record_action(
        action="registrations.export",
        target=webinar,
        organisation=webinar.organisation,
        user=request.user,
        filters=urlencode({name: value for name, value in filters_of(request).items() if value}),
    )
    return webinar


def _table(request: HttpRequest, webinar: Webinar) -> tuple[list[str], Iterator[list[str]]]:
    """The heading and the rows, with a column for each of the organiser's own questions."""
    questionnaire = Questionnaire.objects.filter(webinar=webinar, purpose=QuestionnairePurpose.REGISTRATION).first()
    items = items_of(questionnaire) if questionnaire else []
    header = [
        _("Name"),
        _("E-mail address"),
        _("State"),
        _("Language"),
        _("Time zone"),
        _("Country"),
        _("Profession"),
        _("Organisation"),
        _("Sector"),
        _("Team"),
        _("Source"),
        _("Registered at (UTC)"),
        _("Still to be answered"),
        *(str(item.question.label) for item in items),
    ]
    return header, _rows(_found(request, webinar), webinar, items)


def _rows(found: Any, webinar: Webinar, items: list[QuestionnaireItem]) -> Iterator[list[str]]:
    rows = found.select_related("group")
    if items:
        rows = rows.prefetch_related("responses__answers")
    for row, points in _with_open_points(rows.iterator(chunk_size=500), webinar):
        yield [
            row.name,
            row.email,
            row.get_state_display(),
            row.language,
            row.time_zone,
            row.country,
            row.profession,
            row.affiliation,
            row.sector,
            row.group.name if row.group else "",
            row.get_source_display(),
            row.created_at.strftime("%Y-%m-%d %H:%M"),
            "; ".join(points.in_words()),
            *_answers(row, items),
        ]


def _with_open_points(
    rows: Iterator[Registration], webinar: Webinar, size: int = 500
) -> Iterator[tuple[Registration, OpenPoints]]:
    while chunk := list(islice(rows, size)):
        for row in chunk:
            row.webinar = webinar
        points = open_points(chunk)
        yield from ((row, points[row.pk]) for row in chunk)


def _answers(row: Registration, items: list[QuestionnaireItem]) -> list[str]:
    given = (
        {answer.item_id: answer for response in row.responses.all() for answer in response.answers.all()}
        if items
        else {}
    )
    return [str(in_words(item.question, given[item.pk].value) or "") if item.pk in given else "" for item in items]
