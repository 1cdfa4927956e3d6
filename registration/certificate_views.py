"""A person's own certificate, and the page by which anybody checks one."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.client import client_network, is_too_often
from registration import certificates
from registration.links import registration_by_token
from registration.models import Registration
from registration.views import personal_page

CHECKS_PER_CLIENT = 60  # within five minutes


@require_http_methods(["GET", "HEAD"])
@personal_page(registration_by_token)
def certificate(request: HttpRequest, registration: Registration) -> HttpResponse:
    """Sends the person's certificate, while they have a valid one."""
    found = certificates.valid_certificate(registration)
    if found is None:
        reason = _("There is no certificate for this registration.")
        return render(request, "registration/link.html", {"reason": reason}, status=404)
    return HttpResponseRedirect(certificates.file_url(found))


@never_cache
@require_http_methods(["GET", "HEAD"])
def check(request: HttpRequest, code: str) -> HttpResponse:
    """Shows what a certificate says to whoever has its code; any other code shows nothing, and few can be tried."""
    if is_too_often(action="certificate", key=client_network(request), limit=CHECKS_PER_CLIENT):
        response = render(request, "registration/too_often.html", status=429)
        response["Retry-After"] = "300"
        return response
    found = certificates.certificate_by_code(code)
    context = {"certificate": found, "facts": found.facts if found else {}}
    response = render(request, "registration/certificate_check.html", context, status=200 if found else 404)
    # The code stays with who has it; the choice of language on the page still works.
    response["Referrer-Policy"] = "strict-origin"
    response["X-Robots-Tag"] = "noindex"
    return response
