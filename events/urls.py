"""Addresses of this app's pages."""

from django.urls import path

from events import views

app_name = "events"
urlpatterns = [
    path("calendar.ics", views.site_calendar, name="site-calendar"),
    path("webinars/<slug:slug>/calendar.ics", views.webinar_calendar, name="webinar-calendar"),
    path("series/<slug:slug>/calendar.ics", views.series_calendar, name="series-calendar"),
]
