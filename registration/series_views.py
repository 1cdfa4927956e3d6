"""Registering once for the sessions of a series."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from events.models import Series
from registration import choices, selectors, services
from registration.errors import AnswersRefused, RegistrationError
from registration.series_forms import SeriesForm
from registration.views import sends_too_often, too_often
from work.errors import DomainError


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, slug: str) -> HttpResponse:
    """One form for all sessions that are open to everybody now; each answers with a mail of its own."""
    series = _public_series(slug)
    webinars = selectors.open_sessions(series)
    if not webinars.exists():
        return render(request, "registration/no_session.html", {"series": series}, status=410)
    form = SeriesForm(request.POST or None, request.FILES or None, webinars=webinars)
    if request.method == "POST":
        if sends_too_often(request):
            return too_often(request)
        if form.is_valid() and _register(request, form):
            return redirect("registration:sent_series", slug=slug)
    context = {
        "series": series,
        "webinar": webinars[0],  # whose organisation the privacy notice names
        "form": form,
        "professions": choices.PROFESSIONS,
        "sectors": choices.SECTORS,
        "others": selectors.sessions_apart(series),
    }
    return render(request, "registration/register_series.html", context, status=422 if form.errors else 200)


def _register(request: HttpRequest, form: SeriesForm) -> bool:
    """Register for each chosen session. One that closed meanwhile keeps nobody from the others, and is named."""
    if form.is_from_robot:
        return True
    chosen = list(form.cleaned_data["sessions"])
    refused = []
    try:
        answers, consents = form.checked_answers(chosen), form.checked_consents()
        for webinar in chosen:
            try:
                services.register(
                    webinar=webinar,
                    email=form.cleaned_data["email"],
                    consents=["privacy"],
                    answers=answers.get(webinar.pk),
                    consent_texts=consents,
                    **vars(form.details),
                )
            except RegistrationError as error:
                if isinstance(error, AnswersRefused) or (error.field in form.fields and error.field != "email"):
                    raise
                refused.append(_("%(title)s: %(reason)s") % {"title": webinar.title, "reason": error})
    except DomainError as error:
        form.add_domain_error(error)
        return False
    if len(refused) == len(chosen):
        for text in refused:
            form.add_error("sessions", text)
        return False
    for text in refused:
        messages.warning(request, text)
    return True


@never_cache
@require_GET
def sent(request: HttpRequest, slug: str) -> HttpResponse:
    """Says that mails are on their way, and nothing else."""
    return render(request, "registration/sent_series.html", {"series": _public_series(slug)})


def _public_series(slug: str) -> Series:
    series = get_object_or_404(Series.objects.select_related("organisation"), slug=slug)
    if not series.is_public:
        raise Http404
    return series
