"""Asking a reviewer by mail, marking as reviewed, old states brought back, and sittings of an editor."""

import re
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from accounts import keeping
from accounts.links import LinkError, LinkExpired
from accounts.models import AuditEntry
from accounts.personal_data import Person
from notifications import purposes
from notifications.errors import AddressRefused
from notifications.models import Message
from tests.factories.accounts import UserFactory
from tests.factories.transcripts import CUES, TrackFactory
from transcripts import cues, selectors, services
from transcripts.cues import Cue
from transcripts.errors import EditConflict, NothingToReview, RevisionMissing, TrackIsPublished
from transcripts.models import ReviewLink, Revision, TextTrack, TrackOrigin, TrackState
from transcripts.personal_data import Reviewers
from transcripts.services.waveform import loudness

pytestmark = pytest.mark.django_db
FIRST = Cue("c1", 500, 3_700, "Thank you all.")


def token_of(link: ReviewLink) -> str:
    return services.review_address(link).rstrip("/").rpartition("/")[2]


def asked(track: TextTrack, email: str = "amal@example.org", **fields: Any) -> ReviewLink:
    return services.assign_reviewer(track=track, email=email, user=None, **fields)


def change(track: TextTrack, base: int, cue: Cue = FIRST, **more: Any) -> Revision:
    return services.change_cues(track=track, base_revision=base, changed=[cue], user=None, **more)


def test_a_reviewer_is_mailed_a_link_that_opens_the_track() -> None:
    track = TrackFactory()
    link = asked(track, name="Amal", language="ar")
    message = Message.objects.get()
    assert (message.recipient_email, message.language, message.purpose) == (
        "amal@example.org",
        "ar",
        "review_invitation",
    )
    mailed = re.search(r"/review/([^/]+)/", message.text)
    assert mailed is not None
    assert services.review_by_token(mailed[1]) == link
    assert AuditEntry.objects.get().action == "track.reviewer_assigned"


def test_asking_again_ends_the_older_link() -> None:
    track = TrackFactory()
    old, new = asked(track), asked(track, "AMAL@example.org")
    with pytest.raises(LinkExpired):
        services.review_by_token(token_of(old))
    assert services.review_by_token(token_of(new)) == new


def test_a_revoked_link_opens_nothing_and_its_mail_is_not_sent() -> None:
    link = asked(TrackFactory())
    token = token_of(link)
    services.revoke_review(link=link, user=None)
    with pytest.raises(LinkError):
        services.review_by_token(token)
    assert not purposes.is_still_wanted(Message.objects.get())


def test_a_link_ends_after_its_time() -> None:
    link = asked(TrackFactory())
    ReviewLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(LinkExpired):
        services.review_by_token(token_of(link))


def test_an_address_that_cannot_be_written_to_leaves_nothing() -> None:
    with pytest.raises(AddressRefused):
        asked(TrackFactory(), "amal@localhost@x")
    assert ReviewLink.objects.count() == 0


def test_an_empty_track_has_nothing_to_review() -> None:
    track = TrackFactory(cues=[])
    with pytest.raises(NothingToReview):
        asked(track)
    with pytest.raises(NothingToReview):
        services.mark_reviewed(track=track)


def test_a_reviewer_saves_and_marks_as_reviewed_under_their_name() -> None:
    track = TrackFactory()
    link = asked(track, name="Amal")
    revision = services.change_as_reviewer(link=link, base_revision=1, changed=[FIRST], removed=["c2"])
    assert [cue.text for cue in selectors.cues_of(TextTrack.objects.get())] == ["Thank you all."]
    assert selectors.author_of(revision) == "Amal"
    assert services.mark_reviewed(track=link.track, link=link).state == TrackState.REVIEWED
    assert ReviewLink.objects.get().done_at is not None
    assert AuditEntry.objects.get(action="track.reviewed").detail["link"] == str(link.pk)


def test_a_reviewer_cannot_change_what_viewers_see() -> None:
    link = asked(TrackFactory())
    TextTrack.objects.update(state=TrackState.PUBLISHED)
    with pytest.raises(TrackIsPublished):
        services.change_as_reviewer(link=link, base_revision=1, changed=[FIRST], removed=[])
    with pytest.raises(TrackIsPublished):
        services.mark_reviewed(track=link.track, link=link)
    assert Revision.objects.count() == 1


def test_marking_a_published_track_as_reviewed_leaves_it_published() -> None:
    track = TrackFactory(state=TrackState.PUBLISHED)
    assert services.mark_reviewed(track=track).state == TrackState.PUBLISHED


