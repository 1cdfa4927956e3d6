"""An organisation's questions, and the questionnaires of its webinars: editing, preview, results."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import rules
from accounts.models import Role
from accounts.services import record_action
from events.models import Webinar
from registration import questions, results
from registration.answer_files import read_file
from registration.answers import items_of
from registration.models import Answer, Question, Questionnaire, QuestionnaireItem, QuestionnairePurpose
from registration.question_forms import QuestionnaireForm
from studio import exports
from studio.question_forms import IntroductionForm, ItemForm, QuestionForm
from studio.views.access import StudioRequest, find, studio_page
from studio.views.webinars import find_webinar, webinar_context
from work.errors import DomainError


def _find_questionnaire(request: StudioRequest, pk: UUID, purpose: str, *, change: bool = False) -> Questionnaire:
    """The webinar's questionnaire; before there is one, an empty one that is not stored unless it is to be changed."""
    webinar = find_webinar(request, pk, change=change)
    if purpose not in QuestionnairePurpose.values:
        raise Http404
    if change:
        return questions.questionnaire_for(webinar=webinar, purpose=purpose)
    found = Questionnaire.objects.filter(webinar=webinar, purpose=purpose).first()
    questionnaire = found or Questionnaire(webinar=webinar, purpose=purpose)
    questionnaire.webinar = webinar
    return questionnaire


def _find_item(questionnaire: Questionnaire, item: UUID) -> QuestionnaireItem:
    rows = QuestionnaireItem.objects.filter(questionnaire=questionnaire).select_related("question__organisation")
    found = rows.filter(pk=item).first()
    if found is None:
        raise Http404
    found.questionnaire = questionnaire
    return found


def _context(request: StudioRequest, questionnaire: Questionnaire, **more: Any) -> dict[str, Any]:
    webinar: Webinar = questionnaire.webinar
    facts = {"questionnaire": questionnaire, "purpose": questionnaire.purpose, **more}
    return webinar_context(request, webinar, "questions", **facts)


# --- A webinar's questionnaires ------------------------------------------------------------------------------------
@studio_page
@require_GET
def questionnaires(request: StudioRequest, pk: UUID) -> HttpResponse:
    """The four occasions at which a webinar can ask."""
    webinar = find_webinar(request, pk)
    stored = {one.purpose: one for one in webinar.questionnaires.prefetch_related("items", "responses")}
    rows = [
        {
            "purpose": purpose,
            "label": label,
            "questions": len(stored[purpose].items.all()) if purpose in stored else 0,
            "responses": len(stored[purpose].responses.all()) if purpose in stored else 0,
        }
        for purpose, label in QuestionnairePurpose.choices
    ]
    return render(
        request, "studio/webinar/questionnaires.html", webinar_context(request, webinar, "questions", rows=rows)
    )


@studio_page
@require_http_methods(["GET", "HEAD", "POST"])
def questionnaire(request: StudioRequest, pk: UUID, purpose: str) -> HttpResponse:
    """The questions in their order; on POST the introduction."""
    found = _find_questionnaire(request, pk, purpose, change=request.method == "POST")
    form = IntroductionForm(request.POST if request.method == "POST" else None, questionnaire=found)
    if request.method == "POST" and form.is_valid():
        text = form.texts("introduction", found.introduction)
        return _do(
            request, found, lambda: questions.set_introduction(questionnaire=found, user=request.user, text=text)
        )
    items = items_of(found) if found.pk and not found._state.adding else []
    asked = [item.question_id for item in items]
    library = Question.objects.filter(organisation=found.webinar.organisation, is_retired=False)
    others = (
        Questionnaire.objects.filter(webinar__organisation=found.webinar.organisation, purpose=purpose)
        .exclude(webinar=found.webinar)
        .filter(items__isnull=False)
        .select_related("webinar")
        .distinct()
        .order_by("-webinar__starts_at")[:50]
    )
    context = _context(
        request,
        found,
        items=items,
        form=form,
        library=library.exclude(pk__in=asked).order_by("-created_at")[:500],
        others=others if not items else [],
    )
    return render(request, "studio/webinar/questionnaire.html", context, status=422 if form.errors else 200)


