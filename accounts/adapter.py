"""How signing in behaves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts.client import client_address


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators and owners, not by strangers; registrants need none."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """What rate limits of signing in count by; a forged X-Forwarded-For changes nothing."""
        return client_address(request)


def login_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """The account that a try to sign in is counted for, whichever form it came from (django-axes)."""
    given = credentials or {}
    posted = request.POST.get("login", "") if request is not None else ""
    return str(given.get("email") or given.get("username") or posted).strip().lower()[:254]
