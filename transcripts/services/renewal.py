"""Translating anew what became stale, cue by cue, without touching what a person wrote."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

import work.services
from accounts.models import User
from accounts.services import record_action
from transcripts import cues as arithmetic
from transcripts import selectors
from transcripts.cues import Cue
from transcripts.errors import TranscriptError
from transcripts.models import Renewal, TextTrack, TrackOrigin
from transcripts.services.revisions import add_revision
from transcripts.services.translation import translated_cues
from work.leases import Lease

MOST_TRIES = 5


class NothingStale(TranscriptError):
    """There is nothing to renew, or the track was not translated from another."""

    code = "nothing_stale"
    status = 409


@dataclass(frozen=True)
class Renewed:
    """What a renewal did.

    Attributes:
        renewed: how many cues were replaced.
        kept: ids of cues that a person corrected; they stay as they are, and stay stale.
    """

    renewed: int
    kept: tuple[str, ...]


def request_renewal(*, track: TextTrack, cue_ids: Sequence[str] = (), user: User | None) -> Renewal:
    """Have stale cues of a translation translated anew by a worker; no ids means all.

    Raises:
        NothingStale: there are none.
    """
    _chosen(track, cue_ids)
    with transaction.atomic():
        renewal = Renewal.objects.create(track=track, cue_ids=list(cue_ids), created_by=user)
        record_action(
            action="track.renewal_requested",
            target=track,
            organisation=track.asset.organisation,
            user=user,
            cues=len(cue_ids),
        )
        work.services.enqueue(renewal)
    return renewal


def run_renewal(lease: Lease[Any]) -> None:
    """Work on one wish for renewal."""
    renewal: Renewal = lease.row
    done = renew_cues(
        track=renewal.track,
        cue_ids=renewal.cue_ids,
        user=renewal.created_by,
        progress=lease.report,
        should_stop=lambda: lease.should_stop,
        fenced=lease.fenced,
    )
    with lease.fenced():
        Renewal.objects.filter(pk=renewal.pk).update(result={"renewed": done.renewed, "kept": list(done.kept)})


def _chosen(track: TextTrack, cue_ids: Sequence[str]) -> list[Cue]:
    stale = [cue for cue in selectors.stale_cues_of(track) if not cue_ids or cue.id in cue_ids]
    if not stale:
        raise NothingStale(_("None of these subtitles is older than what it was translated from."))
    return stale


def renew_cues(
    *,
    track: TextTrack,
    cue_ids: Sequence[str] = (),
    user: User | None = None,
    progress: Callable[[float, str], None] = lambda _percent, _activity: None,
    should_stop: Callable[[], bool] = lambda: False,
    fenced: Callable[[], AbstractContextManager[None]] = transaction.atomic,
) -> Renewed:
    """Translate stale cues anew and store the track's next revision. No ids means all that are stale.

    Cues that share a sentence with a stale one are made anew with it. A cue that a person corrected is never replaced.

    Raises:
        NothingStale: there are none.
        See `translate_track` for what a translator raises.
    """
    for _attempt in range(MOST_TRIES):
        track.refresh_from_db()
        source, base = track.source_track, track.current_revision
        stale = _chosen(track, cue_ids)
        assert source is not None
        assert base is not None
        now = selectors.cues_of(track)
        spoken = selectors.cues_of(source)
        ids = _whole_sentences(stale, now, spoken, source.language)
        made = translated_cues(
            source=source,
            cues=spoken,
            language=track.language,
            only=ids,
            progress=progress,
            should_stop=should_stop,
        )
        kept, merged, count = _merged(now, made, ids)
        with fenced(), transaction.atomic():
            # The update is the lock, as in `save_cues`: a person who saved meanwhile is not overwritten.
            TextTrack.objects.filter(pk=track.pk).update(updated_at=timezone.now())
            track.refresh_from_db()
            if track.current_revision_id != base.pk:
                continue
            revision = add_revision(
                track=track,
                cues=merged,
                # A track that a person worked on stays a person's, so that no machine replaces it as a whole.
                origin=TrackOrigin(base.origin) if base.origin != TrackOrigin.UPLOADED else TrackOrigin.PERSON,
                engine=base.engine,
                model=base.model,
                author=user,
            )
            record_action(
                action="track.renewed",
                target=track,
                organisation=track.asset.organisation,
                user=user,
                revision=revision.number,
                cues=count,
            )
        return Renewed(count, tuple(cue.id for cue in stale if cue.id in kept))
    raise NothingStale(_("These subtitles are being changed by many at once. Try again."), code="busy")


def _whole_sentences(stale: Iterable[Cue], now: Sequence[Cue], spoken: Sequence[Cue], language: str) -> set[str]:
    """Source cues of the stale ones, with all that share a sentence or a translated cue with these."""
    groups = [{slot.cue_id for slot in one.slots} for one in arithmetic.sentences(spoken, language=language)]
    groups += [set(cue.source_ids) for cue in now if not cue.is_corrected]
    wanted = {name for cue in stale for name in cue.source_ids}
    # A source cue that was divided or inserted since is named by none; it lies where the stale ones do.
    named = {name for cue in now for name in cue.source_ids}
    wanted |= {
        cue.id
        for cue in spoken
        if cue.id not in named and any(one.start_ms < cue.end_ms and cue.start_ms < one.end_ms for one in stale)
    }
    while True:
        grown = wanted.union(*(group for group in groups if group & wanted))
        if grown == wanted:
            return wanted
        wanted = grown


def _merged(now: Sequence[Cue], made: Sequence[Cue], ids: set[str]) -> tuple[set[str], list[Cue], int]:
    """Ids of a person's cues among the stale, all cues as they are to be, and how many of them are new."""
    kept = [cue for cue in now if cue.is_corrected and set(cue.source_ids) & ids]
    stays = [cue for cue in now if cue.is_corrected or not set(cue.source_ids) & ids]
    fresh = [cue for cue in made if not any(one.start_ms < cue.end_ms and cue.start_ms < one.end_ms for one in kept)]
    return {cue.id for cue in kept}, arithmetic.with_ids([*stays, *fresh]), len(fresh)
