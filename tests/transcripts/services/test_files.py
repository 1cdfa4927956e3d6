from pathlib import Path

import pytest
from django.utils import translation

from accounts.models import AuditEntry
from tests.factories.accounts import UserFactory
from tests.factories.media import AssetFactory
from tests.factories.transcripts import TrackFactory
from transcripts import formats, selectors, services
from transcripts.errors import FileUnreadable, FormatUnknown, LanguageUnknown, TranscriptError, WrongScript
from transcripts.models import TextTrack, TrackOrigin

pytestmark = pytest.mark.django_db
SRT = "1\n00:00:00,000 --> 00:00:01,000\nBonjour à tous\n"


def upload(data: bytes | str = SRT, *, language: str = "fr", kind: str = "subtitles", name: str = "x.srt") -> TextTrack:
    payload = data.encode() if isinstance(data, str) else data
    return services.import_track(
        asset=AssetFactory(duration_ms=60_000),
        language=language,
        kind=kind,
        data=payload,
        file_name=name,
        user=UserFactory(),
    )


def test_file_becomes_the_current_revision_and_is_recorded() -> None:
    track = upload()
    assert [cue.text for cue in selectors.cues_of(track)] == ["Bonjour à tous"]
    revision = track.current_revision
    assert revision is not None
    assert (revision.number, revision.origin, revision.notes) == (1, TrackOrigin.UPLOADED, [])
    assert revision.author is not None
    entry = AuditEntry.objects.get(target_id=str(track.pk))
    assert (entry.action, entry.user, entry.organisation) == (
        "track.imported",
        revision.author,
        track.asset.organisation,
    )


def test_upload_replaces_what_the_machine_and_people_wrote() -> None:
    track = TrackFactory(language="fr", kind="subtitles")
    services.import_track(
        asset=track.asset, language="FR", kind="subtitles", data=SRT.encode(), file_name="x.srt", user=None
    )
    track.refresh_from_db()
    assert track.current_revision.number == 2


def test_languages_that_no_engine_knows_can_be_uploaded() -> None:
    assert upload("WEBVTT\n\n00:01.000 --> 00:02.000\nI ni ce\n", language="bm").language == "bm"


def test_what_was_wrong_is_kept_in_words() -> None:
    track = upload(SRT + "\n2\n00:00:09,000 --> 00:00:01,000\nx\n\n3\n00:02:00,000 --> 00:02:01,000\nTard\n")
    assert track.current_revision is not None
    assert selectors.notes_of(track.current_revision) == [
        "Line 6: The subtitle ends when or before it starts; it was left out.",
        "1 subtitles start after the end of the recording.",
    ]


@pytest.mark.parametrize("language", ["", "xx", "french", "fr--FR", "a" * 300])
def test_unknown_language_is_refused(language: str) -> None:
    with pytest.raises(LanguageUnknown) as caught:
        upload(language=language)
    assert caught.value.field == "language"


def test_text_in_letters_of_another_language_is_refused() -> None:
    with pytest.raises(WrongScript, match="français"):
        upload("WEBVTT\n\n00:01.000 --> 00:02.000\nمرحبا بكم\n")
    assert not TextTrack.objects.exists()


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(TranscriptError) as caught:
        upload(kind="karaoke")
    assert caught.value.code == "kind_unknown"


@pytest.mark.parametrize(
    ("data", "code", "status"),
    [("nothing here", "not_subtitles", 400), ("", "empty", 400), (b"x" * (formats.MAX_BYTES + 1), "too_large", 413)],
)
def test_unusable_file_is_refused_at_its_field(data: bytes | str, code: str, status: int) -> None:
    with pytest.raises(FileUnreadable) as caught:
        upload(data)
    assert (caught.value.code, caught.value.field, caught.value.status) == (code, "file", status)


def test_every_file_of_the_corpus_is_stored_or_refused(corpus: Path) -> None:
    for path in sorted((corpus / "subtitles").iterdir()):
        language = {"rtl_bidi.vtt": "ar", "utf16_bom.srt": "uk"}.get(path.name, "en")
        try:
            track = upload(path.read_bytes(), language=language, name=path.name)
        except FileUnreadable:
            continue
        assert selectors.cues_of(TextTrack.objects.get(pk=track.pk))


@pytest.mark.parametrize("file_format", ["vtt", "srt", "txt", "html"])
def test_track_is_exported(file_format: str) -> None:
    text = services.export_track(track=TrackFactory(), format=file_format)
    assert "Thank you for your attention, and see you next week." in text


def test_unknown_format_is_refused() -> None:
    with pytest.raises(FormatUnknown):
        services.export_track(track=TrackFactory(), format="docx")


def test_notes_follow_the_readers_language() -> None:
    track = upload(SRT + "\n2\n00:00:09,000 --> 00:00:01,000\nx\n")
    assert track.current_revision is not None
    with translation.override("fr"):
        assert len(selectors.notes_of(track.current_revision)) == 1