@studio_page
@require_POST
def item_add(request: StudioRequest, pk: UUID, purpose: str) -> HttpResponse:
    """Ask a question of the library."""
    found = _find_questionnaire(request, pk, purpose, change=True)
    question = _by_id(Question.objects.filter(organisation=found.webinar.organisation), request.POST.get("question"))
    return _do(request, found, lambda: questions.add_item(questionnaire=found, question=question, user=request.user))


@studio_page
@require_POST
def questionnaire_copy(request: StudioRequest, pk: UUID, purpose: str) -> HttpResponse:
    """Ask what another webinar asks."""
    found = _find_questionnaire(request, pk, purpose, change=True)
    own = Questionnaire.objects.filter(webinar__organisation=found.webinar.organisation, purpose=purpose)
    source = _by_id(own.select_related("webinar"), request.POST.get("source"))
    return _do(
        request,
        found,
        lambda: questions.copy_questionnaire(source=source, webinar=found.webinar, user=request.user),
    )


def _by_id(rows: Any, value: str | None) -> Any:
    try:
        key = UUID(value or "")
    except ValueError:
        raise Http404 from None
    found = rows.filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def _do(request: StudioRequest, questionnaire: Questionnaire, action: Any) -> HttpResponse:
    try:
        action()
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Your changes were saved."))
    return redirect("studio:questionnaire", pk=questionnaire.webinar_id, purpose=questionnaire.purpose)


@studio_page
@require_http_methods(["GET", "HEAD", "POST"])
def item_new(request: StudioRequest, pk: UUID, purpose: str) -> HttpResponse:
    """Write a new question, which goes into the library and is asked here."""
    found = _find_questionnaire(request, pk, purpose, change=True)
    question = Question(organisation=found.webinar.organisation)
    form = QuestionForm(request.POST if request.method == "POST" else None, question=question)
    if request.method == "POST" and form.is_valid() and not form.wants_more_rows:
        try:
            questions.save_question(question=question, user=request.user, **form.values())
            item = questions.add_item(questionnaire=found, question=question, user=request.user)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            return redirect("studio:questionnaire_item", pk=pk, purpose=purpose, item=item.pk)
    back = reverse("studio:questionnaire", args=[pk, purpose])
    context = _context(request, found, form=form, back=back, is_quiz=purpose in questions.QUIZZES)
    return render(request, "studio/webinar/question_form.html", context, status=422 if form.errors else 200)


@studio_page
@require_http_methods(["GET", "HEAD", "POST"])
def item(request: StudioRequest, pk: UUID, purpose: str, item: UUID) -> HttpResponse:
    """Required, shown if, seats."""
    found = _find_questionnaire(request, pk, purpose, change=True)
    row = _find_item(found, item)
    earlier = [one for one in items_of(found) if one.position < row.position]
    form = ItemForm(request.POST if request.method == "POST" else None, item=row, earlier=earlier)
    if request.method == "POST" and form.is_valid():
        try:
            questions.update_item(item=row, user=request.user, **form.values())
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("Your changes were saved."))
            return redirect("studio:questionnaire", pk=pk, purpose=purpose)
    context = _context(request, found, form=form, item=row)
    return render(request, "studio/webinar/questionnaire_item.html", context, status=422 if form.errors else 200)


@studio_page
@require_POST
def item_move(request: StudioRequest, pk: UUID, purpose: str, item: UUID) -> HttpResponse:
    found = _find_questionnaire(request, pk, purpose, change=True)
    by = -1 if request.POST.get("to") == "up" else 1
    row = _find_item(found, item)
    return _do(request, found, lambda: questions.move_item(item=row, user=request.user, by=by))


@studio_page
@require_http_methods(["GET", "HEAD", "POST"])
def item_remove(request: StudioRequest, pk: UUID, purpose: str, item: UUID) -> HttpResponse:
    """Ask first, and say how many answers would go."""
    found = _find_questionnaire(request, pk, purpose, change=True)
    row = _find_item(found, item)
    if request.method == "POST":
        return _do(request, found, lambda: questions.remove_item(item=row, user=request.user, with_answers=True))
    count = row.answers.count()
    effects = [_("It is not asked any more; it stays in your organisation’s questions.")]
    if count:
        effects.append(_("%(n)d answers to it are deleted. This cannot be undone.") % {"n": count})
    context = _context(
        request,
        found,
        question=_("Remove “%(question)s”?") % {"question": row.question.label},
        effects=effects,
        confirm=_("Remove the question"),
        back=reverse("studio:questionnaire", args=[pk, purpose]),
    )
    return render(request, "studio/webinar/confirm.html", context)


