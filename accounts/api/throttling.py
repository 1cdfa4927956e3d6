"""How often the API may be called: by one account, and by strangers from one address."""

import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import throttling
from rest_framework.request import Request

from accounts.client import client_network, is_too_often
from accounts.models import User

if TYPE_CHECKING:  # the framework imports this module while it makes APIView
    from rest_framework.views import APIView

WINDOW_S = 60
STRANGERS_SHARE = 10  # strangers get this fraction of what an account gets


class TooManyCalls(throttling.BaseThrottle):
    """Counts accounts by account, whatever their address, and everybody else by address."""

    message = _("Too many calls. Wait a minute.")

    def allow_request(self, request: Request, view: "APIView") -> bool:
        most: int = settings.API_PER_MINUTE
        if most == 0:
            return True
        if isinstance(request.user, User):
            return not is_too_often(action="api.account", key=str(request.user.pk), limit=most, window_s=WINDOW_S)
        limit = max(1, most // STRANGERS_SHARE)
        return not is_too_often(action="api.client", key=client_network(request), limit=limit, window_s=WINDOW_S)

    def wait(self) -> float:
        return WINDOW_S - time.time() % WINDOW_S
