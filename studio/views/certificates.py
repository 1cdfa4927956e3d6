"""Certificates of a webinar: the rule, a preview, issuing them all, the list, revoking."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from events.models import Webinar
from registration import certificates
from registration.models import Certificate, CertificateBatch, CertificateRule
from studio.attendance_forms import RevokeForm, RuleForm
from studio.views.access import StudioRequest, find, studio_page
from studio.views.webinars import find_webinar, page_of, webinar_context
from work.errors import DomainError

PAGE_SIZE = 50


def find_certificate(request: StudioRequest, pk: UUID, certificate: UUID, *, change: bool = False) -> Certificate:
    rows = Certificate.objects.filter(registration__webinar=pk).select_related("registration__webinar__organisation")
    return find(rows, request, certificate, path="registration__webinar__organisation", change=change)


def find_batch(request: StudioRequest, pk: UUID, batch: UUID) -> CertificateBatch:
    rows = CertificateBatch.objects.filter(webinar=pk).select_related("webinar__organisation")
    return find(rows, request, batch, path="webinar__organisation", change=True)


@studio_page
@require_GET
def overview(request: StudioRequest, pk: UUID) -> HttpResponse:
    """The rule, how many have earned a certificate, and those that were issued."""
    webinar = find_webinar(request, pk)
    search = request.GET.get("q", "")[:100]
    rule = CertificateRule.objects.filter(pk=webinar.pk).first()
    context = webinar_context(
        request,
        webinar,
        "certificates",
        rule=rule,
        is_fixed=certificates.is_rule_fixed(webinar),
        page=page_of(certificates.certificates_of(webinar, search=search), request.GET.get("page"), PAGE_SIZE),
        search=search,
        conditions=list(certificates.condition_texts(rule).values()) if rule else [],
        preview_languages=[(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES],
        **_issuing(webinar, rule),
    )
    return render(request, "studio/webinar/certificates.html", context)


def _issuing(webinar: Webinar, rule: CertificateRule | None) -> dict[str, object]:
    batch = webinar.certificate_batches.order_by("-created_at").first()
    # While some are made the page asks every two seconds, and judging everybody may take as long.
    is_idle = batch is None or batch.is_finished
    found = certificates.decisions(webinar) if rule and webinar.is_over and is_idle else []
    return {
        "batch": batch,
        "earned": sum(one.is_earned for one in found),
        "judged": len(found),
        "waiting": len(certificates.to_issue(webinar, found)),
        "is_over": webinar.is_over,
    }


@studio_page
@require_GET
def batch_state(request: StudioRequest, pk: UUID) -> HttpResponse:
    """How far the latest batch is; the page asks every two seconds."""
    webinar = find_webinar(request, pk)
    rule = CertificateRule.objects.filter(pk=webinar.pk).first()
    context = webinar_context(request, webinar, "certificates", rule=rule, **_issuing(webinar, rule))
    return render(request, "studio/includes/certificate_batch.html", context)


@studio_page
def rule(request: StudioRequest, pk: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk, change=True)
    current = CertificateRule.objects.filter(pk=webinar.pk).first()
    form = RuleForm(request.POST or None, webinar=webinar, rule=current)
    if request.method == "POST" and form.is_valid():
        try:
            if "remove" in request.POST:
                certificates.remove_rule(webinar=webinar, user=request.user, reason=form.cleaned_data.get("reason", ""))
            else:
                certificates.set_rule(webinar=webinar, user=request.user, **form.values())
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("The rule was saved."))
            return redirect("studio:certificates", pk=pk)
    context = webinar_context(
        request,
        webinar,
        "certificates",
        form=form,
        rule=current,
        is_fixed=certificates.is_rule_fixed(webinar),
    )
    return render(request, "studio/webinar/certificate_rule.html", context, status=422 if form.errors else 200)


@studio_page
@require_GET
def preview(request: StudioRequest, pk: UUID) -> HttpResponse:
    """A specimen in the language asked for."""
    webinar = find_webinar(request, pk)
    language = request.GET.get("language", "") or get_language() or "en"
    try:
        pdf = certificates.preview_pdf(webinar=webinar, language=language[:35])
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("studio:certificates", pk=pk)
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = 'inline; filename="specimen.pdf"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@studio_page
@require_POST
def issue(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Issue as many as the page said; another number is asked about again."""
    webinar = find_webinar(request, pk, change=True)
    expected = request.POST.get("count", "")
    try:
        certificates.request_batch(
            webinar=webinar,
            user=request.user,
            expected=int(expected) if expected.isascii() and expected.isdigit() and len(expected) < 8 else -1,
        )
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("studio:certificates", pk=pk)


@studio_page
@require_POST
def batch_cancel(request: StudioRequest, pk: UUID, batch: UUID) -> HttpResponse:
    certificates.cancel_batch(batch=find_batch(request, pk, batch), user=request.user)
    return redirect("studio:certificates", pk=pk)


@studio_page
@require_POST
def batch_retry(request: StudioRequest, pk: UUID, batch: UUID) -> HttpResponse:
    try:
        certificates.retry_batch(batch=find_batch(request, pk, batch), user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("studio:certificates", pk=pk)


@studio_page
@require_GET
def certificate_file(request: StudioRequest, pk: UUID, certificate: UUID) -> HttpResponse:
    return HttpResponseRedirect(certificates.file_url(find_certificate(request, pk, certificate)))


@studio_page
def revoke(request: StudioRequest, pk: UUID, certificate: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk, change=True)
    found = find_certificate(request, pk, certificate, change=True)
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            certificates.revoke(certificate=found, reason=form.cleaned_data["reason"], user=request.user)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("The certificate was withdrawn."))
            return redirect("studio:certificates", pk=pk)
    context = webinar_context(request, webinar, "certificates", form=form, certificate=found)
    return render(request, "studio/webinar/certificate_revoke.html", context, status=422 if form.errors else 200)


@studio_page
@require_POST
def reissue(request: StudioRequest, pk: UUID, certificate: UUID) -> HttpResponse:
    """Replace a certificate by one with what is known now."""
    try:
        found = find_certificate(request, pk, certificate, change=True)
        made = certificates.reissue(certificate=found, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Certificate %(number)s takes its place.") % {"number": made.number})
    return redirect("studio:certificates", pk=pk)
