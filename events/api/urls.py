"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from events.api import views

router = SimpleRouter()
router.register("webinars", views.WebinarViewSet, basename="webinar")
router.register("series", views.SeriesViewSet, basename="series")
router.register("speakers", views.SpeakerViewSet, basename="speaker")
router.register("materials", views.MaterialViewSet, basename="material")
