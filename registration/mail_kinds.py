"""The mails about a registration that organisations may word themselves."""

from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.text import without_links
from events.models import Webinar
from notifications import wording
from notifications.models import Message
from notifications.rendering import Rendered, interface_language, render
from notifications.services import send
from notifications.wording import MailKind
from registration import messages
from registration.times import session_times

TEST = "registration.words_test"

_ALWAYS = ("name", "title", "organisation", "time", "page_link")
_ALL = (*_ALWAYS, "own_link")
_LINKS = tuple(one.source for one in wording.PLACEHOLDERS.values() if one.link and one.source != "page_url")


def register() -> None:
    """Make them known, when the app is ready. Whatever their reader cannot do without is required."""
    for kind in (
        MailKind("confirmation", _("Confirmation of a place"), (*_ALL, "join_link"), ("join_link", "own_link")),
        MailKind("waitlisted", _("On the waiting list"), _ALL, ("own_link",)),
        MailKind("promoted", _("A place became free"), (*_ALL, "join_link"), ("join_link", "own_link")),
        MailKind("pending", _("Waits for approval"), _ALL),
        MailKind("proof", _("Confirm the address"), (*_ALWAYS, "proof_link"), ("proof_link",)),
        MailKind(
            "invitation",
            _("Personal invitation"),
            (*_ALWAYS, "invitation_link", "until"),
            ("invitation_link",),
        ),
        MailKind("group", _("Link for a team’s coordinator"), (*_ALWAYS, "team", "team_link"), ("team_link",)),
        MailKind("declined", _("Declined"), _ALL),
        MailKind("cancelled", _("Place given up"), _ALL),
        MailKind("webinar_changed", _("The webinar changed"), _ALL, ("time", "own_link")),
        MailKind("webinar_cancelled", _("The webinar is cancelled"), _ALL),
        MailKind("reminder", _("Reminder"), (*_ALL, "join_link"), ("join_link", "time")),
        MailKind("certificate", _("Certificate"), (*_ALL, "certificate_link"), ("certificate_link",)),
        MailKind("survey", _("Survey"), (*_ALL, "survey_link"), ("survey_link",)),
    ):
        wording.register(kind)


# --- Trying out ----------------------------------------------------------------------------------------------------
def words_for(*, webinar: Webinar, template: str, language: str) -> wording.Words | None:
    """The words that a reader of that language gets now, or None for the standard text."""
    return wording.own_words(
        organisation=webinar.organisation, scope=messages.scope_of(webinar), template=template, language=language
    )


def preview(
    *, webinar: Webinar, template: str, language: str, reader_name: str, words: wording.Words | None
) -> Rendered:
    """A mail as a reader of `language` gets it: this webinar's real data, and addresses that open nothing."""
    return render(
        template=template,
        language=words.language if words else language,
        recipient_name=reader_name,
        context=_sample(webinar, language),
        own_words=words,
    )


def send_test(
    *, webinar: Webinar, template: str, language: str, user: User, words: wording.Words | None
) -> Message | None:
    """Send the preview to the person who asks. Each call is a mail."""
    return send(
        purpose=TEST,
        about=messages.scope_of(webinar),
        version=int(timezone.now().timestamp()),
        recipient_email=user.email,
        recipient_name=user.name or user.email,
        language=words.language if words else language,
        template=template,
        context=_sample(webinar, language),
        organisation=webinar.organisation,
        words=words,
    )


def _sample(webinar: Webinar, language: str) -> dict[str, Any]:
    spoken = interface_language(language)
    with translation.override(language):
        title = str(webinar.title)
    page = f"{settings.BASE_URL}/webinars/{webinar.slug}/"
    return {
        "title": without_links(title),
        "times": session_times(webinar, time_zone=webinar.time_zone, language=spoken),
        "organisation_name": without_links(webinar.organisation.name),
        "page_url": page,
        **dict.fromkeys(_LINKS, f"{page}#"),
        "group_name": translation.gettext("Team"),
        "expires": "",
        "has_place": True,
        "had_place": True,
        "time_changed": True,
    }
