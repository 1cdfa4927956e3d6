"""Why somebody cannot register, and what is wrong with what they typed."""

from django.utils.functional import Promise

from work.errors import DomainError


class RegistrationError(DomainError):
    """Base of this app's errors."""

    code = "registration_error"


class InvalidDetail(RegistrationError):
    """A field holds something that cannot be meant. `field` names it."""

    code = "invalid"


class RegistrationClosed(RegistrationError):
    """Registration has ended, or never began."""

    code = "registration_closed"
    status = 410


class RegistrationNotOpen(RegistrationError):
    """Registration begins later."""

    code = "registration_not_open"
    status = 403


class WebinarCancelled(RegistrationError):
    code = "webinar_cancelled"
    status = 410


class WrongDomain(RegistrationError):
    """The address belongs to none of the institutions whose people may register."""

    code = "wrong_domain"
    status = 403


class InvitationNeeded(RegistrationError):
    """Only invited people may register, and this one showed no invitation."""

    code = "invitation_needed"
    status = 403


class InvitationEnded(RegistrationError):
    """The invitation was revoked, has expired, or is used up."""

    code = "invitation_ended"
    status = 410


class InvitationForAnother(RegistrationError):
    """A personal invitation works for the address it was sent to, and no other."""

    code = "invitation_for_another"
    status = 403


class ConsentMissing(RegistrationError):
    """Without agreeing to the privacy notice nobody can be registered."""

    code = "consent_missing"


class NotRegistered(RegistrationError):
    """The registration is cancelled, so that this is no longer possible."""

    code = "not_registered"
    status = 409


class WrongState(RegistrationError):
    """The registration is not in the state that this action starts from."""

    code = "wrong_state"
    status = 409


class GroupFull(RegistrationError):
    """A team has as many members as one coordinator may register."""

    code = "group_full"
    status = 409


class FileUnreadable(RegistrationError):
    """A list of people cannot be read: not a table, or without a column that is needed."""

    code = "file_unreadable"


class InvalidQuestion(RegistrationError):
    """A question or questionnaire cannot be meant so. `field` names what is wrong."""

    code = "invalid"


class QuestionAnswered(RegistrationError):
    """People answered the question, and the change would take their answers' meaning away."""

    code = "question_answered"
    status = 409


class InvalidAnswer(RegistrationError):
    """One answer cannot be meant. Raised together as `AnswersRefused`."""

    code = "invalid"


class AnswersRefused(RegistrationError):
    """Answers are missing or wrong: `errors` says which, by the item's id."""

    code = "answers_refused"

    def __init__(self, message: str, *, errors: dict[str, str], code: str = "") -> None:
        super().__init__(message, code=code, field="answers", errors=errors)
        self.errors = errors


class ConsentChanged(RegistrationError):
    """The text was changed while the person read it."""

    code = "consent_changed"
    status = 409


class NotOpen(RegistrationError):
    """A survey or quiz cannot be answered now."""

    code = "not_open"
    status = 409


class MessageRefused(RegistrationError):
    """A message to registrants cannot be written or sent as it is."""

    code = "message_refused"

    def __init__(self, message: str | Promise, *, code: str = "", field: str = "", status: int = 400) -> None:
        super().__init__(message, code=code, field=field)
        self.status = status
