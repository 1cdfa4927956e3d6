"""What became of a production, as one plain object for the command line and for programs."""

from typing import Any

from django.conf import settings
from django.urls import reverse

import transcripts.selectors
from library.models import Recording
from studio import selectors
from studio.models import Production


def summary(production: Production) -> dict[str, Any]:
    """Steps with state and seconds, renditions with size and bitrate, tracks with cue count, addresses.

    Sizes are bytes, bit rates kbit/s, durations seconds.
    """
    recording = Recording.objects.select_related("webinar", "asset__current_package").get(pk=production.recording_id)
    progress = selectors.production_progress(production)
    asset = recording.asset
    package = asset.current_package
    return {
        "webinar": recording.webinar.slug,
        "recording": str(recording.pk),
        "production": str(production.pk),
        "state": progress["state"],
        "duration_s": asset.duration_ms / 1000 if asset.duration_ms else None,
        "warnings": asset.warnings,
        "steps": [
            {key: step[key] for key in ("name", "state", "seconds", "attempt", "error")} for step in progress["steps"]
        ],
        "renditions": [
            {
                "name": rendition.name,
                "kind": rendition.kind,
                "size": rendition.size,
                "bitrate_kbps": round(rendition.average_bandwidth / 1000),
            }
            for rendition in (package.renditions.order_by("-height", "name") if package else [])
        ],
        "downloads": [
            {"kind": derivative.kind, "name": derivative.name, "size": derivative.size}
            for derivative in (package.derivatives.order_by("kind", "name") if package else [])
        ],
        "tracks": [
            {
                "language": track.language,
                "kind": track.kind,
                "state": track.state,
                "cues": track.current_revision.cue_count if track.current_revision else 0,
            }
            for track in transcripts.selectors.tracks_of(asset=asset)
        ],
        "addresses": {
            "webinar": _absolute("library:webinar", recording.webinar.slug),
            "watch": _absolute("library:watch", recording.webinar.slug),
        },
    }


def _absolute(name: str, slug: str) -> str:
    return f"{settings.BASE_URL}{reverse(name, args=[slug])}"
