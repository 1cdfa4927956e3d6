"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from registration.api.attendance import (
    AttendanceImportViewSet,
    AttendanceViewSet,
    CertificateBatchViewSet,
    CertificateRuleViewSet,
    CertificateViewSet,
)
from registration.api.lists import ImportViewSet, TeamViewSet
from registration.api.mails import MailTextViewSet, MessageViewSet
from registration.api.questions import ConsentTextViewSet, QuestionnaireViewSet, QuestionViewSet
from registration.api.views import InvitationViewSet, RegistrationViewSet

router = SimpleRouter()
router.register("registrations", RegistrationViewSet, basename="registration")
router.register("invitations", InvitationViewSet, basename="invitation")
router.register("questions", QuestionViewSet, basename="question")
router.register("questionnaires", QuestionnaireViewSet, basename="questionnaire")
router.register("consent-texts", ConsentTextViewSet, basename="consent-text")
router.register("attendances", AttendanceViewSet, basename="attendance")
router.register("attendance-imports", AttendanceImportViewSet, basename="attendance-import")
router.register("certificate-rules", CertificateRuleViewSet, basename="certificate-rule")
router.register("certificates", CertificateViewSet, basename="certificate")
router.register("certificate-batches", CertificateBatchViewSet, basename="certificate-batch")
router.register("messages", MessageViewSet, basename="message")
router.register("mail-texts", MailTextViewSet, basename="mail-text")
router.register("registration-imports", ImportViewSet, basename="registration-import")
router.register("teams", TeamViewSet, basename="team")
