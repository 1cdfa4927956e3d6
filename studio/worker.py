"""Doing a production's work in this process, for the command line. Real workers may help: claims keep them apart."""

import threading
from collections.abc import Iterator

from django.db import connection
from django.db.models import Q
from django.utils import timezone

import work.services
from library.models import Recording
from notifications.models import Message
from registration.models import Announcement, AnnouncementKind, Registration
from studio import selectors
from studio.models import Production, StepPart, StepRow
from work.models import WorkState

IDLE_S = 0.3


class LocalWorker:
    """Threads that do whatever is due for one production, until it comes to rest."""

    def __init__(self, production: Production, *, threads: int = 2) -> None:
        self.production = production
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._loop, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask the threads to stop after what they are doing, and wait for them."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def is_working(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _loop(self) -> None:
        try:
            while not self._stop.is_set():
                if not any(work.services.execute(kind, pk) for kind, pk in self._due()):
                    if self._is_at_rest():
                        return
                    self._stop.wait(IDLE_S)
        finally:
            connection.close()

    def _due(self) -> Iterator[tuple[str, object]]:
        due = Q(due_at__isnull=True) | Q(due_at__lte=timezone.now())
        parts = StepPart.objects.filter(due, step__production=self.production, state=WorkState.QUEUED)
        steps = StepRow.objects.filter(due, production=self.production, state=WorkState.QUEUED)
        yield from (("studio.part", pk) for pk in parts.values_list("pk", flat=True))
        yield from (("studio.step", pk) for pk in steps.values_list("pk", flat=True))
        told = Announcement.objects.filter(
            due,
            webinar__recordings=self.production.recording_id,
            kind=AnnouncementKind.RECORDING,
            state=WorkState.QUEUED,
        )
        yield from (("registration.announcement", pk) for pk in told.values_list("pk", flat=True))
        yield from (("notifications.message", pk) for pk in self._mails(due))

    def _mails(self, due: Q) -> Iterator[object]:
        """The follow-up mails of this production's webinar."""
        recording = Recording.objects.get(pk=self.production.recording_id)
        about = [f"registration:{pk}" for pk in self._registrations(recording)]
        yield from Message.objects.filter(
            due, purpose="follow_up", about__in=about, state=WorkState.QUEUED
        ).values_list("pk", flat=True)

    def _registrations(self, recording: Recording) -> Iterator[object]:
        yield from Registration.objects.filter(webinar=recording.webinar_id).values_list("pk", flat=True)

    def _is_at_rest(self) -> bool:
        self.production.refresh_from_db()
        state = selectors.state_of(self.production)
        if state == "failed":
            # Independent branches go on; rest only when nothing is left that can move.
            live = [WorkState.QUEUED, WorkState.RUNNING]
            return not (
                self.production.steps.filter(state__in=live).exists()
                or StepPart.objects.filter(step__production=self.production, state__in=live).exists()
            )
        return state in ("cancelled", "published", "ready")
