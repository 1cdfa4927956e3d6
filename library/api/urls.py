"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from library.api.views import RecordingViewSet

router = SimpleRouter()
router.register("recordings", RecordingViewSet, basename="recording")
