"""Addresses of this app's pages."""

from django.urls import path

from media import views

app_name = "media"
urlpatterns = [
    path("files/<str:token>", views.file_view, name="file"),
    path("parts/<str:token>", views.part_view, name="part"),
]
