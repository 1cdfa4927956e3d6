from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import services  # models are not ready before
        from work import kinds

        kinds.register_chore(services.forget_idempotent_answers)
