"""Registers this app's background work."""

from django.apps import AppConfig


class TranscriptsConfig(AppConfig):
    name = "transcripts"

    def ready(self) -> None:
        from transcripts.models import Renewal
        from transcripts.services import renewal
        from work import kinds

        kinds.register(
            kinds.WorkKind(
                name="transcripts.renewal",
                model=Renewal,
                handle=renewal.run_renewal,
                queue=lambda _row: "speech",
            )
        )
