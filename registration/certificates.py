"""Certificates: the rule that earns one, who has earned it, making them all, checking and revoking.

What a certificate says is fixed when it is issued (`Certificate.facts`): the file, and the page by which others check
it, show that and nothing else, whatever becomes of the registration.
"""

import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from babel import dates
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from i18nfield.strings import LazyI18nString

from accounts.models import User
from accounts.services import record_action
from accounts.text import clean_line
from events.models import Webinar, random_key
from events.validators import translated_text
from media.storage import private_storage
from notifications.rendering import interface_language
from registration import attendance, documents, messages, placeholders
from registration.attendance import Presence
from registration.errors import InvalidDetail, RegistrationError
from registration.models import (
    Certificate,
    CertificateBatch,
    CertificateRule,
    QuestionnairePurpose,
    Registration,
    Response,
    certificate_code,
)
from registration.times import babel_locale, session_time
from registration.validators import plain_text
from work import services as work
from work.errors import PermanentFailure, StaleState
from work.leases import Lease
from work.models import FINISHED_STATES, WorkState

PLACEHOLDERS = ("name", "title", "date", "minutes", "organisation")
TEXT_LINES = 5
TEXT_MAX, SIGNATORY_MAX, REASON_MAX = 600, 200, 300
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without letters and digits that look alike
CONDITIONS = ("min_minutes", "min_share", "min_score", "needs_survey")


class RuleFixed(RegistrationError):
    """The session has begun, so what earns a certificate stays as it was, unless a reason is recorded."""

    code = "rule_fixed"
    status = 409


class NotYet(RegistrationError):
    """Certificates are issued after the session, by a rule."""

    code = "not_yet"
    status = 409


class CountChanged(RegistrationError):
    """Another number of people has earned a certificate than the one that was confirmed."""

    code = "count_changed"
    status = 409


# --- The rule ------------------------------------------------------------------------------------------------------
def set_rule(
    *,
    webinar: Webinar,
    user: User | None,
    min_minutes: int | None = None,
    min_share: float | None = None,
    min_score: float | None = None,
    needs_survey: bool = False,
    text: str | dict[str, str] | LazyI18nString = "",
    signatory: str = "",
    reason: str = "",
) -> CertificateRule:
    """Say what earns a certificate: every condition that is given must be met.

    Once the session has begun the conditions stay, unless `reason` says why not; it is recorded. What is written on
    certificates may change at any time, for those issued from then on.

    Args:
        min_minutes: of presence in the session; 0: was there at all.
        min_share: of the session, above 0, up to 1.
        min_score: share of right answers in the quiz after the session, 0 to 1.
        needs_survey: the survey after the session was answered.
        text: further words, with PLACEHOLDERS in braces.

    Raises:
        InvalidDetail: a value cannot be meant, or no condition is given; `field` names it.
        RuleFixed: the session has begun and no reason is given.
    """
    conditions = {
        "min_minutes": min_minutes,
        "min_share": min_share,
        "min_score": min_score,
        "needs_survey": bool(needs_survey),
    }
    _check_conditions(webinar, conditions)
    words = _clean_text(webinar, text)
    signed = plain_text(signatory, field="signatory", label=_("Signed by"), max_length=SIGNATORY_MAX)
    with transaction.atomic():
        rule = CertificateRule.objects.select_for_update().filter(pk=webinar.pk).first()
        before = {name: getattr(rule, name) for name in CONDITIONS} if rule else None
        late = _require_open(webinar, before != conditions, reason)
        rule, _is_new = CertificateRule.objects.update_or_create(
            webinar=webinar, defaults={**conditions, "text": words, "signatory": signed}
        )
        _record_rule("certificate.rule_set", webinar, user, before=before, after=conditions, late=late)
    return rule


def remove_rule(*, webinar: Webinar, user: User | None, reason: str = "") -> None:
    """Offer no certificates any more; those issued stay valid.

    Raises:
        RuleFixed: the session has begun and no reason is given.
    """
    with transaction.atomic():
        rule = CertificateRule.objects.select_for_update().filter(pk=webinar.pk).first()
        if rule is None:
            return
        late = _require_open(webinar, True, reason)
        before = {name: getattr(rule, name) for name in CONDITIONS}
        rule.delete()
        _record_rule("certificate.rule_removed", webinar, user, before=before, after=None, late=late)


