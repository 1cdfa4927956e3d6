"""Who has a place at a webinar, and who waits for one; what they answered, when they were there, what they earned."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField

from accounts.models import Organisation
from events.models import Webinar, random_nonce
from work.models import Record, WorkRow


class Places(models.Model):
    """The counter that guards capacity, one row per webinar.

    A place is taken by a conditional UPDATE of this row, which holds on PostgreSQL and SQLite alike; counting in
    Python, or `select_for_update` on SQLite, would not. `capacity` is a copy of the webinar's, because the
    condition must read the row that it locks.
    """

    webinar = models.OneToOneField(Webinar, on_delete=models.CASCADE, primary_key=True, related_name="places")
    capacity = models.PositiveIntegerField(null=True)  # null: unlimited
    confirmed = models.PositiveIntegerField(default=0)
    last_position = models.PositiveIntegerField(default=0)  # last number given on the waiting list

    class Meta:
        verbose_name_plural = "places"

    def __str__(self) -> str:
        return f"{self.confirmed}/{self.capacity or '∞'}"


class RegistrationState(models.TextChoices):
    UNPROVED = "unproved", _("waiting for proof of the address")  # the mailed link was not opened yet
    PENDING = "pending", _("waiting for approval")
    CONFIRMED = "confirmed", _("confirmed")
    WAITLISTED = "waitlisted", _("on the waiting list")
    DECLINED = "declined", _("declined")
    CANCELLED = "cancelled", _("cancelled")


class RegistrationSource(models.TextChoices):
    FORM = "form", _("form")
    GROUP = "group", _("group")
    IMPORT = "import", _("import")
    API = "api", _("API")


class Invitation(Record):
    """A key to a webinar that only invited people may register for: personal (with an address) or shared."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"), max_length=254, blank=True)  # empty: whoever has the link
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=35, default="en")
    link_nonce = models.CharField(max_length=32, default=random_nonce)
    max_uses = models.PositiveIntegerField(_("registrations"), null=True, blank=True)  # null: no limit
    uses = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.email or 'shared'} for {self.webinar}"


class Group(Record):
    """A team that one person, its coordinator, registers; each member has a registration and a link of their own."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(_("name of the team"), max_length=200)
    coordinator_name = models.CharField(_("your name"), max_length=150)
    coordinator_email = models.EmailField(_("your e-mail address"), max_length=254)
    language = models.CharField(_("language"), max_length=35, default="en")
    link_nonce = models.CharField(max_length=32, default=random_nonce)

    def __str__(self) -> str:
        return self.name


class Registration(Record):
    """A registrant: one per webinar and address."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="registrations")
    state = models.CharField(_("state"), max_length=10, choices=RegistrationState)
    email = models.EmailField(_("e-mail address"), max_length=254)
    name = models.CharField(_("name"), max_length=150)
    language = models.CharField(_("language"), max_length=35, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    country = models.CharField(_("country"), max_length=2, blank=True)  # ISO 3166-1 alpha-2
    profession = models.CharField(_("profession"), max_length=100, blank=True)
    sector = models.CharField(_("sector"), max_length=100, blank=True)
    affiliation = models.CharField(_("organisation"), max_length=200, blank=True)
    source = models.CharField(max_length=10, choices=RegistrationSource, default=RegistrationSource.FORM)
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="members")
    invitation = models.ForeignKey(Invitation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # Which text of the privacy notice was agreed to, and when: {"privacy": {"version": "1", "at": "..."}}
    consents = models.JSONField(default=dict)
    waitlist_position = models.PositiveIntegerField(null=True, blank=True)  # order only; not what is shown
    calendar_sequence = models.PositiveIntegerField(default=0)
    link_nonce = models.CharField(max_length=32, default=random_nonce)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    proved_at = models.DateTimeField(null=True, blank=True)  # when the mailed link showed that the mailbox is theirs
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(F("webinar"), Lower("email"), name="one_registration_per_address"),
        ]
        indexes = [
            models.Index(
                fields=["webinar", "waitlist_position"], name="waitlist_order", condition=Q(state="waitlisted")
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    @property
    def sequence(self) -> int:
        """SEQUENCE of this person's calendar entry: it grows when the webinar or the registration changes."""
        return self.webinar.calendar_sequence + self.calendar_sequence


class AnnouncementKind(models.TextChoices):
    CHANGED = "changed", _("changed")
    CANCELLED = "cancelled", _("cancelled")
    REMINDER = "reminder", _("reminder")
    MESSAGE = "message", _("message from the organiser")
    RECORDING = "recording", _("recording")
    SURVEY = "survey", _("survey")
    CERTIFICATE = "certificate", _("certificate")


class Announcement(WorkRow):
    """Something that many registrants of a webinar are told. As a work row it is the writing of all these mails.

    A reminder is due at `session_starts_at` minus `minutes_before`. A message from the organiser waits until its
    recipients, fixed when it was written, were confirmed with their number.
    """

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="announcements")
    kind = models.CharField(max_length=12, choices=AnnouncementKind)
    version = models.PositiveIntegerField()  # the webinar's calendar_sequence, or a number of its own
    changes = models.JSONField(default=list)  # names of the changed fields
    minutes_before = models.PositiveIntegerField(null=True)
    session_starts_at = models.DateTimeField(null=True)  # the start that a reminder was planned for
    segment = models.CharField(max_length=20, blank=True)  # whom a message is for, such as "attended"
    recipients = models.JSONField(null=True)  # ids of registrations, once fixed; null: everybody registered
    subject = I18nCharField(_("subject"), max_length=200, blank=True)
    text = I18nTextField(_("text"), blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    written_to = models.UUIDField(null=True)  # mails are written in the order of the registrations' ids, up to here

    class Meta(WorkRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["webinar", "kind", "version"], name="one_announcement_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.webinar} {self.kind} ({self.version})"


class CalendarFeed(Record):
    """A person's secret address of a calendar with all their webinars. A new nonce ends the old address."""

    email = models.EmailField(max_length=254, unique=True)
    link_nonce = models.CharField(max_length=32, default=random_nonce)

    def __str__(self) -> str:
        return self.email


# --- Consents ------------------------------------------------------------------------------------------------------
class ConsentKind(models.TextChoices):
    PRIVACY = "privacy", _("privacy notice")
    RECORDING = "recording", _("being recorded")
    CONTACT = "contact", _("being told of further webinars")


class ConsentText(Record):
    """One version of what people agree to. Never changed once it was shown: a new wording is a new version."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="consent_texts")
    kind = models.CharField(max_length=10, choices=ConsentKind)
    version = models.PositiveIntegerField()
    text = I18nTextField(_("text"))  # empty: not asked for any more
    is_required = models.BooleanField(_("nobody can register without agreeing"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "kind", "version"], name="one_consent_text_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version} of {self.organisation}"


class Consent(Record):
    """What a registrant agreed to and when; taken back without a trace in the text itself."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="given_consents")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registration", "text"], name="one_consent_per_text")]

    def __str__(self) -> str:
        return f"{self.text} by {self.registration}"


