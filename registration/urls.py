"""Addresses of this app's pages."""

from django.urls import path

from registration import views

app_name = "registration"
urlpatterns = [
    path("webinars/<slug:slug>/register/", views.register, name="register"),
    path("webinars/<slug:slug>/register/sent/", views.sent, name="sent"),
    path("webinars/<slug:slug>/register/links/", views.links_again, name="links_again"),
    path("registrations/<str:token>/", views.own, name="own"),
    path("registrations/<str:token>/change/", views.change, name="change"),
    path("registrations/<str:token>/cancel/", views.cancel, name="cancel"),
    path("registrations/<str:token>/calendar.ics", views.calendar, name="calendar"),
    path("join/<str:token>/", views.join, name="join"),
]
