"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from studio.api.channels import ChannelViewSet
from studio.api.views import ProductionViewSet, WatchedFileViewSet

router = SimpleRouter()
router.register("productions", ProductionViewSet, basename="production")
router.register("watched-files", WatchedFileViewSet, basename="watched-file")
router.register("channels", ChannelViewSet, basename="channel")
