from typing import Any

from celery.signals import worker_process_shutdown
from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        from anymail.signals import tracking

        from accounts.personal_data import register
        from notifications import account_mails, delivery, purposes, webhooks  # models are not ready before
        from notifications.models import ACCOUNT, Message
        from notifications.personal_data import Mails, register_rules
        from work import kinds

        register(Mails())
        register_rules()
        kinds.register(
            kinds.WorkKind(
                name="notifications.message",
                model=Message,
                handle=delivery.deliver,
                queue=lambda message: "bulk" if message.is_bulk else "mail",
                after=delivery.settle,
                order=("is_bulk", "created_at"),
            )
        )
        purposes.register(ACCOUNT, account_mails.is_still_wanted)
        worker_process_shutdown.connect(_say_goodbye)
        tracking.connect(webhooks.hear)


def _say_goodbye(**_kwargs: Any) -> None:
    """A worker that ends does not leave the mail server waiting for its next mail."""
    from notifications.transmission import close_connections  # settings are not ready before

    close_connections()
