"""Who is asking, as far as an address tells, and how often."""

import ipaddress
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's address: the peer's, or what the outermost of our own TRUSTED_PROXIES proxies saw.

    Each proxy appends the address it was called from to X-Forwarded-For, so only that many entries, counted from the
    right, are facts; what stands left of them is whatever the client wrote.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    if settings.TRUSTED_PROXIES < 1:
        return peer
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    return seen[-settings.TRUSTED_PROXIES] if len(seen) >= settings.TRUSTED_PROXIES else peer


def client_network(request: HttpRequest) -> str:
    """What to count a client by: its IPv4 address, or the /64 network that one IPv6 customer usually holds."""
    address = client_address(request)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:45]
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def is_too_often(*, action: str, key: str, limit: int, window_s: int = 300) -> bool:
    """Count one more try of `action` by `key`; True once there were more than `limit` in the running window.

    Windows follow the clock, so twice the limit is possible around the turn of one.
    """
    name = f"often.{action}.{key}.{int(time.time()) // window_s}".replace(" ", "_")
    cache.add(name, 0, timeout=2 * window_s)
    try:
        return cache.incr(name) > limit
    except ValueError:  # it went between the two calls: an emptied cache
        return False