@studio_page
@require_GET
def preview(request: StudioRequest, pk: UUID, purpose: str) -> HttpResponse:
    """The questions as people see them; nothing can be sent."""
    found = _find_questionnaire(request, pk, purpose)
    if found._state.adding:
        return redirect("studio:questionnaire", pk=pk, purpose=purpose)
    context = _context(request, found, form=QuestionnaireForm(questionnaire=found))
    return render(request, "studio/webinar/questionnaire_preview.html", context)


# --- Results -------------------------------------------------------------------------------------------------------
@studio_page
@require_GET
def questionnaire_results(request: StudioRequest, pk: UUID, purpose: str) -> HttpResponse:
    """Sums and charts. Fewer than five people are no result."""
    found = _find_questionnaire(request, pk, purpose)
    if found._state.adding:
        return redirect("studio:questionnaire", pk=pk, purpose=purpose)
    by = request.GET.get("by", "")
    by = by if by in results.GROUPINGS else "country"
    gains = results.knowledge_gain(found.webinar) if purpose in questions.QUIZZES else None
    context = _context(
        request, found, results=results.results_of(found, by=by), gains=gains, by=by, small=results.SMALL
    )
    return render(request, "studio/webinar/questionnaire_results.html", context)


@studio_page
@require_POST
def questionnaire_table(request: StudioRequest, pk: UUID, purpose: str, format: str) -> HttpResponseBase:
    """All answers as a table. It may hold personal data, so who took it is recorded: hence POST."""
    found = _find_questionnaire(request, pk, purpose, change=True)
    record_action(
        action="answers.export",
        target=found,
        organisation=found.webinar.organisation,
        user=request.user,
        purpose=purpose,
    )
    name = f"{purpose.replace('_', '-')}-{found.webinar.slug}"
    rows: Iterator[list[Any]] = results.table_of(found)
    return exports.table_response(next(rows), rows, name=name, format=format)


@studio_page
@require_GET
def answer_file(request: StudioRequest, pk: UUID) -> HttpResponse:
    """A file that somebody sent as an answer: for organisers, as an attachment whatever it is (promise U3)."""
    rows = Answer.objects.select_related("response__questionnaire__webinar__organisation").exclude(file_key="")
    found = find(rows, request, pk, path="response__questionnaire__webinar__organisation", change=True)
    facts: dict[str, Any] = found.value or {}
    try:
        content = read_file(found.file_key)
    except FileNotFoundError:
        raise Http404 from None
    organisation = found.response.questionnaire.webinar.organisation
    record_action(action="answer_file.read", target=found, organisation=organisation, user=request.user)
    response = HttpResponse(content, content_type=facts["content_type"])
    response["Content-Disposition"] = content_disposition_header(True, facts["name"]) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# --- The library ---------------------------------------------------------------------------------------------------
@studio_page
@require_GET
def library(request: StudioRequest) -> HttpResponse:
    """All questions of the person's organisations."""
    rows = rules.visible_to(Question.objects.select_related("organisation"), request.user)
    context = {
        "questions": rows.order_by("is_retired", "-created_at")[:1000],
        "organisations": rules.organisations_of(request.user, Role.ORGANISER),
    }
    return render(request, "studio/questions.html", context)


@studio_page
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find(Question.objects.select_related("organisation"), request, pk, change=True)
    form = QuestionForm(request.POST if request.method == "POST" else None, question=found)
    if request.method == "POST" and form.is_valid() and not form.wants_more_rows:
        try:
            questions.save_question(question=found, user=request.user, **form.values())
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("Your changes were saved."))
            return redirect("studio:question_library")
    context = {"form": form, "question": found, "back": reverse("studio:question_library"), "is_quiz": True}
    return render(request, "studio/question_form.html", context, status=422 if form.errors else 200)


@studio_page
@require_POST
def question_retire(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Off the list, or back on it."""
    found = find(Question.objects.select_related("organisation"), request, pk, change=True)
    questions.retire_question(question=found, user=request.user, is_retired=request.POST.get("retire") == "yes")
    return redirect("studio:question_library")
