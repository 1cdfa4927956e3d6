from django.apps import AppConfig


class RegistrationConfig(AppConfig):
    name = "registration"

    def ready(self) -> None:
        from registration import announcements, messages, receivers  # noqa: F401  (receivers connect on import)
        from registration.models import Announcement
        from work import kinds

        kinds.register(
            kinds.WorkKind(
                name="registration.announcement",
                model=Announcement,
                handle=announcements.write_announcement,
                queue=lambda _announcement: "default",  # so that confirmations in "mail" do not wait for it
            )
        )
        messages.register_purposes()
