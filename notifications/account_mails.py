"""Mails about signing in, through the outbox like all others: kept when the mail server is away, never sent late."""

from datetime import timedelta
from typing import Any

from allauth.core import context as allauth_context
from django.contrib.sites.shortcuts import get_current_site
from django.utils import timezone
from django.utils.translation import get_language

from accounts.adapter import AccountAdapter
from notifications import services
from notifications.models import ACCOUNT, Message

WANTED_FOR = timedelta(minutes=30)  # after that whoever asked has asked again, and codes have expired


class OutboxAccountAdapter(AccountAdapter):
    """How signing in behaves, with mails that wait in the outbox."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        request = allauth_context.request
        values = {"request": request, "email": email, "current_site": get_current_site(request), **context}
        made = self.render_mail(template_prefix, email, values)
        services.send_written(
            purpose=ACCOUNT,
            about=template_prefix.rpartition("/")[2][:60],
            recipient_email=email,
            language=get_language() or "en",
            subject=str(made.subject),
            text=str(made.body),
        )


def is_still_wanted(message: Message) -> bool:
    """Not when whoever asked for it has long given up."""
    return timezone.now() - message.created_at < WANTED_FOR
