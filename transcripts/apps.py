"""Registers this app's background work."""

from django.apps import AppConfig


class TranscriptsConfig(AppConfig):
    name = "transcripts"

    def ready(self) -> None:
        from django.db.models.signals import post_delete

        from accounts.personal_data import register
        from notifications import purposes
        from transcripts import messages, searching
        from transcripts.models import Renewal, TrackText, Waveform
        from transcripts.personal_data import Reviewers, register_rules
        from transcripts.services import renewal, waveform
        from work import kinds

        kinds.register(
            kinds.WorkKind(
                name="transcripts.renewal",
                model=Renewal,
                handle=renewal.run_renewal,
                queue=lambda _row: "speech",
            )
        )
        kinds.register(
            kinds.WorkKind(
                name=waveform.WORK_KIND,
                model=Waveform,
                handle=waveform.run_waveform,
                queue=lambda _row: "speech",
            )
        )
        register(Reviewers())
        register_rules()
        purposes.register(messages.REVIEW, messages.is_review_wanted)
        post_delete.connect(searching.forget_deleted, sender=TrackText)
