from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import keeping, personal_data, services  # models are not ready before
        from accounts.models import Purge
        from work import kinds

        kinds.register(
            kinds.WorkKind(name=keeping.WORK_KIND, model=Purge, handle=keeping.run, queue=lambda _purge: "default")
        )
        kinds.register_chore(services.forget_idempotent_answers)
        kinds.register_chore(keeping.start_nightly)
        keeping.register_own()
        personal_data.register(personal_data.Accounts())
