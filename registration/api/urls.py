"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from registration.api.views import RegistrationViewSet

router = SimpleRouter()
router.register("registrations", RegistrationViewSet, basename="registration")
