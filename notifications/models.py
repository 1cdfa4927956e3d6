"""The outbox: one row per mail, unique by what it is for. Knows recipients, not webinars."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from work.models import Record, WorkRow

ACCOUNT = "account"  # the purpose of mails about signing in; what they say is a secret
NEWS = "news"  # the scope of what an organisation tells those who agreed to hear of further webinars


class Delivery(models.TextChoices):
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    UNKNOWN = "unknown", _("unknown")  # handed to the mail server, outcome lost
    SUPPRESSED = "suppressed", _("not sent")  # no longer wanted, or the address is suppressed


class Message(WorkRow):
    """A mail for one purpose, to one person, about one thing, in one version: never two of the same."""

    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE, related_name="messages")
    purpose = models.CharField(max_length=40)
    about = models.CharField(max_length=60)  # such as "registration:<id>"
    version = models.PositiveIntegerField(default=0)
    recipient_email = models.EmailField(max_length=254)
    recipient_name = models.CharField(max_length=150, blank=True)
    language = models.CharField(max_length=35)
    delivery = models.CharField(max_length=10, choices=Delivery, default=Delivery.QUEUED)
    message_id = models.CharField(max_length=200, unique=True)  # with its angle brackets (RFC 5322, section 3.6.4)
    reply_to = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField()
    calendar = models.TextField(blank=True)  # an iCalendar object (RFC 5545)
    calendar_method = models.CharField(max_length=10, blank=True)  # REQUEST or CANCEL (RFC 5546)
    is_bulk = models.BooleanField(default=False)
    scope = models.CharField(max_length=60, blank=True)  # what it belongs to, such as "webinar:<id>" or NEWS
    is_optional = models.BooleanField(default=False)  # its reader may ask for no more of this scope (RFC 8058)
    handed_over_at = models.DateTimeField(null=True, blank=True)  # set while, and after, the mail server hears of it
    repeats = models.PositiveSmallIntegerField(default=0)  # times it was sent again because the outcome was lost
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta(WorkRow.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "about", "recipient_email", "version"], name="one_mail_per_purpose"
            )
        ]
        indexes = [
            *WorkRow.Meta.indexes,
            models.Index(fields=["handed_over_at"], name="message_handed_over_at"),
            models.Index(fields=["about"], name="message_about"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} to {self.recipient_email}"


class Suppression(Record):
    """An address that gets no mail, and why."""

    email = models.EmailField(max_length=254, unique=True)
    reason = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.email


class OptOut(Record):
    """A person who wants no more optional mail of one scope: about a webinar, or an organisation's news."""

    email = models.EmailField(max_length=254)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="opt_outs")
    scope = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["email", "organisation", "scope"], name="one_opt_out_per_scope")]

    def __str__(self) -> str:
        return f"{self.email}: no {self.scope} of {self.organisation}"


class MailTemplate(Record):
    """An organisation's own words for one kind of mail in one language, for all its webinars or one of them."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="mail_templates")
    about = models.CharField(max_length=60, blank=True)  # such as "webinar:<id>"; empty: all of the organisation's
    template = models.CharField(max_length=60)  # the folder below mail/
    language = models.CharField(max_length=35)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "about", "template", "language"], name="one_mail_template_per_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.template} ({self.language}) of {self.organisation}"


class BounceKind(models.TextChoices):
    HARD = "hard", _("refused for good")
    SOFT = "soft", _("refused for now")
    AUTOMATIC = "automatic", _("automatic answer")
    COMPLAINT = "complaint", _("reported as unwanted")


class Bounce(Record):
    """What came back for a mail (RFC 3464), and when."""

    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="bounces")
    email = models.EmailField(max_length=254)
    kind = models.CharField(max_length=10, choices=BounceKind)
    detail = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.email}"
