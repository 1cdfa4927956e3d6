"""All addresses; each app's own are in its urls.py."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from config import health

admin.site.site_header = admin.site.site_title = settings.SITE_NAME
# One door to sign in by, with one set of limits on tries.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as allauth documents

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("health/details", health.details, name="health-details"),
    path("api/v1/", include(("config.api_urls", "api"))),
    path("", include("media.urls")),
    path("", include("events.urls")),
    path("", include("notifications.urls")),
    path("", include("registration.urls")),
    path("", include("library.urls")),
    path("", include("studio.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
