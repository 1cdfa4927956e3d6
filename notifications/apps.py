from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        from notifications import delivery  # models are not ready before
        from notifications.models import Message
        from work import kinds

        kinds.register(
            kinds.WorkKind(
                name="notifications.message",
                model=Message,
                handle=delivery.deliver,
                queue=lambda _message: "mail",
                after=delivery.settle,
            )
        )
