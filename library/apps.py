from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "library"

    def ready(self) -> None:
        from library import messages, receivers, updates, viewings  # noqa: F401  (receivers connect by being imported)
        from library.models import RecordingUpdate
        from work import kinds

        messages.register()
        kinds.register(
            kinds.WorkKind(
                name=updates.WORK_KIND,
                model=RecordingUpdate,
                handle=updates.run_update,
                queue=lambda _row: "media",
                after=updates.after_update,
            )
        )
        kinds.register_chore(viewings.forget_old_viewings)
