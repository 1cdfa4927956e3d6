"""Addresses of this app's pages: `/studio/...` for organisers, `/speak/<token>/` for speakers."""

from django.urls import URLPattern, URLResolver, include, path

from studio.attendance_urls import attendance_urls, certificate_urls
from studio.views import (
    consents,
    cutting,
    downloads,
    poster,
    productions,
    questions,
    recordings,
    registrants,
    share,
    slides,
    sound,
    speak,
    speakers,
    tokens,
    tracks,
    versions,
    viewers,
    watched,
    webinars,
)

app_name = "studio"

questionnaire_urls: list[URLPattern | URLResolver] = [
    path("", questions.questionnaire, name="questionnaire"),
    path("new/", questions.item_new, name="questionnaire_item_new"),
    path("add/", questions.item_add, name="questionnaire_item_add"),
    path("copy/", questions.questionnaire_copy, name="questionnaire_copy"),
    path("preview/", questions.preview, name="questionnaire_preview"),
    path("results/", questions.questionnaire_results, name="questionnaire_results"),
    path("answers.<slug:format>", questions.questionnaire_table, name="questionnaire_table"),
    path("<uuid:item>/", questions.item, name="questionnaire_item"),
    path("<uuid:item>/move/", questions.item_move, name="questionnaire_item_move"),
    path("<uuid:item>/remove/", questions.item_remove, name="questionnaire_item_remove"),
]

webinar_urls: list[URLPattern | URLResolver] = [
    path("", webinars.webinar, name="webinar"),
    path("edit/", webinars.webinar_edit, name="webinar_edit"),
    path("publish/", webinars.webinar_publish, name="webinar_publish"),
    path("cancel/", webinars.webinar_cancel, name="webinar_cancel"),
    path("delete/", versions.webinar_delete, name="webinar_delete"),
    path("speakers/", speakers.speakers, name="speakers"),
    path("speakers/new/", speakers.speaker_create, name="speaker_create"),
    path("materials/", speakers.materials, name="materials"),
    path("registrants/", registrants.registrants, name="registrants"),
    path("registrants.csv", registrants.registrants_csv, name="registrants_csv"),
    path("questions/", questions.questionnaires, name="questionnaires"),
    path("questions/<slug:purpose>/", include(questionnaire_urls)),
    path("recordings/", recordings.recordings, name="recordings"),
    path("recordings/new/", recordings.recording_upload, name="recording_upload"),
]

recording_urls: list[URLPattern | URLResolver] = [
    path("", recordings.recording, name="recording"),
    path("publish/", recordings.recording_publish, name="recording_publish"),
    path("withdraw/", recordings.recording_withdraw, name="recording_withdraw"),
    path("visibility/", recordings.recording_visibility, name="recording_visibility"),
    path("produce/", recordings.production_start, name="production_start"),
    path("cut/", cutting.cut, name="cut"),
    path("cut/state/", cutting.cut_state, name="cut_state"),
    path("cut/cancel/", cutting.cut_cancel, name="cut_cancel"),
    path("cut/retry/", cutting.cut_retry, name="cut_retry"),
    path("downloads/", downloads.downloads, name="recording_downloads"),
    path("burn-ins/", downloads.burn_in_request, name="burn_in_request"),
    path("burn-ins/state/", downloads.burn_in_rows, name="burn_in_rows"),
    path("burn-ins/allowed/", downloads.burn_ins_allowed, name="burn_ins_allowed"),
    path("sound/", sound.sound, name="sound"),
    path("sound/state/", sound.sound_state, name="sound_state"),
    path("sound/received/", sound.channel_receive, name="channel_receive"),
    path("sound/<uuid:channel>/", sound.channel, name="channel"),
    path("sound/<uuid:channel>/rename/", sound.channel_rename, name="channel_rename"),
    path("sound/<uuid:channel>/retry/", sound.channel_retry, name="channel_retry"),
    path("sound/<uuid:channel>/remove/", sound.channel_remove, name="channel_remove"),
    path("sound/<uuid:channel>/<int:number>/<slug:side>.m4a", sound.channel_excerpt, name="channel_excerpt"),
    path("versions/", versions.versions, name="versions"),
    path("delete/", versions.recording_delete, name="recording_delete"),
    path("poster/", poster.poster, name="poster"),
    path("slides/", slides.slides, name="slides"),
    path("slides/find/", slides.slides_find, name="slides_find"),
    path("slides/<uuid:interval>/remove/", slides.slide_remove, name="slide_remove"),
    path("chapters/", slides.chapters, name="chapters"),
    path("tracks/", tracks.track_upload, name="track_upload"),
    path("share/", share.share, name="share"),
    path("share/<uuid:link>/revoke/", share.embed_link_revoke, name="embed_link_revoke"),
    path("viewers/", viewers.viewers, name="viewers"),
    path("viewers.csv", viewers.viewers_csv, name="viewers_csv"),
]

