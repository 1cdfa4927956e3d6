"""Mails around one webinar: reminders, messages to registrants, and the organisation's own words."""

from typing import Any
from uuid import UUID

from csp.constants import NONE
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

import events.services
from events.models import Webinar
from notifications import wording
from notifications.models import Delivery, MailTemplate, Message
from notifications.rendering import Rendered
from registration import mail_kinds, organiser_messages, segments
from registration.messages import scope_of
from registration.models import Announcement, AnnouncementKind
from studio import overview
from studio.mail_forms import CountForm, MessageForm, ReminderForm, WordsForm, before_text
from studio.views.access import StudioRequest, find, studio_page
from studio.views.webinars import find_webinar, page_of, webinar_context
from work.errors import DomainError
from work.models import WorkState

RECIPIENTS_SHOWN = 100


@studio_page
@require_GET
def mails(request: StudioRequest, pk: UUID) -> HttpResponse:
    """What is planned, what was sent, what failed."""
    return _mails_page(request, find_webinar(request, pk))


def _mails_page(request: StudioRequest, webinar: Webinar, form: ReminderForm | None = None) -> HttpResponse:
    announcements = webinar.announcements.order_by("-created_at")
    planned = announcements.filter(kind=AnnouncementKind.REMINDER, state=WorkState.QUEUED).order_by("due_at")
    context = webinar_context(
        request,
        webinar,
        "mails",
        form=form or ReminderForm(webinar=webinar),
        planned=[{"row": row, "before": before_text(row.minutes_before or 0)} for row in planned],
        written=[
            {"row": row, "segment": segments.get(row.segment)}
            for row in announcements.filter(kind=AnnouncementKind.MESSAGE)
        ],
        counts=overview.registrant_counts(webinar),
        deliveries=_deliveries(webinar),
        kinds=wording.kinds(),
        languages=settings.LANGUAGES,
        own={
            f"{template} {language}"
            for template, language in MailTemplate.objects.filter(
                organisation=webinar.organisation, about__in=["", scope_of(webinar)]
            ).values_list("template", "language")
        },
    )
    return render(request, "studio/webinar/mails.html", context)


def _deliveries(webinar: Webinar) -> list[tuple[str, int]]:
    """How many mails about the webinar are in which state, in the order of the states."""
    rows = Message.objects.filter(scope=scope_of(webinar)).values_list("delivery").annotate(n=Count("pk"))
    found = dict(rows)
    return [(str(state.label), found[state.value]) for state in Delivery if found.get(state.value)]


@studio_page
@require_POST
def reminders(request: StudioRequest, pk: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk, change=True)
    form = ReminderForm(request.POST, webinar=webinar)
    if form.is_valid():
        try:
            events.services.update_webinar(webinar=webinar, user=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("The reminders were saved."))
            return redirect("studio:mails", pk=pk)
    return _mails_page(request, webinar, form)


# --- Messages ------------------------------------------------------------------------------------------------------
@studio_page
def message_new(request: StudioRequest, pk: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk, change=True)
    form = MessageForm(request.POST or None, webinar=webinar)
    if request.method == "POST" and form.is_valid():
        try:
            row = organiser_messages.draft_message(webinar=webinar, user=request.user, **form.values())
        except DomainError as error:
            form.add_domain_error(error)
        else:
            return redirect("studio:message", pk=pk, row=row.pk)
    context = webinar_context(
        request, webinar, "mails", form=form, placeholders=_known(organiser_messages.PLACEHOLDERS)
    )
    return render(request, "studio/webinar/message_form.html", context)


@studio_page
@require_GET
def message(request: StudioRequest, pk: UUID, row: UUID) -> HttpResponse:
    """Who gets it and what it says, before it is confirmed; afterwards, how far it is."""
    return _message_page(request, _find_message(request, pk, row), CountForm())


def _find_message(request: StudioRequest, pk: UUID, row: UUID) -> Announcement:
    rows = Announcement.objects.filter(webinar=pk, kind=AnnouncementKind.MESSAGE).select_related(
        "webinar__organisation"
    )
    return find(rows, request, row, path="webinar__organisation", change=True)


def _message_page(request: StudioRequest, row: Announcement, form: CountForm) -> HttpResponse:
    found = organiser_messages.recipients_of(row)
    previews = [
        (language, organiser_messages.preview(announcement=row, language=language, reader_name=request.user.name))
        for language in row.text.data
    ]
    context = webinar_context(
        request,
        row.webinar,
        "mails",
        row=row,
        form=form,
        segment=segments.get(row.segment),
        count=len(row.recipients or []),
        page=page_of(found, request.GET.get("page"), RECIPIENTS_SHOWN),
        previews=previews,
        can_send=row.confirmed_at is None and row.state == WorkState.WAITING,
    )
    return render(request, "studio/webinar/message.html", context)


@studio_page
@require_POST
def message_send(request: StudioRequest, pk: UUID, row: UUID) -> HttpResponse:
    found = _find_message(request, pk, row)
    form = CountForm(request.POST)
    if form.is_valid():
        try:
            organiser_messages.confirm_message(announcement=found, count=form.cleaned_data["count"], user=request.user)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("The message is on its way."))
            return redirect("studio:message", pk=pk, row=row)
    return _message_page(request, found, form)