# --- Questions -----------------------------------------------------------------------------------------------------
class QuestionKind(models.TextChoices):
    TEXT = "text", _("short text")
    LONG_TEXT = "long_text", _("long text")
    CHOICE = "choice", _("one of several")
    MULTIPLE = "multiple", _("several of several")
    NUMBER = "number", _("number")
    DATE = "date", _("date")
    FILE = "file", _("file")
    SCALE = "scale", _("scale of 1 to 5")


class QuestionnairePurpose(models.TextChoices):
    REGISTRATION = "registration", _("registration")
    SURVEY = "survey", _("survey after the session")
    QUIZ_BEFORE = "quiz_before", _("quiz before the session")
    QUIZ_AFTER = "quiz_after", _("quiz after the session")


class Question(Record):
    """A question of an organisation, to be asked in any of its webinars."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="questions")
    kind = models.CharField(_("kind"), max_length=10, choices=QuestionKind)
    label = I18nCharField(_("question"), max_length=300)
    help_text = I18nCharField(_("help"), max_length=500, blank=True)
    # [{"id": "a1", "label": {"en": ..., "fr": ...}, "is_right": true}]; ids stay when labels change
    choices = models.JSONField(default=list)
    minimum = models.FloatField(null=True, blank=True)
    maximum = models.FloatField(null=True, blank=True)
    is_retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return str(self.label)


class Questionnaire(Record):
    """The questions that one webinar asks at one occasion."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="questionnaires")
    purpose = models.CharField(max_length=12, choices=QuestionnairePurpose)
    introduction = I18nTextField(_("introduction"), blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webinar", "purpose"], name="one_questionnaire_per_purpose")]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.webinar}"


class QuestionnaireItem(Record):
    """A question in its place. With `shown_if` it is asked only of those who chose one of `shown_if_choices` there."""

    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.CASCADE, related_name="items")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveIntegerField()
    is_required = models.BooleanField(_("must be answered"), default=False)
    shown_if = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    shown_if_choices = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]

    def __str__(self) -> str:
        return str(self.question)


class ChoiceSeats(Record):
    """The counter that guards a choice with limited seats, like `Places` guards the webinar."""

    item = models.ForeignKey(QuestionnaireItem, on_delete=models.CASCADE, related_name="seats")
    choice = models.CharField(max_length=20)
    capacity = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "choice"], name="one_counter_per_choice")]

    def __str__(self) -> str:
        return f"{self.taken}/{self.capacity}"


