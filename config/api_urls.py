"""/api/v1/: each app registers its own resources."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from events.api.urls import router as events_router
from library.api.urls import router as library_router
from media.api.urls import router as media_router
from registration.api.urls import router as registration_router
from studio.api.urls import router as studio_router
from transcripts.api.urls import router as transcripts_router

router = SimpleRouter()
for part in (events_router, media_router, registration_router, transcripts_router, library_router, studio_router):
    router.registry.extend(part.registry)

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    path("", include(router.urls)),
]
