"""When a questionnaire can be answered by whom, and the taking of its answers by the personal link."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services import record_action
from events.models import Webinar, WebinarState
from registration import answers
from registration.errors import NotOpen
from registration.links import token_for
from registration.models import (
    Questionnaire,
    QuestionnairePurpose,
    Registration,
    RegistrationState,
    Response,
)
from registration.questions import QUIZZES

OPENS_BEFORE_END: Final = timedelta(minutes=15)  # sessions end early
STAYS_OPEN: Final = timedelta(days=60)
AFTER: Final = (QuestionnairePurpose.SURVEY, QuestionnairePurpose.QUIZ_AFTER)


@dataclass(frozen=True)
class Occasion:
    """Something that a registrant is asked now."""

    purpose: str
    label: str
    is_answered: bool
    is_final: bool


def answer_link(registration: Registration, purpose: str) -> str:
    """The absolute address at which this person answers: for mails. It is as secret as their own page's."""
    return settings.BASE_URL + reverse("registration:answer", args=[token_for(registration), purpose])


def asked_questionnaire(webinar: Webinar, purpose: str) -> Questionnaire | None:
    """The webinar's questionnaire for that occasion, if it has any question."""
    return (
        Questionnaire.objects.filter(webinar=webinar, purpose=purpose, items__isnull=False)
        .select_related("webinar__organisation")
        .distinct()
        .first()
    )


def response_of(registration: Registration, questionnaire: Questionnaire) -> Response | None:
    return Response.objects.filter(registration=registration, questionnaire=questionnaire).first()


def require_answerable(*, registration: Registration, questionnaire: Questionnaire) -> None:
    """Check that this person may answer this now.

    Raises:
        NotOpen: they may not, and why.
    """
    webinar, purpose, now = registration.webinar, questionnaire.purpose, timezone.now()
    if registration.state in answers.ENDED or webinar.state == WebinarState.CANCELLED:
        raise NotOpen(_("This registration is cancelled, so there is nothing to answer."), code="cancelled")
    if purpose != QuestionnairePurpose.REGISTRATION and registration.state != RegistrationState.CONFIRMED:
        raise NotOpen(_("These questions are for people who have a place."), code="no_place")
    opens_at, closes_at = _times(webinar, purpose)
    if opens_at is not None and now < opens_at:
        raise NotOpen(_("These questions are asked once the session is over. Please come back then."), code="too_early")
    if now >= closes_at:
        raise NotOpen(_("The time for answering is over."), code="too_late")
    if purpose in QUIZZES and response_of(registration, questionnaire) is not None:
        raise NotOpen(_("You have answered this quiz already."), code="answered")


def _times(webinar: Webinar, purpose: str) -> tuple[datetime | None, datetime]:
    if purpose in AFTER:
        return webinar.ends_at - OPENS_BEFORE_END, webinar.ends_at + STAYS_OPEN
    return None, webinar.ends_at


def submit(*, registration: Registration, questionnaire: Questionnaire, given: dict[str, Any]) -> Response:
    """Take a person's answers; a survey's can be changed while it is open, a quiz is taken once.

    Raises:
        NotOpen: they may not answer now.
        AnswersRefused: something is missing or wrong, or a seat is gone; `errors` names all of it.
    """
    require_answerable(registration=registration, questionnaire=questionnaire)
    response = response_of(registration, questionnaire)
    cleaned = answers.clean_answers(questionnaire=questionnaire, given=given, response=response)
    with transaction.atomic():
        if questionnaire.purpose in QUIZZES:
            # Of two tabs one makes the row and the other finds it: the first answers count.
            response, is_new = Response.objects.get_or_create(questionnaire=questionnaire, registration=registration)
            if not is_new:
                raise NotOpen(_("You have answered this quiz already."), code="answered")
        saved = answers.save_answers(registration=registration, cleaned=cleaned)
        record_action(
            action="answers.saved",
            target=registration,
            organisation=registration.webinar.organisation,
            actor="registrant",
            purpose=str(questionnaire.purpose),
        )
    return saved


def open_occasions(registration: Registration) -> list[Occasion]:
    """What this registrant can answer now or has answered, in the order in which it happens."""
    labels = {
        QuestionnairePurpose.REGISTRATION: _("Change my answers"),
        QuestionnairePurpose.QUIZ_BEFORE: _("What do you know already? A short quiz before the session"),
        QuestionnairePurpose.QUIZ_AFTER: _("What did you learn? A short quiz after the session"),
        QuestionnairePurpose.SURVEY: _("Tell us what you think of the session"),
    }
    asked = {
        one.purpose: one
        for one in Questionnaire.objects.filter(webinar=registration.webinar_id, items__isnull=False).distinct()
    }
    answered = set(registration.responses.values_list("questionnaire", flat=True))
    found = []
    for purpose, label in labels.items():
        questionnaire = asked.get(purpose)
        if questionnaire is None:
            continue
        is_done = questionnaire.pk in answered
        try:
            require_answerable(registration=registration, questionnaire=questionnaire)
        except NotOpen as error:
            if error.code == "answered":
                found.append(Occasion(purpose, label, is_answered=True, is_final=True))
        else:
            found.append(Occasion(purpose, label, is_answered=is_done, is_final=False))
    return found
