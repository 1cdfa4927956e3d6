"""What is stored about people who were asked to review subtitles (accounts.personal_data)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import keeping
from accounts.models import Organisation
from accounts.personal_data import Known, Person
from transcripts.models import ReviewLink


class Reviewers:
    """People who hold a link. What they wrote belongs to the subtitles and stays, without their name."""

    name = "reviewer"

    def _rows(self, person: Person) -> "QuerySet[ReviewLink]":
        rows = ReviewLink.objects.filter(email__iexact=person.email).select_related("track__asset")
        if person.organisation is not None:
            rows = rows.filter(track__asset__organisation=person.organisation)
        return rows if person.before is None else rows.filter(created_at__lt=person.before)

    def export(self, person: Person) -> Any:
        return [
            {
                "recording": row.track.asset.file_name,
                "subtitles": row.track.language,
                "name": row.name,
                "email": row.email,
                "language": row.language,
                "asked_at": row.created_at,
                "done_at": row.done_at,
            }
            for row in self._rows(person)
        ]

    def files(self, _person: Person) -> Iterable[tuple[str, bytes]]:
        return ()

    def erase(self, person: Person) -> int:
        rows = self._rows(person)
        count = rows.count()
        rows.delete()
        return count

    def known(self) -> Iterator[Known]:
        rows = ReviewLink.objects.values_list("email", "track__asset__organisation", "created_at")
        for email, organisation, since in rows.iterator():
            yield Known(email, organisation, since)


def register_rules() -> None:
    """Who was asked to review is kept as long as mails are, counted from the end of their link."""
    keeping.register(
        keeping.Rule(
            "review_links",
            "mails",
            _("people asked to review subtitles"),
            _due,
            lambda cutoff, organisation: keeping.delete_some(_due(cutoff, organisation)),
        )
    )


def _due(cutoff: datetime, organisation: Organisation | None) -> "QuerySet[ReviewLink]":
    return ReviewLink.objects.filter(expires_at__lt=cutoff, track__asset__organisation=organisation)