def test_an_old_state_comes_back_as_a_new_revision_of_a_person() -> None:
    track, user = TrackFactory(), UserFactory()
    change(track, 1)
    revision = services.restore_revision(track=track, number=1, user=user)
    assert (revision.number, revision.origin, revision.author) == (3, TrackOrigin.PERSON, user)
    assert cues.from_rows(revision.cues) == CUES
    assert track.revisions.count() == 3
    assert AuditEntry.objects.filter(action="track.restored").count() == 1


def test_restoring_what_is_not_there_is_refused() -> None:
    with pytest.raises(RevisionMissing):
        services.restore_revision(track=TrackFactory(), number=9, user=None)


def test_one_sitting_is_one_revision_and_one_entry() -> None:
    track = TrackFactory()
    for base, text in ((1, "One"), (2, "Two"), (3, "Three")):
        change(track, base, Cue("c1", 500, 3_700, text), session="abc")
    assert list(track.revisions.values_list("number", flat=True)) == [1, 4]
    assert AuditEntry.objects.filter(action="track.edited").count() == 1


def test_another_sitting_is_another_revision() -> None:
    track = TrackFactory()
    change(track, 1, session="abc")
    change(track, 2, Cue("c1", 500, 3_700, "Other"), session="def")
    assert track.revisions.count() == 3


def test_a_long_sitting_leaves_more_than_one_revision() -> None:
    track = TrackFactory()
    change(track, 1, session="abc")
    Revision.objects.update(created_at=timezone.now() - timedelta(minutes=16))
    change(track, 2, Cue("c1", 500, 3_700, "Later"), session="abc")
    assert track.revisions.count() == 3


def test_what_was_reviewed_or_published_stays_in_the_history() -> None:
    track = TrackFactory()
    change(track, 1, session="abc")
    services.mark_reviewed(track=track)
    change(track, 2, Cue("c1", 500, 3_700, "After"), session="abc")
    assert track.revisions.count() == 3


def test_a_change_to_a_revision_that_is_gone_is_a_conflict() -> None:
    track = TrackFactory()
    change(track, 1, session="abc")
    change(track, 2, Cue("c1", 500, 3_700, "Two"), session="abc")
    with pytest.raises(EditConflict) as caught:
        change(track, 2, Cue("c1", 500, 3_700, "Mine"))
    assert (caught.value.current_revision, caught.value.theirs[0]["text"]) == (3, "Two")


def test_a_reviewer_s_data_are_handed_out_and_forgotten() -> None:
    track = TrackFactory()
    link = asked(track, name="Amal")
    services.change_as_reviewer(link=link, base_revision=1, changed=[FIRST], removed=[])
    holder, person = Reviewers(), Person("AMAL@example.org", track.asset.organisation)
    assert [row["name"] for row in holder.export(person)] == ["Amal"]
    assert [known.email for known in holder.known()] == ["amal@example.org"]
    assert holder.erase(person) == 1
    assert track.revisions.count() == 2
    assert "amal" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


def test_ended_links_are_purged_after_their_time() -> None:
    track = TrackFactory()
    asked(track)
    rule = next(rule for rule in keeping.rules() if rule.name == "review_links")
    organisation = track.asset.organisation
    assert rule.purge(timezone.now(), organisation) == 0
    assert rule.purge(timezone.now() + timedelta(days=31), organisation) == 1


def test_stale_rows_show_what_the_source_said_and_says() -> None:
    source = TrackFactory(cues=[Cue("a", 0, 900, "Good morning.")])
    was = cues.content_hash([Cue("a", 0, 900, "Good morning.")])
    made = [Cue("x", 0, 900, "Bonjour.", source_ids=("a",), source_hash=was)]
    track = TrackFactory(asset=source.asset, language="fr", kind="subtitles", source_track=source, cues=made)
    change(source, 1, Cue("a", 0, 900, "Good evening."))
    (row,) = selectors.stale_rows_of(TextTrack.objects.get(pk=track.pk))
    assert (row.cue.id, row.was, row.now) == ("x", "Good morning.", "Good evening.")


def test_loudness_is_the_loudest_sample_of_each_50_ms() -> None:
    samples = np.zeros(16_000 // 10 + 10, dtype=np.float32)
    samples[5], samples[900], samples[-1] = 0.5, -1.2, 0.1
    assert list(loudness(samples)) == [128, 255, 26]
    assert loudness(np.zeros(0, dtype=np.float32)) == b""
