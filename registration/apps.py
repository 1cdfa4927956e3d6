from django.apps import AppConfig


class RegistrationConfig(AppConfig):
    name = "registration"

    def ready(self) -> None:
        from accounts.personal_data import register as register_holder
        from registration import (  # noqa: F401  (receivers connect on import)
            announcements,
            attendance_imports,
            certificate_mails,
            certificates,
            imports,
            mail_kinds,
            messages,
            organiser_messages,
            personal_data,
            receivers,
            reminders,
            services,
        )
        from registration.models import Announcement, AttendanceImport, CertificateBatch, RegistrationImport
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
        kinds.register(
            kinds.WorkKind(
                name="registration.certificates",
                model=CertificateBatch,
                handle=certificates.make_certificates,
                queue=lambda _batch: "media",  # each takes half a second of a processor
                after=certificate_mails.tell,
            )
        )
        kinds.register(
            kinds.WorkKind(
                name=imports.WORK_KIND,
                model=RegistrationImport,
                handle=imports.run_import,
                queue=lambda _imported: "default",
            )
        )
        kinds.register_chore(services.remove_unproved)
        kinds.register_chore(imports.remove_unconfirmed)
        register_holder(personal_data.Registrations())
        personal_data.register_rules()
        messages.register_purposes()
        reminders.register()
        organiser_messages.register()
        mail_kinds.register()
        certificate_mails.register()
