"""Addresses of this app's pages."""

from django.urls import path

from notifications import views, webhooks

app_name = "notifications"
urlpatterns = [
    path("mail/<str:token>/unsubscribe/", views.unsubscribe, name="unsubscribe"),
    *webhooks.routes(),
]
