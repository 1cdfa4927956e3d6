"""How signing in behaves."""

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
