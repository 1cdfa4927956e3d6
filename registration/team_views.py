"""Pages of coordinators: start a team, add its members, see how they stand."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from registration import imports, services
from registration.errors import AnswersRefused, RegistrationError
from registration.forms import GroupForm, ListForm
from registration.links import group_by_token, group_token_for
from registration.list_answers import ListQuestions
from registration.list_forms import ColumnsForm, MemberFormSet, preview_facts
from registration.models import Group, RegistrationImport
from registration.views import announced_webinar, personal_page, refusal, sends_too_often, too_often
from work.errors import DomainError


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks who registers a team; the link to its page goes to that person's address."""
    webinar = announced_webinar(request, slug)
    try:
        services.require_open_for_groups(webinar)
    except RegistrationError as error:
        return refusal(request, webinar, error)
    form = GroupForm(request.POST or None)
    if request.method == "POST":
        if sends_too_often(request):
            return too_often(request)
        if form.is_valid():
            try:
                if not form.is_from_robot:
                    services.start_group(
                        webinar=webinar,
                        name=form.cleaned_data["name"],
                        coordinator_name=form.cleaned_data["coordinator_name"],
                        coordinator_email=form.cleaned_data["coordinator_email"],
                        language=get_language() or "en",
                        has_agreed=form.cleaned_data["privacy"],
                    )
            except DomainError as error:
                form.add_domain_error(error)
            else:
                return redirect("registration:sent", slug=slug)
    context = {"webinar": webinar, "form": form}
    return render(request, "registration/start_group.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(group_by_token)
def team(request: HttpRequest, group: Group) -> HttpResponse:
    """The members and their states; rows to add more."""
    questions = ListQuestions(group.webinar)
    forms = _rows(group, questions, request.POST or None)
    if request.method == "POST" and forms.is_valid():
        if sends_too_often(request):
            return too_often(request)
        added, is_fine = 0, True
        for form in forms:
            name, email = form.cleaned_data.get("name", ""), form.cleaned_data.get("email", "")
            if not name and not email:
                continue
            try:
                answers = questions.clean(form.given_answers)
                services.add_member(group=group, name=name, email=email, answers=answers)
                added += 1
            except AnswersRefused as error:  # by the last seat of a choice
                form.add_error(None, questions.reason_of(error))
                is_fine = False
            except DomainError as error:
                form.add_domain_error(error)
                is_fine = False
        if added:
            messages.success(request, _told(added))
        if is_fine:
            return redirect("registration:group", token=group_token_for(group))
    context = _context(group, forms=forms, list_form=ListForm())
    is_wrong = request.method == "POST" and any(form.errors for form in forms)
    return render(request, "registration/group.html", context, status=422 if is_wrong else 200)


@require_http_methods(["POST"])
@personal_page(group_by_token)
def upload(request: HttpRequest, group: Group) -> HttpResponse:
    """Reads a list of members and leads to what would become of each line."""
    form = ListForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            made = imports.prepare(webinar=group.webinar, file=form.cleaned_data["file"], group=group)
        except DomainError as error:
            form.add_error("file", str(error))
        else:
            return redirect("registration:group_import", token=group_token_for(group), pk=made.pk)
    context = _context(group, forms=_rows(group, ListQuestions(group.webinar)), list_form=form)
    return render(request, "registration/group.html", context, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(group_by_token)
def preview(request: HttpRequest, group: Group, pk: UUID) -> HttpResponse:
    """What would become of each line of a list, and which column holds what; on POST it is done."""
    found = get_object_or_404(RegistrationImport, pk=pk, group=group)
    found.webinar, found.group = group.webinar, group
    columns_form = ColumnsForm(request.POST if "columns" in request.POST else None, imported=found)
    if columns_form.is_bound:
        if columns_form.is_stored():
            return redirect(request.path)
    elif request.method == "POST":
        try:
            imports.confirm(imported=found, user=None)
        except DomainError as error:
            messages.error(request, str(error))
        return redirect(request.path)
    context = _context(group, imported=found, columns_form=columns_form, **preview_facts(found))
    status = 422 if columns_form.errors else 200
    return render(request, "registration/group_import.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(group_by_token)
def withdraw(request: HttpRequest, group: Group, pk: UUID) -> HttpResponse:
    """Asks on GET; takes the member out on POST."""
    member = get_object_or_404(group.members.select_related("webinar__organisation"), pk=pk)
    if request.method == "POST":
        services.withdraw_member(group=group, registration=member)
        messages.success(request, _("%(email)s is no longer in the team.") % {"email": member.email})
        return redirect("registration:group", token=group_token_for(group))
    return render(request, "registration/group_withdraw.html", _context(group, member=member))


def _rows(group: Group, questions: ListQuestions, data: Any = None) -> Any:
    return MemberFormSet(data, prefix="members", form_kwargs={"questions": questions})


def _context(group: Group, **more: Any) -> dict[str, Any]:
    return {
        "group": group,
        "webinar": group.webinar,
        "token": group_token_for(group),
        "members": group.members.order_by("created_at", "pk"),
        "members_max": services.MEMBERS_MAX,
        **more,
    }


def _told(count: int) -> str:
    return ngettext("%(n)d person was written to.", "%(n)d people were written to.", count) % {"n": count}
