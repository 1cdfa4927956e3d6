"""The texts that people agree to: each change is a new version."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts import rules
from accounts.models import Organisation
from registration import consents
from registration.models import ConsentKind, ConsentText
from studio.question_forms import ConsentTextForm
from studio.views.access import StudioRequest, may_change, require_organiser, studio_page
from work.errors import DomainError


@studio_page
@require_GET
def consent_texts(request: StudioRequest) -> HttpResponse:
    """What each of the person's organisations asks for now."""
    rows = [
        {
            "organisation": organisation,
            "may_change": may_change(request, organisation),
            "kinds": [(kind, label, texts.get(kind)) for kind, label in ConsentKind.choices],
        }
        for organisation in rules.organisations_of(request.user).order_by("name")
        for texts in [consents.current_texts(organisation)]
    ]
    return render(request, "studio/consents.html", {"rows": rows})


@studio_page
@require_http_methods(["GET", "HEAD", "POST"])
def consent_text(request: StudioRequest, pk: UUID, kind: str) -> HttpResponse:
    """Write a new version; the earlier ones are shown below, as they were agreed to."""
    organisation: Organisation | None = rules.organisations_of(request.user).filter(pk=pk).first()
    if organisation is None or kind not in ConsentKind.values:
        raise Http404
    require_organiser(request, organisation)
    versions = ConsentText.objects.filter(organisation=organisation, kind=kind).order_by("-version")
    current = versions.first()
    form = ConsentTextForm(
        request.POST if request.method == "POST" else None, organisation=organisation, kind=kind, text=current
    )
    if request.method == "POST" and form.is_valid():
        try:
            consents.write_text(
                organisation=organisation,
                kind=kind,
                text=form.texts("text"),
                is_required=form.cleaned_data.get("is_required", False),
                user=request.user,
            )
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("The text is saved. It is asked of those who register from now on."))
            return redirect("studio:consents")
    context = {
        "form": form,
        "organisation": organisation,
        "kind": ConsentKind(kind),
        "versions": versions,
    }
    return render(request, "studio/consent_text.html", context, status=422 if form.errors else 200)
