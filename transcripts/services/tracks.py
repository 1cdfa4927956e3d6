"""Editing, publishing and deleting tracks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.services import record_action
from media.models import Asset
from transcripts import cues as arithmetic
from transcripts import markup, selectors
from transcripts.cues import MAX_CUE_CHARS, MAX_CUES, MAX_MS, Cue
from transcripts.errors import CuesInvalid, EditConflict, HasErrors, NothingToPublish, TranscriptError
from transcripts.models import ReviewLink, Revision, TextTrack, TrackKind, TrackOrigin, TrackState
from transcripts.searching import index_track
from transcripts.services.revisions import add_revision, find_or_create_track

SITTING = timedelta(minutes=15)  # what one opened editor saves within it is one revision


def begin_track(*, asset: Asset, language: str, kind: str, user: User | None) -> TextTrack:
    """Make a track for a person to write in the editor, in a language that no engine knows, say.

    A translation begins with the times and words of the captions, each cue naming the one that it is made from: the
    person overwrites them, and the quality report finds what was forgotten. Captions begin empty. A track that has a
    revision already is returned as it is.

    Raises:
        LanguageUnknown: the tag is not of a known language.
        TranscriptError: the kind is unknown (code `kind_unknown`).
    """
    if kind not in TrackKind.values:
        raise TranscriptError(_("Choose captions or subtitles."), code="kind_unknown", field="kind")
    with transaction.atomic():
        track = find_or_create_track(asset=asset, language=language, kind=kind)
        if track.current_revision_id is not None:
            return track
        source = selectors.captions_of(asset=asset) if kind == TrackKind.SUBTITLES else None
        cues = selectors.cues_of(source) if source is not None else []
        if source is not None and cues and source.language != track.language:
            TextTrack.objects.filter(pk=track.pk).update(source_track=source)
            add_revision(track=track, cues=[_to_translate(cue) for cue in cues], origin=TrackOrigin.PERSON, author=user)
        record_action(action="track.begun", target=track, organisation=asset.organisation, user=user, kind=kind)
    return track


def _to_translate(cue: Cue) -> Cue:
    source_hash = arithmetic.content_hash([cue])
    return replace(cue, source_ids=(cue.id,), source_hash=source_hash, confidence=None, doubts=(), is_corrected=False)


def save_cues(
    *,
    track: TextTrack,
    base_revision: int,
    cues: Sequence[Cue],
    user: User | None,
    review_link: ReviewLink | None = None,
    session: str = "",
) -> Revision:
    """Store a person's version of a track's cues and make it current.

    Args:
        base_revision: number of the revision that the person began from; 0 for a track without any.
        review_link: by which a person without an account came.
        session: names one opened editor, which saves every few seconds: its next revision takes the place of its last
            one, so that the history shows sittings. Not while the track is published, nor where something was
            translated from that revision.

    Raises:
        CuesInvalid: a cue has no text, is too long, or does not end after it starts.
        EditConflict: another revision is current by now. Nothing is overwritten; the error carries both versions.
    """
    edited = _checked(cues)
    with transaction.atomic():
        # The update is the lock: it respects SQLite too, and orders two editors who save at once.
        TextTrack.objects.filter(pk=track.pk).update(updated_at=timezone.now())
        track.refresh_from_db()
        current = track.current_revision
        if (current.number if current else 0) != base_revision:
            raise EditConflict(
                current_revision=current.number if current else 0,
                theirs=current.cues if current else [],
                yours=arithmetic.to_rows(edited),
            )
        edited = _corrected(edited, selectors.cues_of(track))
        replaced = current if current is not None and _is_of_same_sitting(track, current, session) else None
        revision = add_revision(
            track=track,
            cues=edited,
            origin=TrackOrigin.PERSON,
            author=user,
            review_link=review_link,
            # A sitting lasts from its first revision on, so a long one leaves several.
            edit_session=session,
        )
        if replaced is not None:
            Revision.objects.filter(pk=revision.pk).update(created_at=replaced.created_at)
            replaced.delete()
        else:
            by = {"link": str(review_link.pk)} if review_link is not None else {}
            record_action(
                action="track.edited",
                target=track,
                organisation=track.asset.organisation,
                user=user,
                revision=revision.number,
                cues=revision.cue_count,
                **by,
            )
    return revision


def change_cues(
    *,
    track: TextTrack,
    base_revision: int,
    changed: Sequence[Cue],
    removed: Sequence[str] = (),
    user: User | None,
    review_link: ReviewLink | None = None,
    session: str = "",
) -> Revision:
    """Store single changed, added and removed cues of a revision; see `save_cues`, which this is otherwise like.

    Raises:
        EditConflict: also if the base revision is not kept any more, since then another one is current.
    """
    base = track.revisions.filter(number=base_revision).first()
    cues = arithmetic.patched(arithmetic.from_rows(base.cues) if base else [], changed, removed)
    if base is None and base_revision:
        current = track.current_revision
        raise EditConflict(
            current_revision=current.number if current else 0,
            theirs=current.cues if current else [],
            yours=arithmetic.to_rows(changed),
        )
    return save_cues(
        track=track,
        base_revision=base_revision,
        cues=cues,
        user=user,
        review_link=review_link,
        session=session,
    )


def _is_of_same_sitting(track: TextTrack, current: Revision, session: str) -> bool:
    return (
        bool(session)
        and current.edit_session == session
        and track.state != TrackState.PUBLISHED
        and timezone.now() - current.created_at < SITTING
        and not track.translations.filter(revisions__created_at__gte=current.created_at).exists()
    )


def _checked(cues: Sequence[Cue]) -> list[Cue]:
    """Cues in the form in which they are kept: sorted, with ids, texts in normal form."""
    if len(cues) > MAX_CUES:
        raise CuesInvalid(_("There are more than %(count)s subtitles.") % {"count": MAX_CUES}, field="cues")
    checked = []
    for number, cue in enumerate(cues, start=1):
        if not 0 <= cue.start_ms < cue.end_ms <= MAX_MS:
            raise CuesInvalid(
                _("Subtitle %(number)s must end after it starts.") % {"number": number}, field="cues", number=number
            )
        speaker, text = markup.split_voice(markup.clean(cue.text[: MAX_CUE_CHARS + 1]).text)
        if len(cue.text) > MAX_CUE_CHARS:
            raise CuesInvalid(
                _("Subtitle %(number)s is longer than %(count)s characters.")
                % {"number": number, "count": MAX_CUE_CHARS},
                field="cues",
                number=number,
            )
        if not markup.plain(text):
            raise CuesInvalid(
                _("Subtitle %(number)s has no text; delete it instead.") % {"number": number},
                field="cues",
                number=number,
            )
        checked.append(replace(cue, text=text, speaker=markup.voice_name(cue.speaker)[:100] or speaker))
    return arithmetic.with_ids(checked)


def _corrected(edited: Sequence[Cue], before: Sequence[Cue]) -> list[Cue]:
    """Mark the cues whose words a person changed: no machine changes them again, and what it doubted is settled."""
    old = {cue.id: cue for cue in before}
    done = []
    for cue in edited:
        was = old.get(cue.id)
        if was is None or was.text != cue.text:
            cue = replace(cue, is_corrected=True, confidence=None, doubts=())
            if was is not None and cue.source_ids == was.source_ids:
                # The person saw what the source says now.
                cue = replace(cue, source_hash=was.source_hash)
        else:
            cue = replace(
                cue, is_corrected=was.is_corrected, confidence=was.confidence, doubts=was.doubts,
                source_hash=was.source_hash,
            )  # fmt: skip
        done.append(cue)
    return done


def publish_track(*, track: TextTrack, user: User | None = None, anyway: bool = False) -> TextTrack:
    """Show a track to viewers. Publishing a published one changes nothing.

    Args:
        anyway: in spite of errors in the quality report; who did so is kept with the track.

    Raises:
        NothingToPublish: it has no cues.
        HasErrors: the quality report names errors, and `anyway` is not set.
    """
    if not selectors.cues_of(track):
        raise NothingToPublish(_("These subtitles are empty; there is nothing to publish."))
    if track.state == TrackState.PUBLISHED:
        return track
    errors = [finding for finding in selectors.quality_of(track) if finding.severity == "error"]
    if errors and not anyway:
        raise HasErrors(
            ngettext(
                "The subtitles have %(count)s error. Correct it, or publish them anyway.",
                "The subtitles have %(count)s errors. Correct them, or publish them anyway.",
                len(errors),
            )
            % {"count": len(errors)},
            findings=selectors.finding_rows(errors),
        )
    with transaction.atomic():
        TextTrack.objects.filter(pk=track.pk).update(
            published_anyway_by=user if errors else None,
            published_anyway_at=timezone.now() if errors else None,
            published_anyway_errors=len(errors),
        )
        return set_state(track, TrackState.PUBLISHED, "track.published", user, errors=len(errors))


def unpublish_track(*, track: TextTrack, user: User | None = None) -> TextTrack:
    """Hide a track from viewers; it becomes a draft. A draft or reviewed one stays as it is."""
    if track.state != TrackState.PUBLISHED:
        return track
    return set_state(track, TrackState.DRAFT, "track.unpublished", user)


def set_state(track: TextTrack, state: TrackState, action: str, user: User | None, **detail: Any) -> TextTrack:
    """Change a track's state with an entry in the audit log; one that has it already stays as it is."""
    with transaction.atomic():
        # What was published or reviewed is kept as it was then, whatever an open editor saves next.
        if track.current_revision_id is not None:
            Revision.objects.filter(pk=track.current_revision_id).update(edit_session="")
        changed = (
            TextTrack.objects.filter(pk=track.pk).exclude(state=state).update(state=state, updated_at=timezone.now())
        )
        if changed:
            record_action(
                action=action,
                target=track,
                organisation=track.asset.organisation,
                user=user,
                language=track.language,
                revision=track.current_revision.number if track.current_revision else 0,
                **detail,
            )
            index_track(track)
    track.refresh_from_db()
    return track


