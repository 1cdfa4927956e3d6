"""A full-text index of what is said: a tsvector with a GIN index on PostgreSQL, a table of FTS5 on SQLite."""

from typing import Any

from django.db import migrations


def create_index(_apps: Any, schema_editor: Any) -> None:
    """Neither is a field that Django knows on all databases, so they are made by hand."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE transcripts_tracktext ADD COLUMN tokens tsvector")
        schema_editor.execute("CREATE INDEX transcripts_tracktext_tokens ON transcripts_tracktext USING gin (tokens)")
    elif schema_editor.connection.vendor == "sqlite":
        # Whatever is not white space is part of a token: they come ready-made.
        schema_editor.execute(
            "CREATE VIRTUAL TABLE transcripts_trackindex USING fts5("
            "track_id UNINDEXED, tokens, detail=none, prefix='2 3', "
            "tokenize=\"unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'\")"
        )


def drop_index(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE transcripts_tracktext DROP COLUMN tokens")
    elif schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE transcripts_trackindex")


def index_published(apps: Any, schema_editor: Any) -> None:
    """What is published goes into the index; words of anything else are kept no longer."""
    from transcripts.markup import plain
    from transcripts.searching import store_tokens
    from transcripts.tokens import folded, tokens_of

    TextTrack, TrackText = apps.get_model("transcripts", "TextTrack"), apps.get_model("transcripts", "TrackText")
    TrackText.objects.exclude(track__state="published").delete()
    published = TextTrack.objects.filter(state="published").exclude(current_revision=None)
    for track in published.select_related("current_revision").iterator(chunk_size=20):
        text = " ".join(plain(row["text"]) for row in track.current_revision.cues)
        TrackText.objects.update_or_create(track=track, defaults={"words": folded(text)})
        store_tokens(schema_editor.connection, str(track.pk), tokens_of(text, language=track.language))


class Migration(migrations.Migration):
    # PostgreSQL changes no table that has rows changed in the same transaction waiting for their foreign keys' checks.
    atomic = False

    dependencies = [("transcripts", "0004_words_for_search")]

    operations = [
        migrations.RunPython(create_index, drop_index),
        migrations.RunPython(index_published, migrations.RunPython.noop),
    ]