track_urls: list[URLPattern | URLResolver] = [
    path("publish/", tracks.track_publish, name="track_publish"),
    path("unpublish/", tracks.track_unpublish, name="track_unpublish"),
    path("delete/", tracks.track_delete, name="track_delete"),
    path("download/<slug:format>/", tracks.track_download, name="track_download"),
]

production_urls: list[URLPattern | URLResolver] = [
    path("", productions.production, name="production"),
    path("steps/", productions.production_steps, name="production_steps"),
    path("publish/", productions.production_publish, name="production_publish"),
    path("cancel/", productions.production_cancel, name="production_cancel"),
]

speak_urls: list[URLPattern | URLResolver] = [
    path("", speak.portal, name="speak"),
    path("materials/", speak.materials, name="speak_materials"),
    path("materials/<uuid:pk>/remove/", speak.material_remove, name="speak_material_remove"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("studio/", webinars.dashboard, name="dashboard"),
    path("studio/webinars/new/", webinars.webinar_create, name="webinar_create"),
    path("studio/webinars/<uuid:pk>/", include(webinar_urls)),
    path("studio/webinars/<uuid:pk>/attendance/", include(attendance_urls)),
    path("studio/webinars/<uuid:pk>/certificates/", include(certificate_urls)),
    path("studio/speakers/<uuid:pk>/", speakers.speaker_edit, name="speaker_edit"),
    path("studio/speakers/<uuid:pk>/remove/", speakers.speaker_remove, name="speaker_remove"),
    path("studio/speakers/<uuid:pk>/invite/", speakers.speaker_invite, name="speaker_invite"),
    path("studio/materials/<uuid:pk>/remove/", speakers.material_remove, name="material_remove"),
    path("studio/recordings/<uuid:pk>/", include(recording_urls)),
    path("studio/tracks/<uuid:pk>/", include(track_urls)),
    path("studio/productions/<uuid:pk>/", include(production_urls)),
    path("studio/steps/<uuid:pk>/retry/", productions.step_retry, name="step_retry"),
    path("studio/steps/<uuid:pk>/skip/", productions.step_skip, name="step_skip"),
    path("studio/burn-ins/<uuid:pk>/cancel/", downloads.burn_in_cancel, name="burn_in_cancel"),
    path("studio/burn-ins/<uuid:pk>/retry/", downloads.burn_in_retry, name="burn_in_retry"),
    path("studio/versions/<uuid:pk>/restore/", versions.version_restore, name="version_restore"),
    path("webinars/<slug:slug>/downloads/burned/", downloads.burn_in_ask, name="burn_in_ask"),
    path("studio/watched/", watched.watched_files, name="watched_files"),
    path("studio/watched/<uuid:pk>/retry/", watched.watched_file_retry, name="watched_file_retry"),
    path("studio/consents/", consents.consent_texts, name="consents"),
    path("studio/consents/<uuid:pk>/<slug:kind>/", consents.consent_text, name="consent_text"),
    path("studio/questions/", questions.library, name="question_library"),
    path("studio/questions/<uuid:pk>/", questions.question, name="question"),
    path("studio/questions/<uuid:pk>/retire/", questions.question_retire, name="question_retire"),
    path("studio/answers/<uuid:pk>/file/", questions.answer_file, name="answer_file"),
    path("studio/tokens/", tokens.tokens, name="tokens"),
    path("studio/tokens/<uuid:pk>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("speak/<str:token>/", include(speak_urls)),
]
