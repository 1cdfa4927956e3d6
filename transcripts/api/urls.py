"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from transcripts.api import views

router = SimpleRouter()
router.register("tracks", views.TrackViewSet, basename="track")
router.register("glossary-terms", views.TermViewSet, basename="glossary-term")
router.register("languages", views.LanguageViewSet, basename="language")
