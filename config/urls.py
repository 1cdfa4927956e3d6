"""All addresses; each app's own are in its urls.py."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include(("config.api_urls", "api"))),
    path("", include("media.urls")),
    path("", include("events.urls")),
    path("", include("registration.urls")),
    path("", include("library.urls")),
    path("", include("studio.urls")),
]
