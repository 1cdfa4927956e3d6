"""What a search in subtitles costs: median and slowest of a set of queries over many published hours.

    DATABASE_URL=... python -m benchmarks.spoken_search [--talks 1000] [--runs 5] [--json]

Makes tracks of an hour each (9,000 words, drawn by Zipf's law from 20,000 made-up words of each of ten languages) in
the configured database inside one transaction, searches them, and rolls everything back. Without DATABASE_URL a
database of SQLite in a temporary folder is used; `--postgres` starts a private PostgreSQL.
"""

import argparse
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from typing import Any

# Letters of made-up words, by language; what has no spaces gets words of two letters.
ALPHABETS = {
    "en": "etaoinshrdlu", "fr": "esaitnrulodé", "de": "enisratdhulg", "ar": "اليمنروتبةعد", "ru": "оеаинтсрвлкм",
    "uk": "оанитвреслкм", "so": "aidoxhubsyqm", "fa": "اینردمهوتبسش", "tr": "aeirlıkdmnyü", "zh": "",
}  # fmt: skip
WORDS, SAID = 20_000, 9000
DIFFERENT = 20  # talks; the others repeat them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--talks", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--postgres", action="store_true", help="a private PostgreSQL")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server stays behind
    with tempfile.TemporaryDirectory() as folder:
        server = None
        if options.postgres:
            from tests.support.postgres import Postgres

            server = Postgres()
            os.environ["DATABASE_URL"] = server.start()
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/search.sqlite3")
        try:
            _measure(options)
        finally:
            if server is not None:
                from django.db import connection

                connection.close()
                server.stop()


def _measure(options: argparse.Namespace) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    call_command("migrate", verbosity=0)
    with transaction.atomic():
        vocabularies = {language: _vocabulary(language) for language in ALPHABETS}
        started = time.perf_counter()
        size = _fill(options.talks, vocabularies)
        filled = time.perf_counter() - started
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        rows = []
        for language, words in vocabularies.items():
            for name, query in (
                ("frequent", words[20]),
                ("middling", words[1000]),
                ("rare", words[9000]),
                ("two words", f"{words[200]} {words[1500]}"),
            ):
                rows.append({"language": language, "query": name, **_timed(query, options.runs)})
        transaction.set_rollback(True)
    if options.json:
        print(json.dumps({"database": connection.vendor, "talks": options.talks, "rows": rows}))
        return
    times = [row["ms"] for row in rows]
    print(
        f"{connection.vendor}: {options.talks} talks, {size / 1e6:.0f} MB of words, indexed in {filled:.0f} s "
        f"({1000 * filled / options.talks:.0f} ms each)\n"
        f"finding the tracks: median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms"
    )
    for row in rows:
        print(f"  {row['language']} {row['query']:10} {row['tracks']:5} tracks {row['ms']:7.1f} ms")


def _vocabulary(language: str) -> list[str]:
    random.seed(language)
    if not ALPHABETS[language]:
        return ["".join(chr(random.randrange(0x4E00, 0x5200)) for _ in range(2)) for _ in range(WORDS)]
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(random.choices(ALPHABETS[language], k=random.randint(3, 11)))] = None
    return list(found)


def _fill(talks: int, vocabularies: dict[str, list[str]]) -> int:
    from django.db import connection

    from accounts.models import Organisation
    from events.models import Webinar
    from library.models import Recording, RecordingState
    from media.models import Asset, Package
    from transcripts.models import Revision, TextTrack, TrackState, TrackText
    from transcripts.searching import store_tokens
    from transcripts.tokens import folded, tokens_of

    organisation = Organisation.objects.create(name="Benchmark", slug="benchmark")
    weights = [1 / (at + 3) for at in range(WORDS)]
    size = 0
    texts: list[tuple[str, list[str]]] = []
    for number in range(talks):
        language = list(vocabularies)[number % len(vocabularies)]
        if number < DIFFERENT:
            text = ("" if language == "zh" else " ").join(random.choices(vocabularies[language], weights, k=SAID))
            texts.append((folded(text), tokens_of(text, language=language)))
        webinar = Webinar.objects.create(
            organisation=organisation, title=f"Talk {number}", slug=f"talk-{number}", state="published",
            starts_at="2026-01-01T10:00Z", ends_at="2026-01-01T11:00Z",
        )  # fmt: skip
        asset = Asset.objects.create(organisation=organisation, duration_ms=3_600_000, size=0)
        asset.current_package = Package.objects.create(asset=asset, prefix=f"talk-{number}", state="complete")
        asset.save()
        Recording.objects.create(webinar=webinar, asset=asset, state=RecordingState.PUBLISHED)
        track = TextTrack.objects.create(asset=asset, language=language, kind="captions", state=TrackState.PUBLISHED)
        track.current_revision = Revision.objects.create(track=track, number=1, origin="person", cues=[], cue_count=1)
        track.save()
        words, found = texts[number % DIFFERENT]
        TrackText.objects.create(track=track, words=words)
        store_tokens(connection, str(track.pk), found)
        size += len(words.encode())
    return size


def _timed(query: str, runs: int) -> dict[str, Any]:
    from library import selectors

    times = []
    for _run in range(runs):
        started = time.perf_counter()
        # What the search page asks: how many there are, and the first of them.
        found = selectors.found_tracks(query)[: selectors.MOST_SPOKEN]
        count = len(found.values_list("pk"))
        times.append((time.perf_counter() - started) * 1000)
    return {"tracks": count, "ms": round(statistics.median(times), 1)}


if __name__ == "__main__":
    main()
