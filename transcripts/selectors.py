"""Reads of text tracks that pages, API, pipeline and exports share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from media.models import Asset
from media.timeline import WHOLE, Window
from transcripts import cues as arithmetic
from transcripts import engines, languages, quality, translators
from transcripts.cues import Cue, ReadingRules
from transcripts.glossary import Term
from transcripts.languages import Language
from transcripts.models import GlossaryTerm, Revision, SpeechMap, TextTrack, TrackKind, TrackOrigin, TrackState
from transcripts.quality import Finding, Interval

MOST_LOOKED_THROUGH = 40  # revisions of a source, for what it said before
MACHINE_ORIGINS = (TrackOrigin.MACHINE, TrackOrigin.TRANSLATED)


def tracks_of(*, asset: Asset) -> "QuerySet[TextTrack]":
    """All text tracks of an asset with their current revisions: captions first, then by language."""
    return asset.tracks.select_related("current_revision").order_by("kind", "language")


def published_tracks(*, asset: Asset) -> list[TextTrack]:
    """What viewers get: captions first, then subtitles in the order of their languages' own names.

    Never two tracks in one language: where captions and subtitles are in the same, the captions are meant.
    """
    found: dict[str, TextTrack] = {}
    for track in tracks_of(asset=asset).filter(state=TrackState.PUBLISHED, current_revision__cue_count__gt=0):
        found.setdefault(track.language, track)
    return sorted(
        found.values(), key=lambda track: (track.kind != TrackKind.CAPTIONS, autonym(track.language).casefold())
    )


def captions_of(*, asset: Asset, language: str = "") -> TextTrack | None:
    """The captions to translate from: those in the language if there are any, else the furthest reviewed ones."""
    rank = Case(
        When(state=TrackState.PUBLISHED, then=Value(0)),
        When(state=TrackState.REVIEWED, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    found = list(tracks_of(asset=asset).filter(kind=TrackKind.CAPTIONS).order_by(rank, "created_at"))
    same = [track for track in found if language and languages.is_known(language) and _same(track.language, language)]
    exact = [track for track in same if track.language == language]
    return next(iter([*exact, *same, *found]), None)


def cues_of(track: TextTrack, *, window: Window = WHOLE) -> list[Cue]:
    """The cues of the current revision; none if there is no revision.

    Args:
        window: the stretch of the source that viewers see: cues outside it are left out, the others moved and clipped.
    """
    cues = arithmetic.from_rows(track.current_revision.cues) if track.current_revision else []
    if window.is_whole:
        return cues
    spans = ((cue, window.span(cue.start_ms, cue.end_ms)) for cue in cues)
    return [replace(cue, start_ms=span[0], end_ms=span[1]) for cue, span in spans if span is not None]


def reading_rules(language: str) -> ReadingRules:
    """The reading rules for a language, with the operator's own values (SUBTITLE_RULES)."""
    return arithmetic.rules_for(language, settings.SUBTITLE_RULES)


def speech_of(asset: Asset) -> list[Interval] | None:
    """When somebody speaks in an asset; None if nobody has listened yet."""
    found = SpeechMap.objects.filter(asset=asset).values_list("intervals", flat=True).first()
    return None if found is None else [(start, end) for start, end in found]


def quality_of(track: TextTrack, cues: Sequence[Cue] | None = None) -> list[Finding]:
    """The quality report of a track, or of cues that somebody means to save there."""
    source = track.source_track
    return quality.report(
        cues_of(track) if cues is None else cues,
        language=track.language,
        speech=speech_of(track.asset),
        source=cues_of(source) if source is not None else None,
        duration_ms=track.asset.duration_ms or None,
        rules=reading_rules(track.language),
    )


def worded_finding(finding: Finding) -> str:
    """A finding in the reader's language."""
    return _(finding.template) % finding.facts


def finding_rows(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Findings as JSON, for API, page and command alike."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity,
            "cue_id": finding.cue_id,
            "start_ms": finding.facts["start_ms"],
            "end_ms": finding.facts["end_ms"],
            "text": worded_finding(finding),
            "facts": finding.facts,
        }
        for finding in findings
    ]


def stale_cues_of(track: TextTrack) -> list[Cue]:
    """The cues of a translation whose source cues were changed since."""
    if track.source_track is None:
        return []
    return arithmetic.stale_cues(cues_of(track), cues_of(track.source_track))


def former_sources_of(track: TextTrack, stale: Iterable[Cue]) -> dict[str, str]:
    """What the source said when stale cues were translated, by the id of the translated cue.

    The newest revisions of the source are looked through; a text that none of them has is left out.
    """
    wanted = {cue.id: cue for cue in stale}
    found: dict[str, str] = {}
    if track.source_track is None:
        return found
    for revision in track.source_track.revisions.order_by("-number")[:MOST_LOOKED_THROUGH]:
        if not wanted:
            break
        by_id = {cue.id: cue for cue in arithmetic.from_rows(revision.cues)}
        for pk, cue in list(wanted.items()):
            said = [by_id[name] for name in cue.source_ids if name in by_id]
            if arithmetic.content_hash(said) == cue.source_hash:
                found[pk] = "\n".join(one.plain_text for one in said)
                del wanted[pk]
    return found


@dataclass(frozen=True)
class StaleCue:
    """A translated cue whose source was changed since.

    Attributes:
        was: what the source said when it was translated; "" if that is not kept any more.
        now: what it says now; "" if those cues are gone.
    """

    cue: Cue
    was: str
    now: str


