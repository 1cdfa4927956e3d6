import threading

import pytest
from django.db import connection

from accounts.models import AuditEntry
from tests.factories.accounts import UserFactory
from tests.factories.media import AssetFactory
from tests.factories.transcripts import CUES, RevisionFactory, TrackFactory
from transcripts import cues, selectors, services
from transcripts.cues import MAX_CUE_CHARS, Cue
from transcripts.errors import CuesInvalid, EditConflict, NothingToPublish
from transcripts.models import Revision, TextTrack, TrackKind, TrackOrigin, TrackState
from transcripts.services.revisions import add_revision

pytestmark = pytest.mark.django_db
EDITED = [Cue("c1", 500, 3_700, "Thank you all.", "Ann", is_corrected=True)]


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_edit_becomes_current_and_the_old_revision_stays() -> None:
    track, user = TrackFactory(), UserFactory()
    revision = services.save_cues(track=track, base_revision=1, cues=EDITED, user=user)
    assert (revision.number, revision.origin, revision.author) == (2, TrackOrigin.PERSON, user)
    assert selectors.cues_of(TextTrack.objects.get()) == EDITED
    assert cues.from_rows(track.revisions.get(number=1).cues) == CUES
    assert actions() == ["track.edited"]


def test_second_editor_is_told_and_both_texts_survive() -> None:
    track = TrackFactory()
    services.save_cues(track=track, base_revision=1, cues=EDITED, user=None)
    mine = [Cue("c1", 500, 3_700, "Thanks.")]
    with pytest.raises(EditConflict) as caught:
        services.save_cues(track=TextTrack.objects.get(), base_revision=1, cues=mine, user=None)
    error = caught.value
    assert (error.status, error.current_revision) == (409, 2)
    assert (error.theirs, error.yours) == (cues.to_rows(EDITED), cues.to_rows(mine))
    assert selectors.cues_of(TextTrack.objects.get()) == EDITED


def test_a_machines_unused_revision_is_no_conflict() -> None:
    track = TrackFactory()
    services.save_cues(track=track, base_revision=1, cues=EDITED, user=None)
    add_revision(track=track, cues=CUES[:1], origin=TrackOrigin.MACHINE)
    assert services.save_cues(track=track, base_revision=2, cues=CUES, user=None).number == 4


def test_first_edit_of_an_empty_track_begins_from_nothing() -> None:
    track = TrackFactory(cues=[])
    assert services.save_cues(track=track, base_revision=0, cues=EDITED, user=None).number == 1


def test_saved_text_is_brought_to_normal_form() -> None:
    track = TrackFactory()
    hostile = [Cue("b", 2_000, 3_000, "<script>x</script> <b>bold\n\n & more"), Cue("a", 0, 900, "<v Bo>Hi</v>")]
    services.save_cues(track=track, base_revision=1, cues=hostile, user=None)
    assert [(cue.text, cue.speaker) for cue in selectors.cues_of(track)] == [
        ("Hi", "Bo"),
        ("x <b>bold\n&amp; more</b>", ""),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        Cue("a", 1000, 1000, "x"),
        Cue("a", -5, 1000, "x"),
        Cue("a", 0, 10**12, "x"),
        Cue("a", 0, 1000, " <b></b> "),
        Cue("a", 0, 1000, "x" * (MAX_CUE_CHARS + 1)),
    ],
)
def test_impossible_cue_is_refused_with_its_number(bad: Cue) -> None:
    track = TrackFactory()
    with pytest.raises(CuesInvalid) as caught:
        services.save_cues(track=track, base_revision=1, cues=[*EDITED, bad], user=None)
    assert caught.value.facts["number"] == 2
    assert track.revisions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_editors_who_save_at_once_exactly_one_wins() -> None:
    track = TrackFactory()
    outcomes: list[str] = []
    barrier = threading.Barrier(6)

    def save(number: int) -> None:
        try:
            barrier.wait()
            mine = [Cue("c1", 0, 1000, f"Version {number}")]
            services.save_cues(track=TextTrack.objects.get(pk=track.pk), base_revision=1, cues=mine, user=None)
            outcomes.append("saved")
        except EditConflict:
            outcomes.append("conflict")
        finally:
            connection.close()

    run_at_once(save, 6)
    assert sorted(outcomes) == ["conflict"] * 5 + ["saved"]
    assert Revision.objects.filter(track=track).count() == 2


