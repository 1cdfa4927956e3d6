"""What people agreed to: versioned texts of the organisation, and who agreed to which version and when.

A text is never changed. A new wording is a new version, asked of those who register from then on; what was agreed to
before stays what it was. The organisation that has written no privacy notice uses the one that comes with the service
(templates/registration/includes/privacy.html), agreement to which stands in `Registration.consents`.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organisation, User
from accounts.services import record_action
from events.validators import translated_text
from registration.errors import ConsentChanged, ConsentMissing, InvalidQuestion
from registration.models import Consent, ConsentKind, ConsentText, Registration, RegistrationSource

TEXT_MAX: Final = 20_000
PRIVACY_VERSION: Final = "1"  # of the text in templates/registration/includes/privacy.html


# --- Texts ---------------------------------------------------------------------------------------------------------
def current_texts(organisation: Organisation) -> dict[str, ConsentText]:
    """The latest version of each text that is asked for, by kind."""
    latest: dict[str, ConsentText] = {}
    for text in ConsentText.objects.filter(organisation=organisation).order_by("version"):
        latest[text.kind] = text
    return {kind: latest[kind] for kind in ConsentKind.values if kind in latest and latest[kind].text.data}


def write_text(
    *, organisation: Organisation, kind: str, text: object, is_required: bool = False, user: User | None = None
) -> ConsentText:
    """Write a new version of a text; an empty one ends the asking. The same words again are no new version.

    Privacy is always required, being told of further webinars never: consent to that would not be free.

    Raises:
        InvalidQuestion, events.errors.InvalidValue: there is no such kind, or the text is too long.
    """
    if kind not in ConsentKind.values:
        raise InvalidQuestion(_("Choose a kind of text from the list."), field="kind")
    cleaned = translated_text(
        text,
        field="text",
        label=gettext_lazy("Text"),
        language=organisation.language,
        max_length=TEXT_MAX,
        one_line=False,
    )
    is_required = {ConsentKind.PRIVACY: True, ConsentKind.CONTACT: False}.get(ConsentKind(kind), is_required)
    with transaction.atomic():
        # An UPDATE locks the row on every database: versions get their numbers one after the other.
        Organisation.objects.filter(pk=organisation.pk).update(name=F("name"))
        versions = ConsentText.objects.filter(organisation=organisation, kind=kind)
        latest = versions.order_by("-version").first()
        if latest is not None and latest.text.data == cleaned.data and latest.is_required == is_required:
            return latest
        made = ConsentText.objects.create(
            organisation=organisation,
            kind=kind,
            version=(versions.aggregate(last=Max("version"))["last"] or 0) + 1,
            text=cleaned,
            is_required=is_required,
        )
        record_action(
            action="consent_text.written",
            target=made,
            organisation=organisation,
            user=user,
            kind=kind,
            version=made.version,
        )
    return made


# --- Giving and taking back ----------------------------------------------------------------------------------------
def agreed_texts(*, organisation: Organisation, given: Mapping[str, str]) -> list[ConsentText]:
    """The texts that a person agreed to, checked against those that are asked for now.

    Args:
        given: by kind, the id of the version that was shown and agreed to.

    Raises:
        ConsentMissing: a required one is missing; `field` is its kind.
        ConsentChanged: another version was shown than holds now; it has to be read again.
    """
    agreed = []
    for kind, text in current_texts(organisation).items():
        version = str(given.get(kind) or "")
        if not version:
            if text.is_required:
                raise ConsentMissing(_("Without agreeing to this you cannot register."), field=f"consent_{kind}")
            continue
        if version.replace("-", "") != text.pk.hex:
            raise ConsentChanged(
                _("This text was changed a moment ago. Please read it again."), field=f"consent_{kind}"
            )
        agreed.append(text)
    return agreed


def give(*, registration: Registration, texts: Iterable[ConsentText]) -> None:
    """Note that a registrant agrees to these versions, now; one that was taken back is given again."""
    for text in texts:
        consent, is_new = Consent.objects.get_or_create(registration=registration, text=text)
        if not is_new and consent.withdrawn_at is not None:
            consent.delete()
            Consent.objects.create(registration=registration, text=text)


def change(*, registration: Registration, kind: str, is_given: bool, version: str = "") -> None:
    """Give or take back a consent on the registrant's own page. What required it is not undone; privacy stays, since
    without it there is no registration: cancelling and erasing are its ways out. It can be given by whom somebody else
    registered.

    Args:
        version: of the text that was shown (see `open_consents`); empty where a text may have changed meanwhile.

    Raises:
        InvalidQuestion: there is no such consent to give, or it cannot be taken back.
        ConsentChanged: another version was shown than holds now; it has to be read again.
    """
    text = current_texts(registration.webinar.organisation).get(kind)
    is_built_in = kind == ConsentKind.PRIVACY and text is None
    if kind == ConsentKind.PRIVACY:
        is_possible = is_given and kind in open_consents([registration])[registration.pk]
    else:
        is_possible = text is not None or not is_given
    if not is_possible:
        raise InvalidQuestion(_("There is no such consent to change."), field="kind")
    if is_given and version and version != (str(text.pk) if text else PRIVACY_VERSION):
        raise ConsentChanged(_("This text was changed a moment ago. Please read it again."), field=f"consent_{kind}")
    with transaction.atomic():
        if is_built_in:
            registration.consents |= built_in_consents([kind])
            registration.save(update_fields=["consents", "updated_at"])
        elif is_given and text is not None:
            give(registration=registration, texts=[text])
        else:
            Consent.objects.filter(registration=registration, text__kind=kind, withdrawn_at=None).update(
                withdrawn_at=timezone.now(), updated_at=timezone.now()
            )
        record_action(
            action="consent.given" if is_given else "consent.withdrawn",
            target=registration,
            organisation=registration.webinar.organisation,
            actor="registrant",
            kind=kind,
        )


def built_in_consents(kinds: Iterable[str], *, said_by: str = "") -> dict[str, dict[str, str]]:
    """What `Registration.consents` holds for texts that were agreed to now.

    Args:
        said_by: who said it for the person ("coordinator", "organiser"); empty when they said it themselves.
    """
    note = {"version": PRIVACY_VERSION, "at": timezone.now().isoformat(timespec="seconds")}
    return {kind: note | ({"by": said_by} if said_by else {}) for kind in sorted(kinds)}


# --- Asking --------------------------------------------------------------------------------------------------------
def has_consent(registration: Registration, kind: str) -> bool:
    """Whether the registrant agrees to something of that kind, in whatever version."""
    if kind == ConsentKind.PRIVACY and _agreed_to_built_in(registration):
        return True
    return registration.given_consents.filter(text__kind=kind, withdrawn_at=None).exists()


def _agreed_to_built_in(registration: Registration) -> bool:
    note = registration.consents.get(ConsentKind.PRIVACY.value)
    return note is not None and not note.get("by")


def open_consents(registrations: Iterable[Registration]) -> dict[UUID, list[str]]:
    """The required consents, by kind, that people never gave because others registered them, per registration.

    Who used the form agreed to what was required then, and is not asked again. What somebody gave and took back is not
    open: they decided. Registrations must come with their webinars; the number of queries does not grow with theirs.
    """
    rows = list(registrations)
    others = [row for row in rows if row.source != RegistrationSource.FORM]
    found: dict[UUID, list[str]] = {row.pk: [] for row in rows}
    if not others:
        return found
    required: dict[UUID, dict[str, ConsentText]] = {}
    organisations = {row.webinar.organisation_id: row.webinar.organisation for row in others}
    for pk, organisation in organisations.items():
        required[pk] = {kind: text for kind, text in current_texts(organisation).items() if text.is_required}
    ever = set(Consent.objects.filter(registration__in=others).values_list("registration", "text__kind"))
    for row in others:
        texts = required[row.webinar.organisation_id]
        kinds = [kind for kind in texts if (row.pk, kind) not in ever]
        if ConsentKind.PRIVACY not in texts and not _agreed_to_built_in(row):
            kinds.insert(0, ConsentKind.PRIVACY.value)
        found[row.pk] = kinds
    return found


def with_consent(registrations: "QuerySet[Registration]", kind: str) -> "QuerySet[Registration]":
    """Those of the registrations that `has_consent` is true of (privacy: of the organisation's own texts)."""
    given = Consent.objects.filter(registration=OuterRef("pk"), text__kind=kind, withdrawn_at=None)
    return registrations.filter(Exists(given))


def withdraw_contact(*, registration: Registration) -> int:
    """Take back, for this address in the whole organisation, the consent to be told of further webinars: what the
    link in such a mail asks for. Returns how many registrations it changed."""
    same = Q(
        registration__email__iexact=registration.email,
        registration__webinar__organisation=registration.webinar.organisation_id,
    )
    with transaction.atomic():
        count = Consent.objects.filter(same, text__kind=ConsentKind.CONTACT, withdrawn_at=None).update(
            withdrawn_at=timezone.now(), updated_at=timezone.now()
        )
        if count:
            record_action(
                action="consent.withdrawn",
                target=registration,
                organisation=registration.webinar.organisation,
                actor="registrant",
                kind=ConsentKind.CONTACT.value,
            )
    return count
