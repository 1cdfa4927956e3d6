"""What is stored about speakers (accounts.personal_data)."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet

from accounts.personal_data import Known, Person
from events.models import Speaker


class Speakers:
    """People who present. Their slides stay with the webinar."""

    name = "speaker"

    def _rows(self, person: Person) -> "QuerySet[Speaker]":
        rows = Speaker.objects.filter(email__iexact=person.email).select_related("webinar")
        if person.organisation is not None:
            rows = rows.filter(webinar__organisation=person.organisation)
        return rows if person.before is None else rows.filter(created_at__lt=person.before)

    def export(self, person: Person) -> Any:
        return [
            {
                "webinar": str(row.webinar.title),
                "name": row.name,
                "email": row.email,
                "affiliation": row.affiliation,
                "biography": row.biography,
                "language": row.language,
                "invited_at": row.invited_at,
            }
            for row in self._rows(person)
        ]

    def files(self, person: Person) -> Iterable[tuple[str, bytes]]:
        for row in self._rows(person).prefetch_related("materials"):
            for material in row.materials.all():
                with material.file.open() as file:
                    yield material.file_name, file.read()

    def erase(self, person: Person) -> int:
        rows = self._rows(person)
        count = rows.count()
        rows.delete()
        return count

    def known(self) -> Iterator[Known]:
        rows = Speaker.objects.exclude(email="").values_list("email", "webinar__organisation", "created_at")
        for email, organisation, since in rows.iterator():
            yield Known(email, organisation, since)
