"""This app's part of /api/v1/."""

from rest_framework.routers import SimpleRouter

router = SimpleRouter()
