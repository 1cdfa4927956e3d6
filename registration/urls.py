"""Addresses of this app's pages."""

from django.urls import path

from registration import answer_views, calendar_views, certificate_views, data_views, series_views, team_views, views

app_name = "registration"
urlpatterns = [
    path("webinars/<slug:slug>/register/", views.register, name="register"),
    path("webinars/<slug:slug>/register/sent/", views.sent, name="sent"),
    path("webinars/<slug:slug>/register/links/", views.links_again, name="links_again"),
    path("webinars/<slug:slug>/register/team/", team_views.start, name="start_group"),
    path("series/<slug:slug>/register/", series_views.register, name="register_series"),
    path("series/<slug:slug>/register/sent/", series_views.sent, name="sent_series"),
    path("invitations/<str:token>/", views.invited, name="invited"),
    path("proofs/<str:token>/", views.prove, name="prove"),
    path("teams/<str:token>/", team_views.team, name="group"),
    path("teams/<str:token>/withdraw/<uuid:pk>/", team_views.withdraw, name="group_withdraw"),
    path("teams/<str:token>/lists/", team_views.upload, name="group_upload"),
    path("teams/<str:token>/lists/<uuid:pk>/", team_views.preview, name="group_import"),
    path("registrations/", views.all_own, name="all_own"),
    path("registrations/<str:token>/", views.own, name="own"),
    path("registrations/<str:token>/change/", views.change, name="change"),
    path("registrations/<str:token>/cancel/", views.cancel, name="cancel"),
    path("registrations/<str:token>/answers/<slug:purpose>/", answer_views.answer, name="answer"),
    path("registrations/<str:token>/consents/", answer_views.own_consents, name="consents"),
    path("registrations/<str:token>/data/", data_views.own_data, name="data"),
    path("registrations/<str:token>/data.zip", data_views.own_data_file, name="data_file"),
    path("registrations/<str:token>/certificate.pdf", certificate_views.certificate, name="certificate"),
    path("certificates/<str:code>/", certificate_views.check, name="certificate_check"),
    path("registrations/<str:token>/calendar.ics", views.calendar, name="calendar"),
    path("registrations/<str:token>/subscribe/", calendar_views.subscribe, name="subscribe"),
    path("calendars/<str:token>/webinars.ics", calendar_views.feed, name="feed"),
    path("join/<str:token>/", views.join, name="join"),
]
