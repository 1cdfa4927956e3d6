"""Who may see a webinar's page. What its recording shows, and to whom, is decided in library/rules.py."""

from accounts import rules
from accounts.models import ApiToken, Role
from accounts.rules import Person
from events.models import Visibility, Webinar, WebinarState


def can_see_webinar(webinar: Webinar, person: Person, *, token: ApiToken | None = None) -> bool:
    """True if the person may open the page that announces the webinar.

    Drafts and internal webinars are the organisation's alone. Webinars whose recording is for registrants still have
    an open page: one must be able to read what one registers for.
    """
    if webinar.state != WebinarState.DRAFT and webinar.visibility != Visibility.ORGANISATION:
        return True
    return rules.has_role(person, webinar.organisation, Role.REVIEWER, token=token)