class Response(Record):
    """One registrant's answers to one questionnaire."""

    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.CASCADE, related_name="responses")
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="responses")
    score = models.FloatField(null=True)  # share of right answers of a quiz, 0 to 1

    class Meta:
        constraints = [models.UniqueConstraint(fields=["questionnaire", "registration"], name="one_response_each")]

    def __str__(self) -> str:
        return f"{self.registration}: {self.questionnaire}"


class Answer(Record):
    """A text, a number, a date as text (ISO 8601), or ids of choices; a file is in the store under `file_key`."""

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="answers")
    item = models.ForeignKey(QuestionnaireItem, on_delete=models.CASCADE, related_name="answers")
    value = models.JSONField(null=True)
    file_key = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["response", "item"], name="one_answer_per_item")]

    def __str__(self) -> str:
        return f"{self.item}: {self.value}"


# --- Lists from elsewhere ------------------------------------------------------------------------------------------
class RegistrationImport(WorkRow):
    """A list of people to register. waiting: its rows are shown with what would become of each; then it is done."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    group = models.ForeignKey(Group, null=True, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=255)
    heading = models.JSONField(default=list)  # the names of the columns, empty where they have none
    columns = models.JSONField(default=dict)  # the number of the column by what it holds
    # [{"line": 2, "values": {"email": ...}, "answers": {item: text}, "outcome": "new", "error": "", "open": "",
    # "registration": ""}], with the line's "cells" until it is confirmed
    rows = models.JSONField(default=list)

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return self.file_name


# --- Attendance and certificates -----------------------------------------------------------------------------------
class AttendanceSource(models.TextChoices):
    JOIN_LINK = "join_link", _("join link")
    ZOOM = "zoom", _("Zoom report")
    TEAMS = "teams", _("Teams report")
    BIGBLUEBUTTON = "bbb", _("BigBlueButton report")
    OTHER = "other", _("other report")
    PERSON = "person", _("by hand")


class AttendanceImport(WorkRow):
    """A conference system's report of who was there. waiting: its doubtful rows are being looked at."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="attendance_imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    system = models.CharField(max_length=10, choices=AttendanceSource)
    file_name = models.CharField(max_length=255)
    # Until it is counted:
    # [{"line": 2, "name": ..., "email": ..., "joined_at": ..., "left_at": ..., "registration": id, "match": "name"}]
    # and what was not understood: {"line": 3, "unread": "times", "text": ...}. Where the columns are not known, all
    # lines from the heading on: {"line": 2, "cells": [...]}.
    rows = models.JSONField(default=list)
    replaces = models.BooleanField(default=True)  # earlier reports of the same system
    unread_lines = models.PositiveIntegerField(default=0)
    counted_people = models.PositiveIntegerField(default=0)
    left_out_people = models.PositiveIntegerField(default=0)

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return self.file_name


class Attendance(Record):
    """A stretch of time in which a registrant was in the live session, as far as one source knows."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="attendances")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)  # null: not known, as with the join link
    source = models.CharField(max_length=10, choices=AttendanceSource)
    imported_with = models.ForeignKey(AttendanceImport, null=True, on_delete=models.CASCADE, related_name="intervals")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["joined_at"]

    def __str__(self) -> str:
        return f"{self.registration} from {self.joined_at:%H:%M}"


class CertificateRule(models.Model):
    """What earns a certificate of a webinar; fixed before it starts."""

    webinar = models.OneToOneField(Webinar, on_delete=models.CASCADE, primary_key=True, related_name="certificate_rule")
    min_minutes = models.PositiveIntegerField(_("minutes attended"), null=True, blank=True)
    min_share = models.FloatField(_("share of the session"), null=True, blank=True)  # 0 to 1
    min_score = models.FloatField(_("share of right answers"), null=True, blank=True)  # 0 to 1, quiz after
    needs_survey = models.BooleanField(_("survey answered"), default=False)
    text = I18nTextField(_("text on the certificate"), blank=True)
    signatory = models.CharField(_("signed by"), max_length=200, blank=True)

    def __str__(self) -> str:
        return f"certificate of {self.webinar}"


def certificate_code() -> str:
    return secrets.token_urlsafe(18)


class CertificateBatch(WorkRow):
    """The making of all certificates that a webinar's registrants have earned."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="certificate_batches")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return f"certificates of {self.webinar}"


class Certificate(Record):
    """A document that says who attended what. Whoever has the code can check it; a revoked one says so."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="certificates")
    number = models.CharField(max_length=40, unique=True)
    code = models.CharField(max_length=32, unique=True, default=certificate_code)
    language = models.CharField(max_length=35)
    minutes = models.PositiveIntegerField(null=True)
    key = models.CharField(max_length=200)
    # What is printed, and shown to whoever checks it: {"name": ..., "title": ..., "organisation": ..., ...}
    facts = models.JSONField(default=dict)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    revoked_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registration"], condition=Q(revoked_at=None), name="one_valid_certificate_each"
            )
        ]

    def __str__(self) -> str:
        return self.number