@pytest.mark.django_db(transaction=True)
def test_revisions_written_at_once_all_get_a_number() -> None:
    track = TrackFactory(cues=[])
    barrier = threading.Barrier(6)

    def write(number: int) -> None:
        try:
            barrier.wait()
            add_revision(
                track=TextTrack.objects.get(pk=track.pk),
                cues=[Cue("a", 0, 1000, f"Version {number}")],
                origin=TrackOrigin.UPLOADED if number else TrackOrigin.MACHINE,
            )
        finally:
            connection.close()

    run_at_once(write, 6)
    numbers = Revision.objects.filter(track=track).order_by("number").values_list("number", flat=True)
    assert list(numbers) == [1, 2, 3, 4, 5, 6]
    track.refresh_from_db()
    assert track.current_revision.origin == TrackOrigin.UPLOADED


def run_at_once(work: object, count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]  # type: ignore[arg-type]  # a plain function
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)


def test_publishing_shows_a_track_once() -> None:
    track = TrackFactory()
    assert selectors.published_tracks(asset=track.asset) == []
    services.publish_track(track=track, user=None)
    services.publish_track(track=track, user=None)
    assert selectors.published_tracks(asset=track.asset) == [track]
    assert actions() == ["track.published"]


def test_empty_track_cannot_be_published() -> None:
    for track in (TrackFactory(cues=[]), TrackFactory(language="fr", cues=[])):
        with pytest.raises(NothingToPublish):
            services.publish_track(track=track, user=None)


def test_unpublishing_hides_a_track() -> None:
    track = services.publish_track(track=TrackFactory())
    services.unpublish_track(track=track)
    services.unpublish_track(track=track)
    assert selectors.published_tracks(asset=track.asset) == []
    assert track.state == TrackState.DRAFT
    assert actions() == ["track.published", "track.unpublished"]


def test_published_tracks_come_captions_first_and_one_per_language() -> None:
    captions = TrackFactory(state=TrackState.PUBLISHED)
    for language, kind in (("uk", "subtitles"), ("ar", "subtitles"), ("fr", "subtitles"), ("en", "subtitles")):
        TrackFactory(asset=captions.asset, language=language, kind=kind, state=TrackState.PUBLISHED)
    found = selectors.published_tracks(asset=captions.asset)
    assert [(track.language, track.kind) for track in found] == [
        ("en", "captions"),
        ("fr", "subtitles"),
        ("uk", "subtitles"),
        ("ar", "subtitles"),
    ]


def test_deleting_a_track_leaves_its_translations() -> None:
    source = TrackFactory()
    TrackFactory(asset=source.asset, language="fr", kind="subtitles", source_track=source)
    services.delete_track(track=source, user=None)
    assert [track.language for track in TextTrack.objects.all()] == ["fr"]
    assert Revision.objects.count() == 1
    assert actions() == ["track.deleted"]


def test_number_of_a_revision_is_unique_in_its_track() -> None:
    track = TrackFactory()
    RevisionFactory(track=track, number=2)
    assert add_revision(track=track, cues=CUES[:1], origin=TrackOrigin.PERSON).number == 3


def test_a_translation_by_hand_begins_with_the_captions_to_overwrite() -> None:
    source = TrackFactory()
    track = services.begin_track(asset=source.asset, language="bm", kind=TrackKind.SUBTITLES, user=None)
    begun, captions = selectors.cues_of(track), selectors.cues_of(source)
    assert [cue.text for cue in begun] == [cue.text for cue in captions]
    assert [cue.source_ids for cue in begun] == [(cue.id,) for cue in captions]
    assert (track.state, track.source_track) == (TrackState.DRAFT, source)
    codes = {finding.code for finding in selectors.quality_of(track)}
    assert ("untranslated" in codes, "stale" in codes) == (True, False)


def test_a_track_that_has_subtitles_is_not_begun_again() -> None:
    track = TrackFactory()
    again = services.begin_track(asset=track.asset, language="en", kind=track.kind, user=None)
    assert (again, again.revisions.count()) == (track, 1)


def test_captions_by_hand_begin_empty() -> None:
    track = services.begin_track(asset=AssetFactory(), language="wo", kind=TrackKind.CAPTIONS, user=None)
    assert (track.current_revision, actions()) == (None, ["track.begun"])


def test_languages_that_only_a_person_can_write_are_named_until_there_is_a_track() -> None:
    asset, wanted = TrackFactory().asset, ["fr", "bm", "wo-SN", "xx"]
    assert [one.tag for one in selectors.beyond_engines(asset=asset, spoken="en", wanted=wanted)] == ["bm", "wo-SN"]
    services.begin_track(asset=asset, language="bm", kind=TrackKind.SUBTITLES, user=None)
    assert [one.tag for one in selectors.beyond_engines(asset=asset, spoken="en", wanted=wanted)] == ["wo-SN"]
    assert [one.tag for one in selectors.beyond_engines(asset=AssetFactory(), spoken="ff", wanted=[])] == ["ff"]
