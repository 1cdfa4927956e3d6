"""What changed between two states of a track."""

from dataclasses import replace

from transcripts.cues import Cue, changes, patched
from transcripts.cues.comparing import Piece, pieces

ONE, TWO, THREE = Cue("a", 0, 900, "Good day."), Cue("b", 1000, 1900, "Access to care."), Cue("c", 2000, 2900, "Bye.")


def test_cues_that_say_the_same_are_not_named() -> None:
    assert changes([ONE, TWO], [ONE, TWO]) == []


def test_each_kind_of_change_is_named_in_order_of_time() -> None:
    new = [replace(ONE, text="Good night."), replace(TWO, end_ms=1950), Cue("d", 3000, 3900, "More.")]
    assert [(one.kind, one.start_ms) for one in changes([ONE, TWO, THREE], new)] == [
        ("changed", 0),
        ("moved", 1000),
        ("removed", 2000),
        ("added", 3000),
    ]


def test_words_that_differ_are_marked_on_both_sides() -> None:
    before, after = pieces("Access to care, now.", "Access for care, now.")
    assert before == (Piece("Access ", False), Piece("to", True), Piece(" care, now.", False))
    assert after == (Piece("Access ", False), Piece("for", True), Piece(" care, now.", False))


def test_scripts_without_spaces_are_compared_by_the_letter() -> None:
    assert [piece.text for piece in pieces("大家好", "大家早")[1] if piece.is_changed] == ["早"]


def test_a_file_imported_anew_is_compared_by_its_times() -> None:
    (change,) = changes([TWO], [replace(TWO, id="new", text="Access to health.")])
    assert (change.kind, change.old, change.new) == ("changed", TWO, replace(TWO, id="new", text="Access to health."))


def test_a_patch_changes_adds_and_removes() -> None:
    now = patched([ONE, TWO, THREE], [replace(TWO, text="Care."), Cue("n", 950, 990, "New.")], ["c", "unknown"])
    assert now == [ONE, replace(TWO, text="Care."), Cue("n", 950, 990, "New.")]
