"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from transcripts.api import views

router = SimpleRouter()
router.register("tracks", views.TrackViewSet, basename="track")
