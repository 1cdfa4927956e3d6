"""A registrant's own pages beside the registration itself: surveys, quizzes, answers and consents."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from registration import answers, consents, surveys
from registration.errors import NotOpen
from registration.links import join_link_for, registration_by_token, token_for
from registration.models import ConsentKind, QuestionnairePurpose, Registration, Response
from registration.open_points import open_points_of
from registration.question_forms import CONSENT_LABELS, QuestionnaireForm
from registration.questions import QUIZZES
from registration.views import personal_page
from work.errors import DomainError


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(registration_by_token)
def answer(request: HttpRequest, registration: Registration, purpose: str) -> HttpResponse:
    """A survey, a quiz, or the answers given when registering. What was entered stays when something is wrong."""
    questionnaire = surveys.asked_questionnaire(registration.webinar, purpose)
    context = {"registration": registration, "webinar": registration.webinar, "token": token_for(registration)}
    if questionnaire is None:
        context["reason"] = _("There is nothing to answer here.")
        return render(request, "registration/link.html", context, status=404)
    response = surveys.response_of(registration, questionnaire)
    is_quiz = purpose in QUIZZES
    try:
        surveys.require_answerable(registration=registration, questionnaire=questionnaire)
    except NotOpen as error:
        if error.code == "answered" and response is not None:
            return render(request, "registration/quiz_done.html", context | _score(response))
        return render(request, "registration/link.html", context | {"reason": error.message}, status=error.status)
    form = QuestionnaireForm(questionnaire=questionnaire, response=response)
    if request.method == "POST":
        form = QuestionnaireForm(request.POST, request.FILES, questionnaire=questionnaire, response=response)
        form.is_valid()
        try:
            surveys.submit(registration=registration, questionnaire=questionnaire, given=form.given_answers)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            if is_quiz:
                return redirect("registration:answer", token=token_for(registration), purpose=purpose)
            messages.success(request, _("Thank you. Your answers are saved."))
            return redirect("registration:own", token=token_for(registration))
    context |= {
        "form": form,
        "questionnaire": questionnaire,
        "is_quiz": is_quiz,
        "heading": {
            QuestionnairePurpose.REGISTRATION.value: _("Change my answers"),
            QuestionnairePurpose.SURVEY.value: _("Tell us what you think"),
        }.get(purpose, _("Quiz")),
    }
    return render(request, "registration/answer.html", context, status=422 if form.errors else 200)


def _score(response: Response) -> dict[str, object]:
    """What a person is told of their quiz: how many were right; which ones, only once nobody is asked again."""
    items = answers.items_of(response.questionnaire)
    values = {answer.item_id: answer.value for answer in response.answers.all()}
    given = {item: values[item.pk] for item in items if item.pk in values}
    graded = [item for item in items if answers.is_graded(item) and answers.was_asked(item, given)]
    right = [item for item in graded if answers.is_right(item, values.get(item.pk))]
    is_last = response.questionnaire.purpose == QuestionnairePurpose.QUIZ_AFTER
    rows = [
        {
            "question": item.question,
            "own": answers.in_words(item.question, values.get(item.pk)),
            "is_right": item in right,
            "solution": answers.in_words(item.question, sorted(answers.right_choices(item))),
        }
        for item in graded
    ]
    return {"right": len(right), "total": len(graded), "rows": rows if is_last else []}


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(registration_by_token)
def own_consents(request: HttpRequest, registration: Registration) -> HttpResponse:
    """What this person agreed to, in the words of then; each but the privacy notice can be taken back or given.

    Whom somebody else registered is asked here for what registering requires; `?to=session` then leads on.
    """
    if request.method == "POST":
        try:
            consents.change(
                registration=registration,
                kind=request.POST.get("kind", ""),
                is_given=request.POST.get("agree") == "yes",
                version=request.POST.get("version", ""),
            )
        except DomainError as error:
            messages.error(request, str(error))
        else:
            if request.GET.get("to") == "session" and not open_points_of(registration).consents:
                return redirect(join_link_for(registration))
            messages.success(request, _("Your choice is saved."))
        return redirect(request.get_full_path())
    given = registration.given_consents.select_related("text").order_by("text__kind", "-text__version")
    texts = consents.current_texts(registration.webinar.organisation)
    missing = open_points_of(registration).consents
    context = {
        "registration": registration,
        "webinar": registration.webinar,
        "token": token_for(registration),
        "given": given,
        "missing": [
            {
                "kind": kind,
                "label": CONSENT_LABELS.get(kind) or ConsentKind(kind).label,
                "text": texts.get(kind),
                "version": str(texts[kind].pk) if kind in texts else consents.PRIVACY_VERSION,
            }
            for kind in missing
        ],
        "offered": [
            {"text": text, "label": CONSENT_LABELS[kind], "is_given": consents.has_consent(registration, kind)}
            for kind, text in texts.items()
            if kind != ConsentKind.PRIVACY and kind not in missing
        ],
        "built_in": registration.consents.get("privacy"),
    }
    return render(request, "registration/consents.html", context)
