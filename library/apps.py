from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "library"

    def ready(self) -> None:
        from library import messages, viewings
        from work import kinds

        messages.register_purposes()
        kinds.register_chore(viewings.forget_old_viewings)