def is_rule_fixed(webinar: Webinar) -> bool:
    """Whether the conditions can only be changed with a recorded reason."""
    return webinar.starts_at <= timezone.now()


def _require_open(webinar: Webinar, is_changed: bool, reason: str) -> str:
    """Return the reason to record: empty while the rule may be changed freely."""
    if not is_changed or not is_rule_fixed(webinar):
        return ""
    words = plain_text(reason, field="reason", label=_("Reason"), max_length=REASON_MAX)
    if not words:
        text = _("The session has begun, so people rely on this rule. To change it all the same, say why.")
        raise RuleFixed(text, field="reason")
    return words


def _check_conditions(webinar: Webinar, values: dict[str, Any]) -> None:
    length = round((webinar.ends_at - webinar.starts_at).total_seconds() / 60)
    minutes, share, score = values["min_minutes"], values["min_share"], values["min_score"]
    if minutes is not None and not 0 <= minutes <= length:
        text = _("The session lasts %(length)d minutes: choose at most that many.")
        raise InvalidDetail(text % {"length": length}, field="min_minutes")
    for field, value in (("min_share", share), ("min_score", score)):
        if value is not None and not 0 < value <= 1:
            raise InvalidDetail(_("Choose a share above 0 and up to 100 per cent."), field=field)
    if minutes is None and share is None and score is None and not values["needs_survey"]:
        raise InvalidDetail(_("Choose at least one condition."), field="min_minutes")


def _clean_text(webinar: Webinar, value: object) -> LazyI18nString:
    words = translated_text(
        value,
        field="text",
        label=_("Text on the certificate"),
        language=webinar.organisation.language,
        max_length=TEXT_MAX,
        one_line=False,
    )
    for words_of_one in words.data.values() if isinstance(words.data, dict) else [words.data or ""]:
        placeholders.check(words_of_one, known=PLACEHOLDERS, field="text")
        if len(words_of_one.splitlines()) > TEXT_LINES:
            text = _("At most %(max)d lines fit on the certificate.")
            raise InvalidDetail(text % {"max": TEXT_LINES}, field="text")
    return words


def _record_rule(action: str, webinar: Webinar, user: User | None, *, before: Any, after: Any, late: str) -> None:
    detail = {"before": before, "after": after, **({"reason": late} if late else {})}
    record_action(action=action, target=webinar, organisation=webinar.organisation, user=user, **detail)


# --- Who has earned one --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Decision:
    """Whether a registrant has earned a certificate; `missing` names the conditions that are not met."""

    registration: Registration
    presence: Presence
    missing: tuple[str, ...]

    @property
    def is_earned(self) -> bool:
        return not self.missing


def decisions(webinar: Webinar, registrations: Iterable[Registration] | None = None) -> list[Decision]:
    """Judge these registrants, or all who had a place or came, by the webinar's rule. Five queries, however many."""
    rule = CertificateRule.objects.filter(pk=webinar.pk).first()
    people = list(attendance.expected_or_there(webinar) if registrations is None else registrations)
    if rule is None:
        return []
    present = attendance.attendances(webinar, [one.pk for one in people] if registrations is not None else None)
    answered = Response.objects.filter(questionnaire__webinar=webinar)
    if registrations is not None:
        answered = answered.filter(registration__in=[one.pk for one in people])
    scores = dict(
        answered.filter(questionnaire__purpose=QuestionnairePurpose.QUIZ_AFTER).values_list("registration", "score")
    )
    surveyed = set(
        answered.filter(questionnaire__purpose=QuestionnairePurpose.SURVEY).values_list("registration", flat=True)
    )
    return [
        Decision(
            one,
            present.get(one.pk, Presence()),
            _missing(rule, present.get(one.pk, Presence()), scores.get(one.pk), one.pk in surveyed),
        )
        for one in people
    ]


