"""The page behind "no more of these mails". Opening it changes nothing, since mail scanners open every link."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.links import LinkError
from notifications import opt_outs
from notifications.models import NEWS


@csrf_exempt  # mail programs post `List-Unsubscribe=One-Click` from nowhere (RFC 8058, section 3.2); the link is secret
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask first; a POST, from the page's button or from a mail program, does it."""
    try:
        message = opt_outs.message_by_token(token)
    except LinkError as error:
        return render(request, "notifications/broken_link.html", {"error": error}, status=error.status)
    if request.method == "POST" and request.POST.get("action") == "undo":
        opt_outs.opt_in(message=message)
    elif request.method == "POST":
        opt_outs.opt_out(message=message)
    context = {
        "message": message,
        "is_news": message.scope == NEWS,
        "is_out": opt_outs.is_opted_out(message),
        "is_done": request.method == "POST",
    }
    return render(request, "notifications/unsubscribe.html", context)
