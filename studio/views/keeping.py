"""How long an organisation keeps what it knows of people, and what tonight's purge would delete."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts import keeping, rules
from accounts.models import Role
from studio.keeping_forms import KeepingForm
from studio.views.access import StudioRequest, studio_page
from work.errors import DomainError


@studio_page
@require_GET
def keeping_times(request: StudioRequest) -> HttpResponse:
    """The person's organisations with their keeping times."""
    found = rules.organisations_of(request.user, Role.ORGANISER).order_by("name")
    rows = [
        {
            "organisation": organisation,
            "times": keeping.times_of(organisation),
            "may_change": rules.has_role(request.user, organisation, Role.OWNER),
        }
        for organisation in found
    ]
    return render(request, "studio/keeping.html", {"rows": rows})


@studio_page
def keeping_time(request: StudioRequest, pk: UUID) -> HttpResponse:
    """The times to change. What the purge would delete by the new ones is shown before they are saved."""
    organisation = rules.organisations_of(request.user).filter(pk=pk).first()
    if organisation is None:
        raise Http404(_("There is no such page, or it belongs to another organisation."))
    if not rules.has_role(request.user, organisation, Role.OWNER):
        raise PermissionDenied(_("What is deleted is decided by an owner of your organisation."))
    form = KeepingForm(request.POST if request.method == "POST" else None, organisation=organisation)
    proposed = None
    if request.method == "POST" and form.is_valid():
        try:
            if "confirm" in request.POST:
                keeping.set_keeping_days(organisation=organisation, days=form.cleaned_data, user=request.user)
                messages.success(request, _("The keeping times were saved. The purge goes by them from tonight."))
                return redirect("studio:keeping")
            proposed = keeping.times_of(organisation, days=keeping.clean_days(form.cleaned_data))
        except DomainError as error:
            form.add_domain_error(error)
    context = {
        "organisation": organisation,
        "form": form,
        "times": proposed or keeping.times_of(organisation),
        "is_proposed": proposed is not None,
    }
    return render(request, "studio/keeping_form.html", context, status=422 if form.errors else 200)