def _missing(rule: CertificateRule, presence: Presence, score: float | None, has_answered: bool) -> tuple[str, ...]:
    minutes, share = presence.minutes or 0, presence.share or 0.0
    found = []
    # To the minute, like what is shown: 59 minutes and 40 seconds are an hour.
    if rule.min_minutes is not None and (minutes < rule.min_minutes or not presence.has_attended):
        found.append("min_minutes")
    if rule.min_share is not None and share < rule.min_share - 1e-9:
        found.append("min_share")
    if rule.min_score is not None and (score is None or score < rule.min_score - 1e-9):
        found.append("min_score")
    if rule.needs_survey and not has_answered:
        found.append("needs_survey")
    return tuple(found)


@dataclass(frozen=True)
class Condition:
    """One condition of a rule in words; `is_met` is None while that cannot be known yet."""

    text: str
    is_met: bool | None


def conditions_for(registration: Registration) -> list[Condition]:
    """What this person must do for a certificate, and what of it is done; nothing where there is no rule."""
    webinar = registration.webinar
    rule = CertificateRule.objects.filter(pk=webinar.pk).first()
    if rule is None:
        return []
    texts = condition_texts(rule)
    if not webinar.is_over:
        return [Condition(text, None) for text in texts.values()]
    decision = decisions(webinar, [registration])[0]
    # Before a report was counted it is not known who stayed how long.
    is_timed = decision.presence.minutes or webinar.attendance_imports.filter(state=WorkState.DONE).exists()
    open_names = set() if is_timed else {"min_minutes", "min_share"}
    return [
        Condition(text, None if name in open_names.intersection(decision.missing) else name not in decision.missing)
        for name, text in texts.items()
    ]


def condition_texts(rule: CertificateRule) -> dict[str, str]:
    """The conditions of a rule in words, by the name of their field."""
    found = {}
    if rule.min_minutes == 0:
        found["min_minutes"] = _("be there")
    elif rule.min_minutes is not None:
        text = ngettext("attend at least %(n)d minute", "attend at least %(n)d minutes", rule.min_minutes)
        found["min_minutes"] = text % {"n": rule.min_minutes}
    if rule.min_share is not None:
        text = _("attend at least %(percent)d %% of the session")
        found["min_share"] = text % {"percent": round(100 * rule.min_share)}
    if rule.min_score is not None:
        text = _("answer at least %(percent)d %% of the quiz after the session right")
        found["min_score"] = text % {"percent": round(100 * rule.min_score)}
    if rule.needs_survey:
        found["needs_survey"] = _("answer the survey after the session")
    return found


def to_issue(webinar: Webinar, judged: Iterable[Decision] | None = None) -> list[Decision]:
    """Who has earned a certificate and has none. Who had one that was revoked gets another only by `reissue`.

    Args:
        judged: what `decisions` said, where it was asked already.
    """
    have = set(Certificate.objects.filter(registration__webinar=webinar).values_list("registration", flat=True))
    people = decisions(webinar) if judged is None else judged
    return [one for one in people if one.is_earned and one.registration.pk not in have]


# --- Issuing -------------------------------------------------------------------------------------------------------
def request_batch(*, webinar: Webinar, user: User | None, expected: int) -> CertificateBatch:
    """Have all certificates made that were earned and not issued. While some are being made, that is the answer.

    Args:
        expected: how many the person who asked was told.

    Raises:
        NotYet: the session is not over, or there is no rule.
        CountChanged: it is another number by now.
    """
    if not webinar.is_over:
        raise NotYet(_("Certificates are issued after the session."))
    if not CertificateRule.objects.filter(pk=webinar.pk).exists():
        raise NotYet(_("First say what earns a certificate."))
    with transaction.atomic():
        Webinar.objects.select_for_update(of=("self",), no_key=True).get(pk=webinar.pk)
        running = webinar.certificate_batches.exclude(state__in=FINISHED_STATES).first()
        if running is not None:
            return running
        count = len(to_issue(webinar))
        if count != expected or not count:
            text = _("There are now %(count)d certificates to issue. Look again, then confirm.")
            raise CountChanged(text % {"count": count})
        batch = CertificateBatch.objects.create(webinar=webinar, created_by=user)
        work.enqueue(batch)
        record_action(
            action="certificate.batch_requested",
            target=webinar,
            organisation=webinar.organisation,
            user=user,
            count=count,
        )
    return batch


