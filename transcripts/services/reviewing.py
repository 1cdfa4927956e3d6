"""Review: asking a person without an account by a mailed link, marking as reviewed, and bringing an old state back."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import links
from accounts.models import User
from accounts.services import record_action
from events.models import random_nonce
from transcripts import cues as arithmetic
from transcripts import messages
from transcripts.cues import Cue
from transcripts.errors import LinkClosed, NothingToReview, RevisionMissing, TrackIsPublished
from transcripts.models import ReviewLink, Revision, TextTrack, TrackOrigin, TrackState
from transcripts.services.revisions import add_revision
from transcripts.services.tracks import change_cues, set_state

PURPOSE = "review"
LINK_DAYS = 30
MOST_LINKS = 20  # of one track that work at a time; more is a mistake or abuse


def assign_reviewer(
    *, track: TextTrack, email: str, name: str = "", language: str = "", user: User | None
) -> ReviewLink:
    """Mail a person a link that opens the editor for this one track; it works for 30 days.

    Whoever holds it may save and mark as reviewed, not publish. Asking the same address again ends the older link.

    Raises:
        NothingToReview: the track is empty.
        LinkClosed: too many people were asked already.
        notifications.errors.AddressRefused: the address cannot be written to; nothing is kept then.
    """
    if track.current_revision is None:
        raise NothingToReview(_("These subtitles are empty; there is nothing to review."))
    with transaction.atomic():
        live_links(track).filter(email__iexact=email).update(revoked_at=timezone.now())
        if live_links(track).count() >= MOST_LINKS:
            raise LinkClosed(
                _("%(count)s people were asked to review these subtitles already. End a link of theirs first.")
                % {"count": MOST_LINKS},
                field="email",
            )
        link = ReviewLink.objects.create(
            track=track,
            email=email,
            name=name.strip()[:200],
            language=language,
            created_by=user,
            expires_at=timezone.now() + timedelta(days=LINK_DAYS),
        )
        record_action(
            action="track.reviewer_assigned",
            target=track,
            organisation=track.asset.organisation,
            user=user,
            link=str(link.pk),  # not the address, which can be erased with the link
        )
        messages.send_review_invitation(link=link, address=review_address(link))
    return link


def live_links(track: TextTrack) -> "models.QuerySet[ReviewLink]":
    """Links that still open the editor."""
    return track.review_links.filter(revoked_at=None, expires_at__gt=timezone.now())


def review_address(link: ReviewLink) -> str:
    """The personal address of a reviewer."""
    token = links.make_token(purpose=PURPOSE, pk=link.pk, nonce=link.link_nonce)
    return f"{settings.BASE_URL}/review/{token}/"


def review_by_token(token: str) -> ReviewLink:
    """Return what a personal link opens.

    Raises:
        accounts.links.LinkExpired: its time is over, or it was revoked.
        accounts.links.LinkError: it opens nothing; see `accounts.links.read_token`.
    """
    rows = ReviewLink.objects.select_related("track__asset__organisation", "track__current_revision")
    link = links.read_token(purpose=PURPOSE, token=token, queryset=rows)
    if link.revoked_at is not None or link.expires_at <= timezone.now():
        raise links.LinkExpired(_("This link has expired. Ask for a new one."))
    return link


def revoke_review(*, link: ReviewLink, user: User | None) -> ReviewLink:
    """End a link. One that has ended already stays as it is."""
    with transaction.atomic():
        changed = ReviewLink.objects.filter(pk=link.pk, revoked_at=None).update(
            revoked_at=timezone.now(), link_nonce=random_nonce(), updated_at=timezone.now()
        )
        if changed:
            record_action(
                action="track.reviewer_revoked",
                target=link.track,
                organisation=link.track.asset.organisation,
                user=user,
                link=str(link.pk),
            )
    link.refresh_from_db()
    return link


def change_as_reviewer(
    *, link: ReviewLink, base_revision: int, changed: Sequence[Cue], removed: Sequence[str], session: str = ""
) -> Revision:
    """Store what somebody with a link wrote.

    Raises:
        TrackIsPublished: what is saved would be shown at once, which only an organiser decides.
        See `change_cues` for the rest.
    """
    _require_unpublished(link.track)
    return change_cues(
        track=link.track,
        base_revision=base_revision,
        changed=changed,
        removed=removed,
        user=None,
        review_link=link,
        session=session,
    )


def mark_reviewed(*, track: TextTrack, user: User | None = None, link: ReviewLink | None = None) -> TextTrack:
    """Say that a person has read it all. A reviewed or published track keeps its state.

    Raises:
        NothingToReview: the track is empty.
        TrackIsPublished: by link only; see `save_as_reviewer`.
    """
    if track.current_revision is None or not track.current_revision.cue_count:
        raise NothingToReview(_("These subtitles are empty; there is nothing to review."))
    if link is not None:
        _require_unpublished(track)
        ReviewLink.objects.filter(pk=link.pk).update(done_at=timezone.now(), updated_at=timezone.now())
    if track.state != TrackState.DRAFT:
        return track
    by = {"link": str(link.pk)} if link is not None else {}
    return set_state(track, TrackState.REVIEWED, "track.reviewed", user, **by)


def _require_unpublished(track: TextTrack) -> None:
    if TextTrack.objects.filter(pk=track.pk, state=TrackState.PUBLISHED).exists():
        raise TrackIsPublished(
            _("These subtitles are published by now, so only the organiser can change them. Write to the organiser.")
        )


def restore_revision(*, track: TextTrack, number: int, user: User | None) -> Revision:
    """Make an old state the current one again, as a new revision: nothing that came after it is lost.

    It counts as a person's decision, so no machine replaces it.

    Raises:
        RevisionMissing: there is no such revision.
    """
    old = track.revisions.filter(number=number).first()
    if old is None:
        raise RevisionMissing(_("There is no version %(number)s of these subtitles.") % {"number": number})
    if track.current_revision_id == old.pk:
        return old
    with transaction.atomic():
        revision = add_revision(
            track=track,
            cues=arithmetic.from_rows(old.cues),
            origin=TrackOrigin.PERSON,
            engine=old.engine,
            model=old.model,
            author=user,
        )
        record_action(
            action="track.restored",
            target=track,
            organisation=track.asset.organisation,
            user=user,
            revision=revision.number,
            restored=number,
        )
    return revision
