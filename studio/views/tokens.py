"""API tokens: a program's keys to one organisation."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

import accounts.services
from accounts import rules
from accounts.models import ApiToken, Role
from studio.forms import TokenForm
from studio.views.access import StudioRequest, find, studio_page


@studio_page
def tokens(request: StudioRequest) -> HttpResponse:
    """The person's own tokens. A new one is shown once, in the answer that makes it."""
    organisations = rules.organisations_of(request.user)
    form = TokenForm(request.POST or None, organisations=organisations)
    made = ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        row, made = accounts.services.create_api_token(
            organisation=data["organisation"],
            created_by=request.user,
            name=data["name"],
            can_write=data["can_write"],
            life=form.life,
        )
        accounts.services.record_action(
            action="token.created", target=row, organisation=row.organisation, user=request.user
        )
        form = TokenForm(organisations=organisations)
    context = {
        "form": form,
        "made": made,
        "may_create": organisations.exists(),
        "tokens": ApiToken.objects.filter(created_by=request.user, revoked_at__isnull=True)
        .select_related("organisation")
        .order_by("-created_at"),
        "now": timezone.now(),
    }
    return render(request, "studio/tokens.html", context)


@studio_page
def token_revoke(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Owners may revoke every token of their organisation, everybody their own."""
    token = find(ApiToken.objects.select_related("organisation"), request, pk)
    is_owner = rules.has_role(request.user, token.organisation, Role.OWNER)
    if token.created_by_id != request.user.pk and not is_owner:
        raise PermissionDenied
    if request.method == "POST":
        accounts.services.revoke_api_token(token=token, user=request.user)
        messages.success(request, _("%(name)s does not work any more.") % {"name": token.name})
        return redirect("studio:tokens")
    context = {
        "question": _("Revoke %(name)s?") % {"name": token.name},
        "effects": [_("Programs that use it are refused from now on. This cannot be undone.")],
        "confirm": _("Revoke the token"),
        "back": reverse("studio:tokens"),
    }
    return render(request, "studio/confirm.html", context)