def retry_batch(*, batch: CertificateBatch, user: User | None) -> None:
    """Go on with a batch that failed or was cancelled: those that were made stay.

    Raises:
        StaleState: it neither failed nor was cancelled.
    """
    with transaction.atomic():
        work.retry(batch)
        work.enqueue(batch)
        _record_batch("certificate.batch_retried", batch, user)


def cancel_batch(*, batch: CertificateBatch, user: User | None) -> None:
    """Stop making certificates; those that were made stay."""
    work.request_cancel(batch)
    _record_batch("certificate.batch_cancelled", batch, user)


def _record_batch(action: str, batch: CertificateBatch, user: User | None) -> None:
    record_action(action=action, target=batch, organisation=batch.webinar.organisation, user=user)


def make_certificates(lease: Lease[CertificateBatch]) -> None:
    """Make what is missing, one after another; the handler of the kind "registration.certificates". May run again.

    One that cannot be made does not keep the others back.

    Raises:
        PermanentFailure: some could not be made.
    """
    webinar = lease.row.webinar
    wanted = to_issue(webinar)
    failed = 0
    for done, decision in enumerate(wanted):
        lease.report(100 * done / len(wanted), f"{done}/{len(wanted)}")
        try:
            issue(decision.registration, decision.presence, fence=lease.fenced)
        except documents.DocumentsUnavailable:
            raise
        except (ValueError, TypeError, IndexError, KeyError, AssertionError):  # what a drawing library may stumble over
            failed += 1
    if failed:
        text = _("%(failed)d of %(count)d certificates could not be made; the others are issued.")
        raise PermanentFailure(text % {"failed": failed, "count": len(wanted)})


def issue(
    registration: Registration, presence: Presence, *, fence: Callable[[], AbstractContextManager[None]]
) -> Certificate | None:
    """Make one certificate: file first, then the row. Returns None if another was issued meanwhile."""
    certificate = _drawn_up(registration, presence)
    key = private_storage().save(random_key("certificates", "certificate.pdf"), ContentFile(pdf_of(certificate)))
    certificate.key = key
    try:
        with fence(), transaction.atomic():
            certificate.save(force_insert=True)
            record_action(
                action="certificate.issued",
                target=certificate,
                organisation=registration.webinar.organisation,
                number=certificate.number,
            )
    except IntegrityError:
        private_storage().delete(key)
        return None
    except BaseException:
        private_storage().delete(key)
        raise
    return certificate


def _drawn_up(registration: Registration, presence: Presence) -> Certificate:
    webinar = registration.webinar
    rule = CertificateRule.objects.filter(pk=webinar.pk).first()
    language = interface_language(registration.language)
    now = timezone.now()
    with translation.override(language):
        when = session_time(webinar, time_zone=webinar.time_zone, language=language)
        values = {
            "name": clean_line(registration.name),
            "title": clean_line(str(webinar.title)),
            "date": day_text(webinar.starts_at, webinar.time_zone, language),
            "minutes": "" if presence.minutes is None else str(presence.minutes),
            "organisation": clean_line(webinar.organisation.name),
        }
        text = placeholders.fill(str(rule.text), values) if rule else ""
    facts = {
        "name": values["name"],
        "title": values["title"],
        "organisation": values["organisation"],
        "when": when.text,
        "zone": when.zone_name,
        "text": text,
        "signatory": rule.signatory if rule else "",
        "issued_on": day_text(now, webinar.time_zone, language),
    }
    return Certificate(
        registration=registration,
        number=_number(webinar),
        code=certificate_code(),
        language=language,
        # Nothing is said of minutes where attendance earned nothing.
        minutes=presence.minutes or None,
        facts=facts,
    )


def _number(webinar: Webinar) -> str:
    """Such as 2027-7KQ4-X2MB: forty random bits, so that it tells neither how many there are nor who has the next."""
    letters = "".join(secrets.choice(_ALPHABET) for _place in range(8))
    return f"{webinar.starts_at:%Y}-{letters[:4]}-{letters[4:]}"


def day_text(moment: datetime, time_zone: str, language: str) -> str:
    local = moment.astimezone(dates.get_timezone(time_zone))
    return str(dates.format_date(local.date(), format="long", locale=babel_locale(language)))


