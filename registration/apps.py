from django.apps import AppConfig


class RegistrationConfig(AppConfig):
    name = "registration"

    def ready(self) -> None:
        from registration import announcements, attendance_imports, messages, organiser_messages, receivers, reminders  # noqa: F401  (receivers connect on import)
        from registration.models import Announcement, AttendanceImport
        from work import kinds

        kinds.register(
            kinds.WorkKind(
                name="registration.announcement",
                model=Announcement,
                handle=announcements.write_announcement,
                queue=lambda _announcement: "default",  # so that confirmations in "mail" do not wait for it
            )
        )
        kinds.register(
            kinds.WorkKind(
                name="registration.attendance_import",
                model=AttendanceImport,
                handle=attendance_imports.count_import,
                queue=lambda _imported: "default",
            )
        )
        messages.register_purposes()
        reminders.register()
        organiser_messages.register()