@studio_page
@require_POST
def message_test(request: StudioRequest, pk: UUID, row: UUID) -> HttpResponse:
    found = _find_message(request, pk, row)
    language = request.POST.get("language", "")
    if language not in found.text.data:
        raise Http404(_("The message is not written in this language."))
    organiser_messages.send_test(announcement=found, language=language, user=request.user)
    messages.success(request, _("A test is on its way to %(address)s.") % {"address": request.user.email})
    return redirect("studio:message", pk=pk, row=row)


@studio_page
@require_POST
def message_discard(request: StudioRequest, pk: UUID, row: UUID) -> HttpResponse:
    try:
        organiser_messages.discard_message(announcement=_find_message(request, pk, row), user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("studio:message", pk=pk, row=row)
    messages.success(request, _("The message was discarded."))
    return redirect("studio:mails", pk=pk)


@studio_page
@require_GET
def message_preview(request: StudioRequest, pk: UUID, row: UUID, language: str) -> HttpResponse:
    found = _find_message(request, pk, row)
    if language not in found.text.data:
        raise Http404(_("The message is not written in this language."))
    made = organiser_messages.preview(announcement=found, language=language, reader_name=request.user.name)
    response: HttpResponse = _as_mail_program(request, made)
    return response


# --- Own words -----------------------------------------------------------------------------------------------------
@studio_page
def words(request: StudioRequest, pk: UUID, template: str, language: str) -> HttpResponse:
    """One mail's words in one language: those that are used now, to change, to go back from, to try out."""
    webinar = find_webinar(request, pk, change=True)
    kind = _kind(template, language)
    stored = _stored(webinar, template, language)
    initial = {"scope": stored.about if stored else scope_of(webinar)}
    if stored:
        initial |= {"subject": stored.subject, "text": stored.text}
    form = WordsForm(request.POST or None, initial=initial, webinar_scope=scope_of(webinar), language=language)
    if request.method == "POST" and form.is_valid():
        try:
            wording.save_words(
                organisation=webinar.organisation,
                kind=kind,
                language=language,
                user=request.user,
                **form.cleaned_data,
            )
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("Your words were saved; mails written from now on use them."))
            return redirect("studio:mail_words", pk=pk, template=template, language=language)
    context = webinar_context(
        request,
        webinar,
        "mails",
        form=form,
        kind=kind,
        language=language,
        languages=settings.LANGUAGES,
        stored=stored,
        placeholders=_known(kind.placeholders),
        required=kind.required,
        shown=_preview(request, webinar, template, language),
    )
    return render(request, "studio/webinar/mail_words.html", context)


@studio_page
@require_GET
def words_preview(request: StudioRequest, pk: UUID, template: str, language: str) -> HttpResponse:
    webinar = find_webinar(request, pk)
    _kind(template, language)
    response: HttpResponse = _as_mail_program(request, _preview(request, webinar, template, language))
    return response


@studio_page
@require_POST
def words_test(request: StudioRequest, pk: UUID, template: str, language: str) -> HttpResponse:
    webinar = find_webinar(request, pk, change=True)
    _kind(template, language)
    mail_kinds.send_test(
        webinar=webinar,
        template=template,
        language=language,
        user=request.user,
        words=mail_kinds.words_for(webinar=webinar, template=template, language=language),
    )
    messages.success(request, _("A test is on its way to %(address)s.") % {"address": request.user.email})
    return redirect("studio:mail_words", pk=pk, template=template, language=language)


@studio_page
@require_POST
def words_remove(request: StudioRequest, pk: UUID, template: str, language: str) -> HttpResponse:
    webinar = find_webinar(request, pk, change=True)
    _kind(template, language)
    stored = _stored(webinar, template, language)
    if stored is not None:
        wording.drop_words(row=stored, user=request.user)
        messages.success(request, _("Your words were removed."))
    return redirect("studio:mail_words", pk=pk, template=template, language=language)


def _kind(template: str, language: str) -> wording.MailKind:
    kind = wording.kind_of(template)
    if kind is None or language not in dict(settings.LANGUAGES):
        raise Http404(_("There is no such mail."))
    return kind


def _stored(webinar: Webinar, template: str, language: str) -> MailTemplate | None:
    """The webinar's own words, else the organisation's."""
    rows = MailTemplate.objects.filter(
        organisation=webinar.organisation,
        template=template,
        language=language,
        about__in=["", scope_of(webinar)],
    )
    return rows.order_by("-about").select_related("organisation").first()


def _preview(request: StudioRequest, webinar: Webinar, template: str, language: str) -> Rendered:
    return mail_kinds.preview(
        webinar=webinar,
        template=template,
        language=language,
        reader_name=request.user.name or request.user.email,
        words=mail_kinds.words_for(webinar=webinar, template=template, language=language),
    )


def _known(names: Any) -> list[wording.Placeholder]:
    return [wording.PLACEHOLDERS[name] for name in names]


@csp_replace({"default-src": [NONE], "style-src": ["'unsafe-inline'"], "sandbox": True, "frame-ancestors": [NONE]})
def _as_mail_program(_request: StudioRequest, made: Rendered) -> HttpResponse:
    """The HTML part alone. Its styles are inside, as mail programs want them; nothing else may be loaded or run."""
    return HttpResponse(made.html)
