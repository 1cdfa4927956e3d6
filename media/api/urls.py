"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from media.api.views import UploadViewSet

router = SimpleRouter()
router.register("uploads", UploadViewSet, basename="upload")
