"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from registration.api.views import InvitationViewSet, RegistrationViewSet

router = SimpleRouter()
router.register("registrations", RegistrationViewSet, basename="registration")
router.register("invitations", InvitationViewSet, basename="invitation")
