"""How signing in behaves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators and owners, not by strangers; registrants need none."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
