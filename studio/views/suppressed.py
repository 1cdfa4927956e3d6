"""Addresses that get no mail from this service, for its administrators: they concern every organisation."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

import notifications.services
from notifications.models import Suppression
from studio.exports import suppressions_table
from studio.mail_forms import SuppressionForm
from studio.views.access import StudioRequest, studio_page
from studio.views.webinars import page_of
from work.errors import DomainError

PAGE_SIZE = 100


def _require_administrator(request: StudioRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied(_("Only administrators of this service may do this."))


@studio_page
def suppressed(request: StudioRequest) -> HttpResponse:
    """The list, and a field for more."""
    _require_administrator(request)
    form = SuppressionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            added, refused = notifications.services.import_suppressions(
                text=form.cleaned_data["table"], user=request.user
            )
        except DomainError as error:
            form.add_domain_error(error)
        else:
            said = ngettext("%(n)s address was added.", "%(n)s addresses were added.", added) % {"n": added}
            messages.success(request, said)
            if refused:
                messages.warning(
                    request, _("These lines hold no address: %(lines)s") % {"lines": "; ".join(refused[:10])}
                )
            return redirect("studio:suppressed")
    search = request.GET.get("q", "").replace("\0", "")[:100].strip().lower()
    rows = Suppression.objects.filter(email__contains=search).order_by("-created_at")
    context = {"form": form, "search": search, "page": page_of(rows, request.GET.get("page"), PAGE_SIZE)}
    return render(request, "studio/suppressed.html", context)


@studio_page
@require_POST
def suppressed_table(request: StudioRequest) -> HttpResponseBase:
    """All of them as a table. It holds personal data, so who took it is recorded: hence POST."""
    _require_administrator(request)
    return suppressions_table(user=request.user)


@studio_page
@require_POST
def suppressed_remove(request: StudioRequest, pk: UUID) -> HttpResponse:
    _require_administrator(request)
    row = get_object_or_404(Suppression, pk=pk)
    notifications.services.allow_again(suppression=row, user=request.user)
    messages.success(request, _("This address gets mail again."))
    return redirect("studio:suppressed")
