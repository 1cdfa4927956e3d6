"""Where players tell how they are watched."""

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.client import client_network, is_too_often
from library import viewings
from library.errors import BeatError, GrantError
from library.models import Viewing
from library.playback import read_grant

MAX_BYTES = 16 * 1024
PER_VIEWING = 60  # in five minutes; a player sends one every half a minute, and one at each pause
NEW_PER_CLIENT = 600  # viewings begun in five minutes behind one address: a school may be


@csrf_exempt  # the grant in the address is what permits it, not a cookie; navigator.sendBeacon can send no token
@require_POST
def beat(request: HttpRequest, grant: str) -> HttpResponse:
    """Note a beat. 204, or 400 (no beat), 404 (the grant opens nothing), 413, 429."""
    length = request.headers.get("Content-Length", "")
    if not length.isdigit() or int(length) > MAX_BYTES:
        return _answer(413)
    try:
        beat = viewings.read_beat(json.loads(request.body))
    except (ValueError, RecursionError, BeatError):
        return _answer(400)
    try:
        playback = read_grant(grant)
        if _is_too_often(request, beat):
            return _answer(429)
        viewings.note_beat(playback=playback, beat=beat)
    except GrantError:
        return _answer(404)
    except BeatError:
        return _answer(400)
    return _answer(204)


def _is_too_often(request: HttpRequest, beat: viewings.Beat) -> bool:
    if is_too_often(action="beat", key=beat.viewing.hex, limit=PER_VIEWING):
        return True
    # The address is counted for minutes in the cache, and written nowhere.
    is_first = not Viewing.objects.filter(pk=beat.viewing).exists()
    return is_first and is_too_often(action="viewing", key=client_network(request), limit=NEW_PER_CLIENT)


def _answer(status: int) -> HttpResponse:
    return HttpResponse(status=status, headers={"Cache-Control": "no-store"})
