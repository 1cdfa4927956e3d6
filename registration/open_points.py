"""What a registration still lacks: answers that must be given, and consents that nobody can give for another.

Teams and lists register people who were not asked anything themselves, and a question may be added after people
registered. Their own page asks for what is open, the mail says so, and the organiser's list shows it. Nobody loses
a place over it; but the way into the live room leads past the consents that registering requires.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from registration.answers import ENDED, unanswered
from registration.consents import open_consents
from registration.models import (
    Answer,
    ConsentKind,
    QuestionnaireItem,
    QuestionnairePurpose,
    Registration,
    RegistrationSource,
)

CHUNK: Final = 500


@dataclass(frozen=True)
class OpenPoints:
    """Questions that must be answered and are not; kinds of required consents that were not given."""

    questions: tuple[QuestionnaireItem, ...] = ()
    consents: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.questions or self.consents)

    def in_words(self) -> list[str]:
        """Each of them as people read it, in the language of the page."""
        return [
            *(str(item.question.label) for item in self.questions),
            *(str(ConsentKind(kind).label) for kind in self.consents),
        ]


def open_points(registrations: Iterable[Registration]) -> dict[UUID, OpenPoints]:
    """What is open, per registration; nothing for those that ended.

    Registrations must come with their webinars; the number of queries does not grow with theirs.
    """
    rows = list(registrations)
    going = [row for row in rows if row.state not in ENDED]
    consents = open_consents(going)
    items: dict[UUID, list[QuestionnaireItem]] = defaultdict(list)
    asked = QuestionnaireItem.objects.filter(
        questionnaire__webinar__in={row.webinar_id for row in going},
        questionnaire__purpose=QuestionnairePurpose.REGISTRATION,
    )
    for item in asked.select_related("question", "questionnaire").order_by("position"):
        items[item.questionnaire.webinar_id].append(item)
    by_key = {item.pk: item for found in items.values() for item in found}
    values: dict[UUID, dict[QuestionnaireItem, Any]] = defaultdict(dict)
    if any(item.is_required for item in by_key.values()):
        given = Answer.objects.filter(response__registration__in=going, item__in=by_key)
        for registration, item_key, value in given.values_list("response__registration", "item", "value"):
            values[registration][by_key[item_key]] = value
    points = {row.pk: OpenPoints() for row in rows}
    for row in going:
        points[row.pk] = OpenPoints(tuple(unanswered(items[row.webinar_id], values[row.pk])), tuple(consents[row.pk]))
    return points


def open_points_of(registration: Registration) -> OpenPoints:
    """What is open of one registration."""
    return open_points([registration])[registration.pk]


def lacking(registrations: "QuerySet[Registration]") -> "QuerySet[Registration]":
    """Those of the registrations of which something is open.

    The database finds those of which it may be; only they are read, some hundred at a time.
    """
    unanswered_items = QuestionnaireItem.objects.filter(
        ~Exists(Answer.objects.filter(item=OuterRef("pk"), response__registration=OuterRef(OuterRef("pk")))),
        questionnaire__webinar=OuterRef("webinar"),
        questionnaire__purpose=QuestionnairePurpose.REGISTRATION,
        is_required=True,
    )
    candidates = registrations.filter(~Q(source=RegistrationSource.FORM) | Exists(unanswered_items))
    rows = candidates.select_related("webinar__organisation").order_by("pk").iterator(chunk_size=CHUNK)
    found: list[UUID] = []
    while chunk := list(islice(rows, CHUNK)):
        found += [pk for pk, points in open_points(chunk).items() if points]
    return registrations.filter(pk__in=found)