def delete_track(*, track: TextTrack, user: User | None = None) -> None:
    """Delete a track with all its revisions. Translations made from it stay."""
    with transaction.atomic():
        record_action(
            action="track.deleted",
            target=track,
            organisation=track.asset.organisation,
            user=user,
            language=track.language,
            kind=track.kind,
            state=track.state,
        )
        track.delete()


def copy_tracks(*, source: Asset, target: Asset, offset_ms: int, user: User | None) -> list[TextTrack]:
    """Give another file the tracks of the first, with everything shown `offset_ms` later; states are kept.

    Cues that would lie before the start or past the end are left out. A track that the target has already stays.
    """
    made = []
    last_ms = target.duration_ms or MAX_MS
    with transaction.atomic():
        for track in selectors.tracks_of(asset=source).exclude(current_revision=None):
            cues = [
                replace(cue, start_ms=max(0, cue.start_ms + offset_ms), end_ms=min(last_ms, cue.end_ms + offset_ms))
                for cue in selectors.cues_of(track)
            ]
            cues = [cue for cue in cues if cue.start_ms < cue.end_ms]
            copy, is_new = TextTrack.objects.get_or_create(
                asset=target, language=track.language, kind=track.kind, defaults={"state": track.state}
            )
            assert track.current_revision is not None
            if not is_new or not cues:
                continue
            origin = TrackOrigin(track.current_revision.origin)
            add_revision(
                track=copy,
                cues=cues,
                origin=origin,
                engine=track.current_revision.engine,
                model=track.current_revision.model,
                author=track.current_revision.author,
            )
            record_action(
                action="track.copied",
                target=copy,
                organisation=target.organisation,
                user=user,
                language=copy.language,
                offset_ms=offset_ms,
            )
            made.append(copy)
    return made
