"""Where a recording may be shown: its address, code for other sites, and links for those that are not public."""

from datetime import datetime, time
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from library import embeds
from library.models import EmbedLink, Recording
from library.structured import absolute
from studio.forms import StudioForm
from studio.views.access import StudioRequest, find_recording, studio_page
from studio.views.recordings import recording_context
from work.errors import DomainError


class EmbedLinkForm(StudioForm):
    """A new embed link. The service checks the sites and the end."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("Such as: Intranet"))
    sites = forms.CharField(
        label=gettext_lazy("Sites"),
        widget=forms.Textarea(attrs={"rows": 3, "dir": "ltr"}),
        max_length=2000,
        help_text=gettext_lazy("One address per line, such as https://intranet.example.org. It plays nowhere else."),
    )
    ends_on = forms.DateField(
        label=gettext_lazy("Until"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("The last day on which it plays there."),
    )
    field_names = {"ends_at": "ends_on"}


@studio_page
def share(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: addresses and code to copy. POST: one more embed link."""
    is_change = request.method == "POST"
    recording = find_recording(request, pk, change=is_change)
    form = EmbedLinkForm(request.POST or None)
    if is_change and form.is_valid():
        data = form.cleaned_data
        ends_at = timezone.make_aware(datetime.combine(data["ends_on"], time.max))
        try:
            embeds.create_embed_link(
                recording=recording,
                name=data["name"],
                sites=data["sites"].splitlines(),
                ends_at=ends_at,
                user=request.user,
            )
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("The link was made. Copy its code into the page where it shall play."))
            return redirect("studio:share", pk=pk)
    status = 400 if is_change else 200
    return render(request, "studio/recording/share.html", _context(request, recording, form), status=status)


@studio_page
@require_POST
def embed_link_revoke(request: StudioRequest, pk: UUID, link: UUID) -> HttpResponse:
    recording = find_recording(request, pk, change=True)
    found = get_object_or_404(EmbedLink.objects.select_related("recording"), pk=link, recording=recording)
    embeds.revoke_embed_link(link=found, user=request.user)
    messages.success(request, _("%(name)s does not work any more.") % {"name": found.name})
    return redirect("studio:share", pk=pk)


def _context(request: StudioRequest, recording: Recording, form: EmbedLinkForm) -> dict[str, object]:
    links = [
        {"link": link, "code": embeds.embed_code(recording, link) if link.is_live else ""}
        for link in recording.embed_links.all()[:50]
    ]
    return recording_context(
        request,
        recording,
        "share",
        watch_url=absolute(reverse("library:watch", args=[recording.webinar.slug])),
        code=embeds.embed_code(recording),
        links=links,
        form=form,
    )