def stale_rows_of(track: TextTrack) -> list[StaleCue]:
    """Stale cues with the source's old and new words, to be held side by side."""
    stale = stale_cues_of(track)
    if not stale or track.source_track is None:
        return []
    was = former_sources_of(track, stale)
    by_id = {cue.id: cue for cue in cues_of(track.source_track)}
    return [
        StaleCue(
            cue,
            was.get(cue.id, ""),
            "\n".join(by_id[name].plain_text for name in cue.source_ids if name in by_id),
        )
        for cue in stale
    ]


def author_of(revision: Revision) -> str:
    """Who wrote a revision: the person's name or address, that of whoever held a link, or nothing for a machine."""
    if revision.author is not None:
        return revision.author.name or revision.author.email
    if revision.review_link is not None:
        return revision.review_link.name or revision.review_link.email
    return ""


def title_of(track: TextTrack, language: str) -> str:
    """The webinar's title, or the file's name for a file that is no recording of one."""
    # Reached by the names of library's relations, since this app must not import that one.
    recording = getattr(track.asset, "recording", None)
    return str(recording.webinar.title.localize(language)) if recording is not None else track.asset.file_name


def history_of(track: TextTrack) -> "QuerySet[Revision]":
    """All revisions without their cues, newest first, with who wrote them."""
    return track.revisions.defer("cues").select_related("author", "review_link").order_by("-number")


def glossary_of(asset: Asset) -> list[Term]:
    """The terms for an asset: its webinar's own, then its organisation's that the webinar does not define anew."""
    # The webinar is reached by the names of library's relations, since this app must not import that one.
    own = Q(webinar__recordings__asset=asset)
    rows = GlossaryTerm.objects.filter(own | Q(organisation=asset.organisation, webinar=None)).distinct()
    found: dict[str, Term] = {}
    for row in sorted(rows, key=lambda row: row.webinar_id is None):
        found.setdefault(row.term.casefold(), Term(row.term, row.renderings, row.is_kept))
    return list(found.values())


def unused_machine_revision(track: TextTrack) -> Revision | None:
    """A machine's newer revision that did not replace a person's work, if there is one."""
    current = track.current_revision
    if current is None or current.origin in MACHINE_ORIGINS:
        return None
    newer = track.revisions.filter(origin__in=MACHINE_ORIGINS, number__gt=current.number)
    return newer.order_by("number").last()


def notes_of(revision: Revision) -> list[str]:
    """What was left out, changed or guessed when a revision was made, in the reader's language."""
    return [worded(note) for note in revision.notes]


def worded(note: dict[str, object]) -> str:
    """One note of `Revision.notes` in the reader's language."""
    facts = note["facts"]
    assert isinstance(facts, dict)
    message = _(str(note["template"])) % facts
    if note["line"] is None:
        return message
    return _("Line %(line)s: %(message)s") % {"line": note["line"], "message": message}


def autonym(tag: str) -> str:
    """A language's own name; the tag itself for one that has left the table."""
    return languages.get(tag).autonym if languages.is_known(tag) else tag


def _same(one: str, other: str) -> bool:
    return languages.primary(one) == languages.primary(other)


PIVOTS = ("en", "fr", "es", "ar", "ru")  # a translator that knows a language knows the way to or from one of these


@dataclass(frozen=True)
class Ability:
    """What the configured engines can do with a language; a person can upload and edit any."""

    language: Language
    can_recognise: bool
    can_translate_from: bool
    can_translate_into: bool


def abilities() -> list[Ability]:
    """Every language of the table, in the order of the autonyms. Loads no model."""
    return [
        Ability(
            language,
            engines.can_transcribe(language.tag),
            any(translation_is_possible(language.tag, other) for other in PIVOTS if other != language.tag),
            any(translation_is_possible(other, language.tag) for other in PIVOTS if other != language.tag),
        )
        for language in sorted(languages.every(), key=lambda one: one.autonym.casefold())
    ]


def translation_is_possible(source: str, target: str, *, otherwise: bool = False) -> bool:
    """True if the configured translator, or Whisper where there is none, can do it. Loads nothing.

    Args:
        otherwise: the answer while a translation server cannot be reached.
    """
    return translators.can_translate(source, target, otherwise=otherwise) or whisper_must_translate(source, target)


def beyond_engines(*, asset: Asset, spoken: str, wanted: Iterable[str]) -> list[Language]:
    """Wanted languages in which there are no subtitles yet and no configured engine can write any: a person must.

    Args:
        spoken: the language of the captions, which are wanted too.
    """
    there = {languages.primary(tag) for tag in asset.tracks.values_list("language", flat=True)}
    missing = [tag for tag in dict.fromkeys([spoken, *wanted]) if languages.is_known(tag)]
    return [
        languages.get(tag)
        for tag in missing
        if languages.primary(tag) not in there
        and not (
            engines.can_transcribe(tag) if _same(tag, spoken) else translation_is_possible(spoken, tag, otherwise=True)
        )
    ]


def whisper_must_translate(source: str, target: str) -> bool:
    """True if Whisper itself must and can: it writes in English what is said in its languages.

    Only where no translator is configured, which would be better at it. English-only, `turbo` and the demo's models
    were not taught it.
    """
    if settings.TRANSLATION_ENGINE != "none" or not languages.is_known(source) or not languages.is_known(target):
        return False
    model = settings.WHISPER_MODEL
    is_taught = not model.endswith(".en") and "turbo" not in model and not engines.is_demo(model)
    is_english = languages.primary(target) == "en" != languages.primary(source)
    return is_english and is_taught and engines.can_transcribe(source)
