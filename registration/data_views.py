"""A registrant's own data: all of it to take along, and the way to have it erased."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.personal_data import erase_person, export_person
from accounts.services import record_action
from registration.links import registration_by_token, token_for
from registration.models import Registration
from registration.views import personal_page


class EraseForm(forms.Form):
    """The address typed once more, so that nobody erases everything by a slip."""

    email = forms.CharField(label=gettext_lazy("Type your e-mail address to confirm"), max_length=254)

    def __init__(self, *args: object, address: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # whatever a form takes
        self.address = address
        self.fields["email"].widget.attrs |= {"dir": "ltr", "autocomplete": "off"}

    def clean_email(self) -> str:
        entered: str = self.cleaned_data["email"]
        if entered.strip().lower() != self.address.lower():
            raise forms.ValidationError(_("This is not the address of this registration."))
        return entered


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(registration_by_token)
def own_data(request: HttpRequest, registration: Registration) -> HttpResponse:
    """What can be done with one's data; erasing on POST, once the address was typed."""
    form = EraseForm(request.POST if request.method == "POST" else None, address=registration.email)
    if request.method == "POST" and form.is_valid():
        erase_person(email=registration.email, actor="registrant")
        return render(request, "registration/erased.html", {"webinar": registration.webinar})
    context = {
        "registration": registration,
        "webinar": registration.webinar,
        "token": token_for(registration),
        "form": form,
        "has_role": User.objects.filter(email__iexact=registration.email, memberships__isnull=False).exists(),
    }
    return render(request, "registration/own_data.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD"])
@personal_page(registration_by_token)
def own_data_file(request: HttpRequest, registration: Registration) -> HttpResponse:
    """Everything about this address as a ZIP: its holder has proved that the mailbox is theirs."""
    record_action(
        action="person.exported",
        target=registration,
        organisation=registration.webinar.organisation,
        actor="registrant",
    )
    return zip_response(export_person(email=registration.email))


def zip_response(content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
