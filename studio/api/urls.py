"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

from studio.api.channels import ChannelViewSet
from studio.api.keeping import KeepingTimesViewSet
from studio.api.mails import OptOutViewSet, SuppressionViewSet
from studio.api.recordings import BurnInViewSet, CutViewSet, FormerVersionViewSet
from studio.api.reports import ReportViewSet
from studio.api.views import ProductionViewSet, WatchedFileViewSet

router = SimpleRouter()
router.register("productions", ProductionViewSet, basename="production")
router.register("watched-files", WatchedFileViewSet, basename="watched-file")
router.register("cuts", CutViewSet, basename="cut")
router.register("burn-ins", BurnInViewSet, basename="burn-in")
router.register("former-versions", FormerVersionViewSet, basename="former-version")
router.register("channels", ChannelViewSet, basename="channel")
router.register("reports", ReportViewSet, basename="report")
router.register("suppressions", SuppressionViewSet, basename="suppression")
router.register("opt-outs", OptOutViewSet, basename="opt-out")
router.register("keeping-times", KeepingTimesViewSet, basename="keeping-times")
