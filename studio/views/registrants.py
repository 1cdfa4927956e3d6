"""Who registered: the list with its decisions, one registration, places, and tables to download."""

from collections.abc import Callable, Iterator
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
from registration.selectors import waitlist_rank
from registration.services.decisions import DECIDED_AT_ONCE
from studio import exports, overview
from studio.forms import CapacityForm
from studio.views.access import StudioRequest, find, studio_page
from studio.views.webinars import find_webinar, page_of, webinar_context
from work.errors import DomainError

PAGE_SIZE = 50
FILTERS = ("state", "country", "language", "source", "group", "invitation")


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
    context = webinar_context(
        request,
        webinar,
        "registrants",
        page=page_of(_found(request, webinar), request.GET.get("page"), PAGE_SIZE),
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
    record_action(action="registrations.export", target=webinar, organisation=webinar.organisation, user=request.user)
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
        *(str(item.question.label) for item in items),
    ]
    return header, _rows(_found(request, webinar), items)


def _rows(found: Any, items: list[QuestionnaireItem]) -> Iterator[list[str]]:
    rows = found.select_related("group")
    if items:
        rows = rows.prefetch_related("responses__answers")
    for row in rows.iterator(chunk_size=500):
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
            *_answers(row, items),
        ]


def _answers(row: Registration, items: list[QuestionnaireItem]) -> list[str]:
    given = (
        {answer.item_id: answer for response in row.responses.all() for answer in response.answers.all()}
        if items
        else {}
    )
    return [str(in_words(item.question, given[item.pk].value) or "") if item.pk in given else "" for item in items]
