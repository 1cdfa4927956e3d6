"""Pages of people who register: the form, their own page, the way into the live room."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from accounts.client import client_network, is_too_often
from accounts.links import LinkError
from accounts.models import User
from events.models import Webinar
from events.rules import can_see_webinar
from notifications.rendering import interface_language
from registration import certificates, choices, selectors, services, surveys
from registration.attendance import note_join
from registration.errors import RegistrationError
from registration.forms import ChangeForm, LinksForm
from registration.joining import OPENS_BEFORE, Door, door_for
from registration.links import (
    invitation_by_token,
    join_link_for,
    registration_by_join_token,
    registration_by_proof_token,
    registration_by_token,
    remember_registration,
    token_for,
)
from registration.messages import calendar_for
from registration.models import Invitation, Registration, RegistrationState
from registration.open_points import open_points_of
from registration.question_forms import FullRegistrationForm
from registration.times import session_times
from work.errors import DomainError

Held = TypeVar("Held")
P = ParamSpec("P")
PersonalView = Callable[Concatenate[HttpRequest, Held, P], HttpResponse]
OpenedByLink = Callable[Concatenate[HttpRequest, str, P], HttpResponse]

REGISTRATIONS_PER_PAGE = 25
FORMS_PER_CLIENT = 60  # sent within five minutes; a whole class may sit behind one address


# --- Registering ---------------------------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, slug: str) -> HttpResponse:
    """The public form. Its answer is the same whether or not the address was known (promise A9)."""
    return _form_page(request, announced_webinar(request, slug), done_url=reverse("registration:sent", args=[slug]))


def _form_page(
    request: HttpRequest, webinar: Webinar, *, done_url: str, invitation: Invitation | None = None
) -> HttpResponse:
    try:
        services.require_open(webinar)
        services.require_invitation(webinar, invitation)
    except RegistrationError as error:
        return refusal(request, webinar, error)
    form = FullRegistrationForm(
        request.POST or None,
        request.FILES or None,
        webinar=webinar,
        email=invitation.email if invitation else "",
    )
    if request.method == "POST":
        if sends_too_often(request):
            return too_often(request)
        if form.is_valid() and _register(form, webinar, invitation):
            return redirect(done_url)
    context = {
        "webinar": webinar,
        "invitation": invitation,
        "form": form,
        "times": session_times(webinar, time_zone=webinar.time_zone, language=get_language() or "en"),
        "professions": choices.PROFESSIONS,
        "sectors": choices.SECTORS,
        "has_free_place": selectors.has_free_place(webinar.pk),
    }
    return render(request, "registration/register.html", context, status=422 if form.errors else 200)


def refusal(request: HttpRequest, webinar: Webinar, error: DomainError) -> HttpResponse:
    """The page that says why nobody, or not this person, can register."""
    context = {"webinar": webinar, "reason": error.message, "code": error.code}
    return render(request, "registration/closed.html", context, status=error.status)


def _register(form: FullRegistrationForm, webinar: Webinar, invitation: Invitation | None) -> bool:
    if form.is_from_robot:
        return True
    try:
        services.register(
            webinar=webinar,
            email=form.cleaned_data["email"],
            consents=["privacy"],
            invitation=invitation,
            answers=form.checked_answers(),
            consent_texts=form.checked_consents(),
            **vars(form.details),
        )
    except DomainError as error:
        form.add_domain_error(error)
        return False
    return True


@never_cache
@require_GET
def sent(request: HttpRequest, slug: str) -> HttpResponse:
    """Says that a mail is on its way, and nothing else."""
    return render(request, "registration/sent.html", {"webinar": announced_webinar(request, slug)})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def links_again(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends a registrant's links once more; the answer does not tell whether there were any."""
    webinar = announced_webinar(request, slug)
    form = LinksForm(request.POST or None)
    if request.method == "POST":
        if sends_too_often(request):
            return too_often(request)
        if form.is_valid():
            try:
                services.send_links_again(email=form.cleaned_data["email"], webinar=webinar)
            except DomainError as error:
                form.add_domain_error(error)
            else:
                return redirect("registration:sent", slug=slug)
    context = {"webinar": webinar, "form": form}
    return render(request, "registration/links_again.html", context, status=422 if form.errors else 200)


def announced_webinar(request: HttpRequest, slug: str) -> Webinar:
    webinar = get_object_or_404(Webinar.objects.select_related("organisation"), slug=slug)
    if not can_see_webinar(webinar, request.user):
        raise Http404
    return webinar


def sends_too_often(request: HttpRequest) -> bool:
    """Count one more form from this client; True once there are too many."""
    return is_too_often(action="register", key=client_network(request), limit=FORMS_PER_CLIENT)


def too_often(request: HttpRequest) -> HttpResponse:
    response = render(request, "registration/too_often.html", status=429)
    response["Retry-After"] = "300"
    return response


