"""Addresses of this app's pages."""

from django.urls import URLPattern, URLResolver, path

from library.views import beats, catalogue, embed, light, playback, watch

app_name = "library"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", catalogue.catalogue, name="catalogue"),
    path("search/", catalogue.search, name="search"),
    path("series/<slug:slug>/", catalogue.series, name="series"),
    path("webinars/<slug:slug>/", catalogue.webinar, name="webinar"),
    path("webinars/<slug:slug>/watch/", watch.watch, name="watch"),
    path("webinars/<slug:slug>/watch/grant/", watch.new_grant, name="new_grant"),
    path("webinars/<slug:slug>/light/", light.light, name="light"),
    path("webinars/<slug:slug>/light/<str:name>", light.light_file, name="light_file"),
    path("webinars/<slug:slug>/poster-<int:side>.<str:ending>", watch.poster, name="poster_size"),
    path("webinars/<slug:slug>/poster.jpg", watch.poster, name="poster"),
    path("webinars/<slug:slug>/transcript/<str:language>/", watch.transcript, name="transcript"),
    path("webinars/<slug:slug>/downloads/video/<str:name>", watch.download_video, name="download_video"),
    path(
        "webinars/<slug:slug>/downloads/subtitles/<str:language>.<str:text_format>",
        watch.download_track,
        name="download_track",
    ),
    path("webinars/<slug:slug>/downloads/slides/<uuid:pk>/", watch.download_material, name="download_material"),
    path("embed/<slug:slug>/", embed.embed, name="embed"),
    path("embed/<slug:slug>/grant/", embed.embed_grant, name="embed_grant"),
    path("oembed", embed.oembed, name="oembed"),
    path("playback/<str:grant>/beats/", beats.beat, name="beat"),
    path("playback/<str:grant>/files/<str:name>", playback.media_file, name="media_file"),
    path("playback/<str:grant>/master.m3u8", playback.master, name="master"),
    path("playback/<str:grant>/chapters.vtt", playback.chapters, name="chapters"),
    path("playback/<str:grant>/storyboard.vtt", playback.storyboard, name="storyboard"),
    path("playback/<str:grant>/poster.jpg", playback.poster, name="playback_poster"),
    path("playback/<str:grant>/subtitles/<str:language>.m3u8", playback.subtitle_playlist, name="subtitle_playlist"),
    path("playback/<str:grant>/subtitles/<str:language>.vtt", playback.subtitles, name="subtitles"),
    path("playback/<str:grant>/keys/<str:rendition>.m3u8", playback.iframe_playlist, name="iframe_playlist"),
    path("playback/<str:grant>/<str:rendition>.m3u8", playback.media_playlist, name="media_playlist"),
]