def pdf_of(certificate: Certificate) -> bytes:
    """Draw a certificate by what it says.

    Raises:
        DocumentsUnavailable: Pango is not installed.
    """
    url = check_url(certificate)
    context = {"certificate": certificate, "facts": certificate.facts, "check_url": url, "qr": documents.qr_code(url)}
    return documents.render_pdf(
        template="registration/certificate_pdf.html",
        style="certificate.css",
        context=context,
        language=certificate.language,
    )


def preview_pdf(*, webinar: Webinar, language: str) -> bytes:
    """What a certificate would look like, for a made-up name; it is no certificate and its code opens nothing."""
    length = round((webinar.ends_at - webinar.starts_at).total_seconds() / 60)
    with translation.override(interface_language(language)):
        name = _("Specimen")
    somebody = Registration(webinar=webinar, name=name, language=language)
    return pdf_of(_drawn_up(somebody, Presence(minutes=length)))


def check_url(certificate: Certificate) -> str:
    return settings.BASE_URL + reverse("registration:certificate_check", args=[certificate.code])


def reissue(*, certificate: Certificate, user: User | None) -> Certificate:
    """Revoke a certificate and issue another with what is known now, the name corrected, say; tell its holder by mail.

    Raises:
        StaleState: the person has another valid one, or this was replaced meanwhile.
    """
    registration = certificate.registration
    presence = attendance.attendance_of(registration)
    with transaction.atomic():
        if certificate.revoked_at is None:
            revoke(certificate=certificate, reason=_("Replaced by a new one"), user=user)
        made = issue(registration, presence, fence=transaction.atomic)
        if made is None:
            raise StaleState(_("This person has another certificate by now."))
        messages.send_certificate(registration)
    return made


# --- Checking and revoking -----------------------------------------------------------------------------------------
def certificate_by_code(code: str) -> Certificate | None:
    """Return the certificate with that code, valid or revoked; None for any other code."""
    if len(code) != len(certificate_code()) or not code.isascii():
        return None
    return Certificate.objects.filter(code=code).first()


def valid_certificate(registration: Registration) -> Certificate | None:
    return registration.certificates.filter(revoked_at=None).first()


def certificates_of(webinar: Webinar, *, search: str = "") -> "QuerySet[Certificate]":
    """The webinar's certificates, latest first; `search` looks in numbers, names and addresses."""
    found = Certificate.objects.filter(registration__webinar=webinar).select_related("registration", "revoked_by")
    for word in search.replace("\0", " ").split():
        found = found.filter(
            Q(number__icontains=word) | Q(registration__name__icontains=word) | Q(registration__email__icontains=word)
        )
    return found.order_by("-created_at", "pk")


def revoke(*, certificate: Certificate, reason: str, user: User | None) -> Certificate:
    """Withdraw a certificate: whoever checks it learns that, not why. Revoking twice changes nothing.

    Raises:
        InvalidDetail: no reason is given.
    """
    words = plain_text(reason, field="reason", label=_("Reason"), max_length=REASON_MAX, required=True)
    with transaction.atomic():
        changed = Certificate.objects.filter(pk=certificate.pk, revoked_at=None).update(
            revoked_at=timezone.now(), revoked_by=user, revoked_reason=words, updated_at=timezone.now()
        )
        if changed:
            record_action(
                action="certificate.revoked",
                target=certificate,
                organisation=certificate.registration.webinar.organisation,
                user=user,
                number=certificate.number,
                reason=words,
            )
    certificate.refresh_from_db()
    return certificate


def file_url(certificate: Certificate) -> str:
    """A short-lived address that downloads the file. Check first who may have it."""
    return private_storage().signed_url(
        certificate.key, file_name=f"certificate-{certificate.number}.pdf", content_type="application/pdf"
    )


def forget_certificates(registration: Registration) -> int:
    """Delete a person's certificates with their files, because their data are erased. Returns how many."""
    rows = list(registration.certificates.all())
    registration.certificates.all().delete()
    for row in rows:
        transaction.on_commit(partial(private_storage().delete, row.key))
    return len(rows)