# --- A registrant's own pages --------------------------------------------------------------------------------------
def personal_page(find: Callable[[str], Held]) -> Callable[[PersonalView[Held, P]], OpenedByLink[P]]:
    """For views that a personal link opens: find its registration, invitation or team, and keep the link secret.

    Whoever can send a request here knows the link, which is what a CSRF token would prove; so none is asked for, and
    the forms work without cookies. `strict-origin` keeps the link out of every Referer, and still lets the page's
    other forms (the choice of language) pass the check; with `no-referrer` browsers would send them `Origin: null`.
    """

    def decorate(view: PersonalView[Held, P]) -> OpenedByLink[P]:
        @csrf_exempt
        @functools.wraps(view)
        def wrapped(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                response = view(request, find(token), *args, **kwargs)
            except LinkError as error:
                response = render(request, "registration/link.html", {"reason": error.message}, status=error.status)
            response["Cache-Control"] = "no-store, private"
            response["Referrer-Policy"] = "strict-origin"
            response["X-Robots-Tag"] = "noindex"
            return response

        return cast("OpenedByLink[P]", wrapped)

    return decorate


@require_http_methods(["GET", "HEAD"])
@personal_page(registration_by_token)
def own(request: HttpRequest, registration: Registration) -> HttpResponse:
    """State, time, calendar file, join link; ways to change and cancel."""
    remember_registration(request, registration)
    door = door_for(registration)
    context = _own_context(registration) | {
        "door": door,
        "join_url": join_link_for(registration) if door in (Door.OPEN, Door.EARLY, Door.NO_ROOM) else "",
        "rank": selectors.waitlist_rank(registration),
        "occasions": surveys.open_occasions(registration),
        "open_points": open_points_of(registration),
        "certificate": certificates.valid_certificate(registration),
        "certificate_conditions": certificates.conditions_for(registration),
    }
    return render(request, "registration/own.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(registration_by_proof_token)
def prove(request: HttpRequest, registration: Registration) -> HttpResponse:
    """Asks on GET, as programs that check mails open links; on POST the address is proved and a place is taken."""
    if registration.state != RegistrationState.UNPROVED:
        return _to_own_page(registration)
    if request.method == "POST":
        try:
            services.prove(registration=registration)
        except DomainError as error:
            return refusal(request, registration.webinar, error)
        return _to_own_page(registration)
    return render(request, "registration/prove.html", _own_context(registration))


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(invitation_by_token)
def invited(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """The form, opened by an invitation."""
    if "sent" in request.GET:
        return render(request, "registration/sent.html", {"webinar": invitation.webinar})
    return _form_page(request, invitation.webinar, done_url=f"{request.path}?sent", invitation=invitation)


@never_cache
@login_required
@require_GET
def all_own(request: HttpRequest) -> HttpResponse:
    """All registrations of whoever is signed in, under any address that they proved to be theirs."""
    found = selectors.registrations_of(cast(User, request.user))
    page = Paginator(found, REGISTRATIONS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": [(row, token_for(row)) for row in page]}
    response = render(request, "registration/all_own.html", context)
    response["Referrer-Policy"] = "strict-origin"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(registration_by_token)
def change(request: HttpRequest, registration: Registration) -> HttpResponse:
    form = ChangeForm(request.POST or None, registration=registration)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_registration(registration=registration, details=form.details)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("Your details are saved."))
            return _to_own_page(registration)
    context = _own_context(registration) | {
        "form": form,
        "professions": choices.PROFESSIONS,
        "sectors": choices.SECTORS,
    }
    return render(request, "registration/change.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(registration_by_token)
def cancel(request: HttpRequest, registration: Registration) -> HttpResponse:
    """Asks on GET, so that a mail scanner which opens links cancels nothing; cancels on POST."""
    if request.method == "POST":
        services.cancel_registration(registration=registration)
        return _to_own_page(registration)
    return render(request, "registration/cancel.html", _own_context(registration))


@require_http_methods(["GET", "HEAD"])
@personal_page(registration_by_token)
def calendar(request: HttpRequest, registration: Registration) -> HttpResponse:
    """The registrant's calendar entry as a file: the one that the invitation made, with the join link."""
    if registration.state in (RegistrationState.CANCELLED, RegistrationState.DECLINED):
        reason = _("This registration is cancelled, so there is no calendar entry any more.")
        return render(request, "registration/link.html", {"reason": reason}, status=410)
    response = HttpResponse(
        calendar_for(registration, "PUBLISH"), content_type="text/calendar; method=PUBLISH; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="webinar.ics"'
    return response


@require_http_methods(["GET", "HEAD"])
@personal_page(registration_by_join_token)
def join(request: HttpRequest, registration: Registration) -> HttpResponse:
    """Leads into the live room from an hour before the session; before and after it says what to do instead."""
    door = door_for(registration)
    if door == Door.OPEN:
        if open_points_of(registration).consents:
            # Nobody takes part, and is recorded, without what registering requires; here others registered them.
            return redirect(reverse("registration:consents", args=[token_for(registration)]) + "?to=session")
        if request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
            note_join(registration=registration)
        return HttpResponseRedirect(registration.webinar.join_url)
    context = _own_context(registration) | {"door": door, "opens_at": registration.webinar.starts_at - OPENS_BEFORE}
    status = {Door.CANCELLED: 410, Door.OVER: 410, Door.NO_PLACE: 403}.get(door, 200)
    return render(request, "registration/join.html", context, status=status)


def _own_context(registration: Registration) -> dict[str, Any]:
    return {
        "registration": registration,
        "webinar": registration.webinar,
        "token": token_for(registration),
        "times": session_times(
            registration.webinar,
            time_zone=registration.time_zone,
            language=interface_language(get_language() or "en"),
        ),
    }


def _to_own_page(registration: Registration) -> HttpResponse:
    return redirect("registration:own", token=token_for(registration))
