"""Who gets which answer from which address (promises A1, A2, A6, A11).

Every address of the service must have a row here; a new one without a row fails. How to add one is said in
tests/config/access.py.
"""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from tests.config.access import ROLES, Row, World, build_world, door_of, doors, new_times, parse, routes

PAGE_ROLES = ROLES[:8]  # pages do not know API tokens

SERVICE = """
#                                           anon regi spkr revw orgn ownr othr admn
GET    /health/live                          200  200  200  200  200  200  200  200
GET    /health/ready                         200  200  200  200  200  200  200  200
GET    /health/details                       404  404  404  200  200  200  200  200
GET    /calendar.ics                         200  200  200  200  200  200  200  200
GET    /webinars/{public}/calendar.ics       200  200  200  200  200  200  200  200
GET    /webinars/{closed}/calendar.ics       200  200  200  200  200  200  200  200
GET    /webinars/{internal}/calendar.ics     404  404  404  200  200  200  404  200
GET    /webinars/{draft}/calendar.ics        404  404  404  200  200  200  404  200
GET    /series/{series}/calendar.ics         200  200  200  200  200  200  200  200
GET    /series/{hidden_series}/calendar.ics  404  404  404  404  404  404  404  404
GET    /api/v1/schema/                       200  200  200  200  200  200  200  200
GET    /api/v1/docs/                         200  200  200  200  200  200  200  200
POST   /i18n/setlang/                        302  302  302  302  302  302  302  302
"""

ACCOUNTS = """
#                                             anon regi spkr revw orgn ownr othr admn
GET    /accounts/login/                        200  200  200  302  302  302  302  302
GET    /accounts/login/code/                   200  200  200  302  302  302  302  302
GET    /accounts/login/code/confirm/           302  302  302  302  302  302  302  302
GET    /accounts/logout/                       302  302  302  200  200  200  200  200
POST   /accounts/logout/                       302  302  302  302  302  302  302  302
GET    /accounts/signup/                       200  200  200  302  302  302  302  302
POST   /accounts/signup/                       200  200  200  302  302  302  302  302
GET    /accounts/inactive/                     200  200  200  200  200  200  200  200
GET    /accounts/reauthenticate/               302  302  302  200  200  200  200  200
GET    /accounts/email/                        302  302  302  200  200  200  200  200
GET    /accounts/confirm-email/                200  200  200  200  200  200  200  200
GET    /accounts/confirm-email/forged/         200  200  200  200  200  200  200  200
GET    /accounts/password/change/              302  302  302  200  200  200  200  200
GET    /accounts/password/set/                 302  302  302  302  302  302  302  302
GET    /accounts/password/reset/               200  200  200  200  200  200  200  200
GET    /accounts/password/reset/done/          200  200  200  200  200  200  200  200
GET    /accounts/password/reset/key/1-forged/  200  200  200  200  200  200  200  200
GET    /accounts/password/reset/key/done/      200  200  200  200  200  200  200  200
"""

VIEWERS = """
#                                                                anon regi spkr revw orgn ownr othr admn
GET    /                                                          200  200  200  200  200  200  200  200
GET    /search/                                                   200  200  200  200  200  200  200  200
GET    /series/{series}/                                          200  200  200  200  200  200  200  200
GET    /series/{hidden_series}/                                   404  404  404  200  200  200  404  200
GET    /webinars/{public}/                                        200  200  200  200  200  200  200  200
GET    /webinars/{closed}/                                        200  200  200  200  200  200  200  200
GET    /webinars/{internal}/                                      404  404  404  200  200  200  404  200
GET    /webinars/{draft}/                                         404  404  404  200  200  200  404  200
GET    /webinars/{public}/watch/                                  200  200  200  200  200  200  200  200
GET    /webinars/{closed}/watch/                                  403  200  403  200  200  200  403  200
GET    /webinars/{draft}/watch/                                   404  404  404  200  200  200  404  200
GET    /webinars/{public}/watch/grant/                            200  200  200  200  200  200  200  200
GET    /webinars/{closed}/watch/grant/                            404  200  404  200  200  200  404  200
GET    /webinars/{draft}/watch/grant/                             404  404  404  200  200  200  404  200
GET    /webinars/{public}/poster.jpg                              200  200  200  200  200  200  200  200
GET    /webinars/{closed}/poster.jpg                              404  200  404  200  200  200  404  200
GET    /webinars/{draft}/poster.jpg                               404  404  404  404  404  404  404  404
GET    /webinars/{public}/light/                                 200  200  200  200  200  200  200  200
GET    /webinars/{closed}/light/                                 403  200  403  200  200  200  403  200
GET    /webinars/{draft}/light/                                  404  404  404  200  200  200  404  200
GET    /webinars/{public}/light/sound.m4a                        200  200  200  200  200  200  200  200
GET    /webinars/{closed}/light/sound.m4a                        404  200  404  200  200  200  404  200
GET    /webinars/{draft}/light/sound.m4a                         404  404  404  404  404  404  404  404
GET    /webinars/{public}/poster-320.webp                        200  200  200  200  200  200  200  200
GET    /webinars/{closed}/poster-320.jpg                         404  200  404  200  200  200  404  200
GET    /playback/{grant}/chapters.vtt                            404  200  404  404  404  404  404  404
GET    /webinars/{public}/transcript/en/                          200  200  200  200  200  200  200  200
GET    /webinars/{closed}/transcript/en/                          404  200  404  200  200  200  404  200
GET    /webinars/{draft}/transcript/fr/                           404  404  404  404  404  404  404  404
GET    /webinars/{public}/downloads/video/720p.mp4                200  200  200  200  200  200  200  200
GET    /webinars/{closed}/downloads/video/720p.mp4                404  200  404  200  200  200  404  200
GET    /webinars/{draft}/downloads/video/720p.mp4                 404  404  404  404  404  404  404  404
GET    /webinars/{public}/downloads/subtitles/en.vtt              200  200  200  200  200  200  200  200
GET    /webinars/{closed}/downloads/subtitles/en.vtt              404  200  404  200  200  200  404  200
GET    /webinars/{draft}/downloads/subtitles/fr.vtt               404  404  404  404  404  404  404  404
GET    /webinars/{public}/downloads/slides/{public_material_id}/  200  200  200  200  200  200  200  200
GET    /webinars/{closed}/downloads/slides/{closed_material_id}/  404  200  404  200  200  200  404  200
GET    /webinars/{draft}/downloads/slides/{draft_material_id}/    404  404  404  200  200  200  404  200
GET    /webinars/{public}/downloads/slides/{draft_material_id}/   404  404  404  404  404  404  404  404
GET    /playback/{grant}/master.m3u8                              404  200  404  404  404  404  404  404
GET    /playback/{grant}/720p.m3u8                                404  200  404  404  404  404  404  404
GET    /playback/{grant}/keys/720p.m3u8                           404  200  404  404  404  404  404  404
GET    /playback/{grant}/storyboard.vtt                           404  200  404  404  404  404  404  404
GET    /playback/{grant}/poster.jpg                               404  200  404  404  404  404  404  404
GET    /playback/{grant}/files/720p.mp4                           404  200  404  404  404  404  404  404
POST   /playback/{grant}/beats/                                   404  204  404  404  404  404  404  404
GET    /playback/{grant}/beats/                                   405  405  405  405  405  405  405  405
GET    /embed/{public}/                                           200  200  200  200  200  200  200  200
GET    /embed/{closed}/                                           404  404  404  404  404  404  404  404
GET    /embed/{closed}/?{embed_query}                             200  200  200  200  200  200  200  200
GET    /embed/{public}/grant/                                     200  200  200  200  200  200  200  200
GET    /embed/{closed}/grant/                                     404  404  404  404  404  404  404  404
GET    /embed/{closed}/grant/?{embed_query}                       200  200  200  200  200  200  200  200
GET    /oembed                                                    404  404  404  404  404  404  404  404
GET    /oembed?url=http://testserver/webinars/{public}/watch/     200  200  200  200  200  200  200  200
GET    /oembed?url=http://testserver/webinars/{closed}/watch/     404  404  404  404  404  404  404  404
GET    /playback/{grant}/subtitles/en.m3u8                        404  200  404  404  404  404  404  404
GET    /playback/{grant}/subtitles/en.vtt                         404  200  404  404  404  404  404  404
GET    /files/{file}                                              403  200  403  403  403  403  403  403
PUT    /parts/{part}                                              403  403  403  403  200  403  403  403
"""

REGISTRANTS = """
#                                         anon regi spkr revw orgn ownr othr admn
GET    /webinars/{public}/register/        200  200  200  200  200  200  200  200
GET    /webinars/{closed}/register/        200  200  200  200  200  200  200  200
GET    /webinars/{internal}/register/      404  404  404  200  200  200  404  200
GET    /webinars/{draft}/register/         404  404  404  410  410  410  404  410
POST   /webinars/{public}/register/        200  200  200  200  200  200  200  200
POST   /webinars/{draft}/register/         404  404  404  410  410  410  404  410
GET    /webinars/{public}/register/sent/   200  200  200  200  200  200  200  200
GET    /webinars/{draft}/register/sent/    404  404  404  200  200  200  404  200
GET    /webinars/{public}/register/links/  200  200  200  200  200  200  200  200
GET    /webinars/{draft}/register/links/   404  404  404  200  200  200  404  200
GET    /webinars/{public}/register/team/   200  200  200  200  200  200  200  200
POST   /webinars/{public}/register/team/   200  200  200  200  200  200  200  200
GET    /webinars/{draft}/register/team/    404  404  404  410  410  410  404  410
GET    /series/{series}/register/          200  200  200  200  200  200  200  200
POST   /series/{series}/register/          200  200  200  200  200  200  200  200
GET    /series/{hidden_series}/register/   404  404  404  404  404  404  404  404
GET    /series/{series}/register/sent/     200  200  200  200  200  200  200  200
GET    /registrations/                     302  302  302  200  200  200  200  200
GET    /invitations/{invitation}/          404  200  404  404  404  404  404  404
POST   /invitations/{invitation}/          404  200  404  404  404  404  404  404
GET    /invitations/{own}/                 404  404  404  404  404  404  404  404
GET    /proofs/{proof}/                    404  200  404  404  404  404  404  404
POST   /proofs/{proof}/                    404  302  404  404  404  404  404  404
GET    /proofs/{own}/                      404  404  404  404  404  404  404  404
GET    /teams/{team}/                      404  200  404  404  404  404  404  404
GET    /teams/{team}/withdraw/{member_id}/        404  200  404  404  404  404  404  404
POST   /teams/{team}/withdraw/{member_id}/        404  302  404  404  404  404  404  404
GET    /teams/{team}/withdraw/{registration_id}/  404  404  404  404  404  404  404  404
POST   /teams/{team}/lists/                404  422  404  404  404  404  404  404
GET    /teams/{team}/lists/{team_import_id}/  404  200  404  404  404  404  404  404
POST   /teams/{team}/lists/{team_import_id}/  404  302  404  404  404  404  404  404
GET    /teams/{team}/lists/{import_id}/       404  404  404  404  404  404  404  404
GET    /registrations/{own}/               404  200  404  404  404  404  404  404
GET    /registrations/{own}/change/        404  200  404  404  404  404  404  404
POST   /registrations/{own}/change/        404  200  404  404  404  404  404  404
GET    /registrations/{own}/cancel/        404  200  404  404  404  404  404  404
POST   /registrations/{own}/cancel/        404  302  404  404  404  404  404  404
GET    /registrations/{own}/answers/registration/  404  200  404  404  404  404  404  404
POST   /registrations/{own}/answers/registration/  404  302  404  404  404  404  404  404
GET    /registrations/{own}/answers/survey/        404  404  404  404  404  404  404  404
GET    /registrations/{own}/consents/              404  200  404  404  404  404  404  404
POST   /registrations/{own}/consents/              404  302  404  404  404  404  404  404
GET    /registrations/{own}/data/                  404  200  404  404  404  404  404  404
POST   /registrations/{own}/data/                  404  422  404  404  404  404  404  404
GET    /registrations/{own}/data.zip               404  200  404  404  404  404  404  404
GET    /registrations/{own}/calendar.ics   404  200  404  404  404  404  404  404
GET    /registrations/{own}/certificate.pdf  404  302  404  404  404  404  404  404
GET    /certificates/{certificate_code}/   200  200  200  200  200  200  200  200
GET    /certificates/{own}/                404  404  404  404  404  404  404  404
GET    /join/{join}/                       404  200  404  404  404  404  404  404
GET    /join/{own}/                        404  404  404  404  404  404  404  404
GET    /registrations/{join}/              404  404  404  404  404  404  404  404
GET    /registrations/{own}/subscribe/     404  200  404  404  404  404  404  404
POST   /registrations/{own}/subscribe/     404  302  404  404  404  404  404  404
GET    /calendars/{feed}/webinars.ics      404  200  404  404  404  404  404  404
GET    /calendars/{own}/webinars.ics       404  404  404  404  404  404  404  404
GET    /mail/{unsubscribe}/unsubscribe/    404  200  404  404  404  404  404  404
POST   /mail/{unsubscribe}/unsubscribe/    404  200  404  404  404  404  404  404
GET    /mail/{own}/unsubscribe/            404  404  404  404  404  404  404  404
"""

SPEAKERS = """
#                                                            anon regi spkr revw orgn ownr othr admn
GET    /speak/{speak}/                                        404  404  200  404  404  404  404  404
POST   /speak/{speak}/                                        404  404  200  404  404  404  404  404
POST   /speak/{speak}/materials/                              404  404  400  404  404  404  404  404
GET    /speak/{speak}/materials/                              404  404  302  404  404  404  404  404
POST   /speak/{speak}/materials/{draft_material_id}/remove/   404  404  302  404  404  404  404  404
POST   /speak/{speak}/materials/{public_material_id}/remove/  404  404  404  404  404  404  404  404
GET    /speak/{own}/                                          404  404  404  404  404  404  404  404
GET    /review/{review}/                                      404  404  200  404  404  404  404  404
POST   /review/{review}/                                      404  404  302  404  404  404  404  404
GET    /review/{review}/data/                                 404  404  200  404  404  404  404  404
POST   /review/{review}/save/                                 404  404  400  404  404  404  404  404
GET    /review/{review}/peaks/                                404  404  404  404  404  404  404  404
POST   /review/{review}/peaks/                                404  404  404  404  404  404  404  404
GET    /review/{review}/grant/                                404  404  200  404  404  404  404  404
"""

STUDIO = """
#                                                           anon regi spkr revw orgn ownr othr admn
GET    /studio/                                              302  302  302  200  200  200  200  200
GET    /studio/webinars/new/                                 302  302  302  403  200  200  200  200
POST   /studio/webinars/new/                                 302  302  302  403  200  200  200  200
GET    /studio/webinars/{draft_id}/                          302  302  302  200  200  200  404  200
GET    /studio/webinars/{public_id}/                         302  302  302  200  200  200  404  200
GET    /studio/webinars/{draft_id}/edit/                     302  302  302  403  200  200  404  200
POST   /studio/webinars/{draft_id}/edit/                     302  302  302  403  200  200  404  200
GET    /studio/webinars/{draft_id}/publish/                  302  302  302  405  405  405  405  405
POST   /studio/webinars/{draft_id}/publish/                  302  302  302  403  302  302  404  302
GET    /studio/webinars/{public_id}/cancel/                  302  302  302  403  200  200  404  200
POST   /studio/webinars/{public_id}/cancel/                  302  302  302  403  302  302  404  302
GET    /studio/webinars/{draft_id}/speakers/                 302  302  302  200  200  200  404  200
GET    /studio/webinars/{draft_id}/speakers/new/             302  302  302  403  200  200  404  200
POST   /studio/webinars/{draft_id}/speakers/new/             302  302  302  403  302  302  404  302
GET    /studio/webinars/{draft_id}/materials/                302  302  302  302  302  302  404  302
POST   /studio/webinars/{draft_id}/materials/                302  302  302  403  400  400  404  400
GET    /studio/webinars/{closed_id}/registrants/             302  302  302  200  200  200  404  200
GET    /studio/webinars/{closed_id}/registrants.csv          302  302  302  405  405  405  405  405
POST   /studio/webinars/{closed_id}/registrants.csv          302  302  302  403  200  200  404  200
GET    /studio/webinars/{closed_id}/attendance/              302  302  302  200  200  200  404  200
GET    /studio/webinars/{closed_id}/attendance/table.csv     302  302  302  405  405  405  405  405
POST   /studio/webinars/{closed_id}/attendance/table.csv     302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/attendance/table.xlsx    302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/attendance/reports/      302  302  302  403  422  422  404  422
GET    /studio/webinars/{closed_id}/attendance/reports/{attendance_report_id}/ 302 302 302 200 200 200 404 200
POST   /studio/webinars/{closed_id}/attendance/reports/{attendance_report_id}/ 302 302 302 403 302 302 404 302
POST   /studio/webinars/{closed_id}/attendance/reports/{attendance_report_id}/columns/ 302 302 302 403 302 302 404 302
POST   /studio/webinars/{closed_id}/attendance/reports/{attendance_report_id}/discard/ 302 302 302 403 302 302 404 302
GET    /studio/webinars/{closed_id}/attendance/people/{registration_id}/ 302 302 302 403 200 200 404 200
POST   /studio/webinars/{closed_id}/attendance/people/{registration_id}/ 302 302 302 403 200 200 404 200
GET    /studio/webinars/{closed_id}/certificates/            302  302  302  200  200  200  404  200
GET    /studio/webinars/{closed_id}/certificates/state/      302  302  302  200  200  200  404  200
GET    /studio/webinars/{closed_id}/certificates/rule/       302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/certificates/rule/       302  302  302  403  200  200  404  200
GET    /studio/webinars/{closed_id}/certificates/preview.pdf  302  302  302  200  200  200  404  200
POST   /studio/webinars/{closed_id}/certificates/issue/      302  302  302  403  302  302  404  302
POST   /studio/webinars/{closed_id}/certificates/batches/{certificate_batch_id}/cancel/ 302 302 302 403 302 302 404 302
POST   /studio/webinars/{closed_id}/certificates/batches/{certificate_batch_id}/retry/ 302 302 302 403 302 302 404 302
GET    /studio/webinars/{closed_id}/certificates/{certificate_id}/file.pdf 302 302 302 302 302 302 404 302
GET    /studio/webinars/{closed_id}/certificates/{certificate_id}/revoke/ 302 302 302 403 200 200 404 200
POST   /studio/webinars/{closed_id}/certificates/{certificate_id}/revoke/ 302 302 302 403 200 200 404 200
POST   /studio/webinars/{closed_id}/certificates/{certificate_id}/reissue/ 302 302 302 403 302 302 404 302
POST   /studio/webinars/{closed_id}/registrants.xlsx         302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/registrants/decide/      302  302  302  403  302  302  404  302
POST   /studio/webinars/{closed_id}/registrants/capacity/    302  302  302  403  302  302  404  302
GET    /studio/webinars/{closed_id}/registrants/import/      302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/registrants/import/      302  302  302  403  200  200  404  200
GET    /studio/webinars/{closed_id}/invitations/             302  302  302  200  200  200  404  200
POST   /studio/webinars/{closed_id}/invitations/             302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/invitations/shared/      302  302  302  403  302  302  404  302
GET    /studio/webinars/{closed_id}/groups/                  302  302  302  200  200  200  404  200
GET    /studio/registrants/{registration_id}/                302  302  302  403  200  200  404  200
POST   /studio/registrants/{registration_id}/approve/        302  302  302  403  302  302  404  302
POST   /studio/registrants/{registration_id}/decline/        302  302  302  403  302  302  404  302
POST   /studio/registrants/{registration_id}/resend/         302  302  302  403  302  302  404  302
GET    /studio/registrants/{registration_id}/cancel/         302  302  302  403  200  200  404  200
POST   /studio/registrants/{registration_id}/cancel/         302  302  302  403  302  302  404  302
POST   /studio/invitations/{invitation_id}/revoke/           302  302  302  403  302  302  404  302
GET    /studio/imports/{import_id}/                          302  302  302  403  200  200  404  200
POST   /studio/imports/{import_id}/                          302  302  302  403  302  302  404  302
POST   /studio/imports/{import_id}/cancel/                   302  302  302  403  302  302  404  302
POST   /studio/imports/{import_id}/retry/                    302  302  302  403  302  302  404  302
GET    /studio/imports/{import_id}/report.csv                302  302  302  403  200  200  404  200
GET    /studio/report/                                      302  302  302  200  200  200  200  200
GET    /studio/report.csv                                   302  302  302  200  200  200  200  200
GET    /studio/report.doc                                   302  302  302  404  404  404  404  404
GET    /studio/webinars/{closed_id}/report/                 302  302  302  200  200  200  404  200
GET    /studio/webinars/{closed_id}/report.xlsx             302  302  302  200  200  200  404  200
GET    /studio/webinars/{draft_id}/recordings/               302  302  302  200  200  200  404  200
GET    /studio/webinars/{draft_id}/recordings/new/           302  302  302  403  200  200  404  200
POST   /studio/webinars/{draft_id}/recordings/new/           302  302  302  405  405  405  405  405
GET    /studio/speakers/{speaker_id}/                        302  302  302  403  200  200  404  200
POST   /studio/speakers/{speaker_id}/                        302  302  302  403  200  200  404  200
POST   /studio/speakers/{speaker_id}/remove/                 302  302  302  403  302  302  404  302
POST   /studio/speakers/{speaker_id}/invite/                 302  302  302  403  302  302  404  302
POST   /studio/materials/{draft_material_id}/remove/         302  302  302  403  302  302  404  302
GET    /studio/recordings/{draft_recording_id}/              302  302  302  200  200  200  404  200
POST   /studio/recordings/{draft_recording_id}/publish/      302  302  302  403  302  302  404  302
POST   /studio/recordings/{public_recording_id}/withdraw/    302  302  302  403  302  302  404  302
POST   /studio/recordings/{public_recording_id}/visibility/  302  302  302  403  302  302  404  302
GET    /studio/recordings/{draft_recording_id}/produce/      302  302  302  403  200  200  404  200
POST   /studio/recordings/{draft_recording_id}/produce/      302  302  302  403  200  200  404  200
POST   /studio/recordings/{draft_recording_id}/tracks/       302  302  302  403  302  302  404  302
GET    /studio/recordings/{closed_recording_id}/share/       302  302  302  200  200  200  404  200
POST   /studio/recordings/{closed_recording_id}/share/       302  302  302  403  302  302  404  302
POST   /studio/recordings/{closed_recording_id}/share/{embed_link_id}/revoke/  302  302  302  403  302  302  404  302
GET    /studio/recordings/{public_recording_id}/viewers/     302  302  302  200  200  200  404  200
GET    /studio/recordings/{public_recording_id}/viewers.csv  302  302  302  200  200  200  404  200
GET    /studio/recordings/{public_recording_id}/sound/       302  302  302  200  200  200  404  200
GET    /studio/recordings/{public_recording_id}/sound/state/  302  302  302  200  200  200  404  200
POST   /studio/recordings/{public_recording_id}/sound/received/  302  302  302  403  302  302  404  302
GET    /studio/recordings/{public_recording_id}/sound/{channel_id}/  302  302  302  200  200  200  404  200
POST   /studio/recordings/{public_recording_id}/sound/{channel_id}/  302  302  302  403  302  302  404  302
POST   /studio/recordings/{public_recording_id}/sound/{channel_id}/rename/  302  302  302  403  302  302  404  302
POST   /studio/recordings/{public_recording_id}/sound/{channel_id}/retry/  302  302  302  403  302  302  404  302
POST   /studio/recordings/{public_recording_id}/sound/{channel_id}/remove/  302  302  302  403  302  302  404  302
GET    /studio/recordings/{public_recording_id}/sound/{channel_id}/0/channel.m4a  302  302  302  200  200  200  404  200
GET    /studio/recordings/{draft_recording_id}/sound/{channel_id}/  302  302  302  404  404  404  404  404
GET    /studio/recordings/{public_recording_id}/cut/         302  302  302  200  200  200  404  200
POST   /studio/recordings/{public_recording_id}/cut/         302  302  302  403  400  400  404  400
GET    /studio/recordings/{public_recording_id}/cut/state/   302  302  302  302  302  302  404  302
POST   /studio/recordings/{public_recording_id}/cut/cancel/  302  302  302  403  302  302  404  302
POST   /studio/recordings/{public_recording_id}/cut/retry/   302  302  302  403  302  302  404  302
GET    /studio/recordings/{public_recording_id}/downloads/   302  302  302  200  200  200  404  200
POST   /studio/recordings/{public_recording_id}/burn-ins/    302  302  302  403  302  302  404  302
GET    /studio/recordings/{public_recording_id}/burn-ins/state/    302  302  302  302  302  302  404  302
POST   /studio/recordings/{public_recording_id}/burn-ins/allowed/  302  302  302  403  302  302  404  302
POST   /studio/burn-ins/{burn_in_id}/cancel/                 302  302  302  403  302  302  404  302
POST   /studio/burn-ins/{burn_in_id}/retry/                  302  302  302  403  302  302  404  302
GET    /studio/recordings/{public_recording_id}/slides/          302  302  302  200  200  200  404  200
POST   /studio/recordings/{public_recording_id}/slides/          302  302  302  403  400  400  404  400
POST   /studio/recordings/{public_recording_id}/slides/find/     302  302  302  403  302  302  404  302
POST   /studio/recordings/{public_recording_id}/slides/{slide_id}/remove/ 302  302  302  403  409  409  404  409
POST   /studio/recordings/{public_recording_id}/chapters/        302  302  302  403  400  400  404  400
GET    /studio/recordings/{public_recording_id}/poster/          302  302  302  200  200  200  404  200
POST   /studio/recordings/{public_recording_id}/poster/          302  302  302  403  400  400  404  400
GET    /studio/recordings/{public_recording_id}/versions/    302  302  302  200  200  200  404  200
POST   /studio/recordings/{public_recording_id}/versions/    302  302  302  403  400  400  404  400
POST   /studio/versions/{version_id}/restore/                302  302  302  403  302  302  404  302
GET    /studio/recordings/{public_recording_id}/delete/      302  302  302  403  200  200  404  200
POST   /studio/recordings/{public_recording_id}/delete/      302  302  302  403  400  400  404  400
GET    /studio/webinars/{empty_draft_id}/delete/             302  302  302  403  200  200  404  200
POST   /studio/webinars/{empty_draft_id}/delete/             302  302  302  403  400  400  404  400
POST   /webinars/{public}/downloads/burned/                  302  302  302  302  302  302  302  302
POST   /webinars/{draft}/downloads/burned/                   404  404  404  302  302  302  404  302
POST   /studio/tracks/{track_id}/publish/                    302  302  302  403  302  302  404  302
POST   /studio/tracks/{track_id}/unpublish/                  302  302  302  403  302  302  404  302
POST   /studio/tracks/{track_id}/delete/                     302  302  302  403  302  302  404  302
GET    /studio/tracks/{track_id}/download/vtt/               302  302  302  200  200  200  404  200
GET    /studio/tracks/{track_id}/edit/                       302  302  302  200  200  200  404  200
GET    /studio/tracks/{track_id}/edit/data/                  302  302  302  200  200  200  404  200
POST   /studio/tracks/{track_id}/edit/save/                  302  302  302  403  400  400  404  400
GET    /studio/tracks/{track_id}/edit/peaks/                 302  302  302  404  404  404  404  404
POST   /studio/tracks/{track_id}/edit/peaks/                 302  302  302  403  404  404  404  404
GET    /studio/tracks/{track_id}/edit/grant/                 302  302  302  200  200  200  404  200
POST   /studio/tracks/{track_id}/reviewed/                   302  302  302  403  302  302  404  302
GET    /studio/tracks/{track_id}/history/                    302  302  302  200  200  200  404  200
POST   /studio/tracks/{track_id}/history/restore/            302  302  302  403  302  302  404  302
GET    /studio/tracks/{track_id}/reviewers/                  302  302  302  200  200  200  404  200
POST   /studio/tracks/{track_id}/reviewers/                  302  302  302  403  302  302  404  302
POST   /studio/tracks/{track_id}/reviewers/{review_link_id}/revoke/ 302 302 302 403 302 302 404 302
GET    /studio/tracks/{track_id}/stale/                      302  302  302  200  200  200  404  200
POST   /studio/tracks/{track_id}/stale/                      302  302  302  403  302  302  404  302
GET    /studio/tracks/{track_id}/stale/state/                302  302  302  302  302  302  404  302
GET    /studio/productions/{production_id}/                  302  302  302  200  200  200  404  200
GET    /studio/productions/{production_id}/steps/            302  302  302  302  302  302  404  302
POST   /studio/productions/{production_id}/publish/          302  302  302  403  302  302  404  302
POST   /studio/productions/{production_id}/cancel/           302  302  302  403  302  302  404  302
POST   /studio/steps/{step_id}/retry/                        302  302  302  403  302  302  404  302
POST   /studio/steps/{step_id}/skip/                         302  302  302  403  302  302  404  302
GET    /studio/watched/                                      302  302  302  200  200  200  200  200
POST   /studio/watched/{watched_id}/retry/                   302  302  302  403  302  302  404  302
GET    /studio/webinars/{closed_id}/mails/                   302  302  302  200  200  200  404  200
POST   /studio/webinars/{closed_id}/mails/reminders/         302  302  302  403  302  302  404  302
GET    /studio/webinars/{closed_id}/mails/new/               302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/mails/new/               302  302  302  403  200  200  404  200
GET    /studio/webinars/{closed_id}/mails/{message_id}/      302  302  302  403  200  200  404  200
GET    /studio/webinars/{public_id}/mails/{message_id}/      302  302  302  404  404  404  404  404
POST   /studio/webinars/{closed_id}/mails/{message_id}/send/     302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/mails/{message_id}/test/     302  302  302  403  302  302  404  302
POST   /studio/webinars/{closed_id}/mails/{message_id}/discard/  302  302  302  403  302  302  404  302
GET    /studio/webinars/{closed_id}/mails/{message_id}/preview/en/   302  302  302  403  200  200  404  200
GET    /studio/webinars/{closed_id}/mails/texts/reminder/fr/         302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/mails/texts/reminder/fr/         302  302  302  403  200  200  404  200
GET    /studio/webinars/{closed_id}/mails/texts/reminder/fr/preview/ 302  302  302  200  200  200  404  200
POST   /studio/webinars/{closed_id}/mails/texts/reminder/fr/test/    302  302  302  403  302  302  404  302
POST   /studio/webinars/{closed_id}/mails/texts/reminder/fr/remove/  302  302  302  403  302  302  404  302
GET    /studio/webinars/{closed_id}/mails/texts/nothing/fr/          302  302  302  403  404  404  404  404
GET    /studio/suppressed/                                   302  302  302  403  403  403  403  200
GET    /studio/keeping/                                      302  302  302  200  200  200  200  200
GET    /studio/keeping/{organisation_id}/                    302  302  302  403  403  200  404  200
POST   /studio/keeping/{organisation_id}/                    302  302  302  403  403  200  404  200
POST   /studio/suppressed/                                   302  302  302  403  403  403  403  200
POST   /studio/suppressed.csv                                302  302  302  403  403  403  403  200
POST   /studio/suppressed/{suppression_id}/remove/           302  302  302  403  403  403  403  302
GET    /studio/webinars/{closed_id}/questions/               302  302  302  200  200  200  404  200
GET    /studio/webinars/{closed_id}/questions/registration/  302  302  302  200  200  200  404  200
POST   /studio/webinars/{closed_id}/questions/registration/  302  302  302  403  302  302  404  302
GET    /studio/webinars/{closed_id}/questions/survey/        302  302  302  200  200  200  404  200
GET    /studio/webinars/{closed_id}/questions/registration/new/      302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/questions/registration/new/      302  302  302  403  422  422  404  422
POST   /studio/webinars/{closed_id}/questions/registration/add/      302  302  302  403  404  404  404  404
POST   /studio/webinars/{closed_id}/questions/registration/copy/     302  302  302  403  404  404  404  404
GET    /studio/webinars/{closed_id}/questions/registration/preview/  302  302  302  200  200  200  404  200
GET    /studio/webinars/{closed_id}/questions/registration/results/  302  302  302  200  200  200  404  200
POST   /studio/webinars/{closed_id}/questions/registration/answers.csv   302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/questions/registration/answers.xlsx  302  302  302  403  200  200  404  200
GET    /studio/webinars/{closed_id}/questions/registration/{item_id}/    302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/questions/registration/{item_id}/    302  302  302  403  302  302  404  302
POST   /studio/webinars/{closed_id}/questions/registration/{item_id}/move/    302  302  302  403  302  302  404  302
GET    /studio/webinars/{closed_id}/questions/registration/{item_id}/remove/  302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/questions/registration/{item_id}/remove/  302  302  302  403  302  302  404  302
POST   /studio/webinars/{draft_id}/questions/registration/{item_id}/remove/   302  302  302  403  404  404  404  404
GET    /studio/questions/                                    302  302  302  200  200  200  200  200
GET    /studio/questions/{question_id}/                      302  302  302  403  200  200  404  200
POST   /studio/questions/{question_id}/                      302  302  302  403  422  422  404  422
POST   /studio/questions/{question_id}/retire/               302  302  302  403  302  302  404  302
GET    /studio/answers/{answer_id}/file/                     302  302  302  403  200  200  404  200
GET    /studio/webinars/{closed_id}/registrants/{registration_id}/data.zip  302  302  302  405  405  405  405  405
POST   /studio/webinars/{closed_id}/registrants/{registration_id}/data.zip  302  302  302  403  200  200  404  200
GET    /studio/webinars/{closed_id}/registrants/{registration_id}/erase/    302  302  302  403  200  200  404  200
POST   /studio/webinars/{closed_id}/registrants/{registration_id}/erase/    302  302  302  403  302  302  404  302
POST   /studio/webinars/{draft_id}/registrants/{registration_id}/erase/     302  302  302  403  404  404  404  404
GET    /studio/consents/                                     302  302  302  200  200  200  200  200
GET    /studio/consents/{organisation_id}/recording/         302  302  302  403  200  200  404  200
POST   /studio/consents/{organisation_id}/recording/         302  302  302  403  302  302  404  302
GET    /studio/tokens/                                       302  302  302  200  200  200  200  200
POST   /studio/tokens/                                       302  302  302  200  200  200  200  200
POST   /studio/tokens/{token_id}/revoke/                     302  302  302  403  302  302  404  302
"""

API = """
#                                                               anon regi spkr revw orgn ownr othr admn read writ
GET    /api/v1/webinars/                                         200  200  200  200  200  200  200  200  200  200
POST   /api/v1/webinars/                                         401  401  401  403  201  201  400  201  403  201
GET    /api/v1/webinars/{public_id}/                             200  200  200  200  200  200  200  200  200  200
GET    /api/v1/webinars/{closed_id}/                             404  404  404  200  200  200  404  200  200  200
GET    /api/v1/webinars/{draft_id}/                              404  404  404  200  200  200  404  200  200  200
PUT    /api/v1/webinars/{draft_id}/                              401  401  401  403  200  200  404  200  403  200
PATCH  /api/v1/webinars/{draft_id}/                              401  401  401  403  200  200  404  200  403  200
PATCH  /api/v1/webinars/{public_id}/                             401  401  401  403  200  200  404  200  403  200
DELETE /api/v1/webinars/{empty_draft_id}/                        401  401  401  403  204  204  404  204  403  204
POST   /api/v1/webinars/{draft_id}/publish/                      401  401  401  403  200  200  404  200  403  200
POST   /api/v1/webinars/{public_id}/cancel/                      401  401  401  403  200  200  404  200  403  200
GET    /api/v1/series/                                           401  401  401  200  200  200  200  200  200  200
POST   /api/v1/series/                                           401  401  401  403  201  201  400  201  403  201
GET    /api/v1/series/{series_id}/                               401  401  401  200  200  200  404  200  200  200
PUT    /api/v1/series/{series_id}/                               401  401  401  403  200  200  404  200  403  200
PATCH  /api/v1/series/{series_id}/                               401  401  401  403  200  200  404  200  403  200
DELETE /api/v1/series/{series_id}/                               401  401  401  403  204  204  404  204  403  204
GET    /api/v1/speakers/                                         401  401  401  200  200  200  200  200  200  200
POST   /api/v1/speakers/                                         401  401  401  403  201  201  400  201  403  201
GET    /api/v1/questions/                                        401  401  401  200  200  200  200  200  200  200
POST   /api/v1/questions/                                        401  401  401  403  201  201  400  201  403  201
GET    /api/v1/questions/{question_id}/                          401  401  401  200  200  200  404  200  200  200
PUT    /api/v1/questions/{question_id}/                          401  401  401  403  200  200  404  200  403  200
POST   /api/v1/questions/{question_id}/retire/                   401  401  401  403  200  200  404  200  403  200
GET    /api/v1/questionnaires/                                   401  401  401  200  200  200  200  200  200  200
POST   /api/v1/questionnaires/                                   401  401  401  403  201  201  400  201  403  201
GET    /api/v1/questionnaires/{questionnaire_id}/                401  401  401  200  200  200  404  200  200  200
POST   /api/v1/questionnaires/{questionnaire_id}/items/          401  401  401  403  201  201  404  201  403  201
GET    /api/v1/questionnaires/{questionnaire_id}/results/        401  401  401  200  200  200  404  200  200  200
GET    /api/v1/consent-texts/                                    401  401  401  200  200  200  200  200  200  200
POST   /api/v1/consent-texts/                                    401  401  401  403  201  201  400  201  403  201
GET    /api/v1/consent-texts/{consent_text_id}/                  401  401  401  200  200  200  404  200  200  200
GET    /api/v1/speakers/{speaker_id}/                            401  401  401  200  200  200  404  200  200  200
PUT    /api/v1/speakers/{speaker_id}/                            401  401  401  403  200  200  404  200  403  200
PATCH  /api/v1/speakers/{speaker_id}/                            401  401  401  403  200  200  404  200  403  200
DELETE /api/v1/speakers/{speaker_id}/                            401  401  401  403  204  204  404  204  403  204
POST   /api/v1/speakers/{speaker_id}/invite/                     401  401  401  403  200  200  404  200  403  200
GET    /api/v1/materials/                                        401  401  401  200  200  200  200  200  200  200
POST   /api/v1/materials/                                        401  401  401  403  422  422  400  422  403  422
GET    /api/v1/materials/{public_material_id}/                   401  401  401  200  200  200  404  200  200  200
DELETE /api/v1/materials/{public_material_id}/                   401  401  401  403  204  204  404  204  403  204
GET    /api/v1/registrations/                                    401  401  401  200  200  200  200  200  200  200
POST   /api/v1/registrations/                                    401  401  401  403  201  201  400  201  403  201
GET    /api/v1/registrations/{registration_id}/                  401  401  401  404  200  200  404  200  200  200
POST   /api/v1/registrations/{registration_id}/approve/          401  401  401  404  409  409  404  409  403  409
POST   /api/v1/registrations/{registration_id}/decline/          401  401  401  404  409  409  404  409  403  409
POST   /api/v1/registrations/{registration_id}/resend/           401  401  401  404  200  200  404  200  403  200
POST   /api/v1/registrations/decide/                             401  401  401  403  200  200  400  200  403  200
GET    /api/v1/invitations/                                      401  401  401  200  200  200  200  200  200  200
POST   /api/v1/invitations/                                      401  401  401  403  201  201  400  201  403  201
GET    /api/v1/invitations/{invitation_id}/                      401  401  401  404  200  200  404  200  200  200
POST   /api/v1/invitations/{invitation_id}/revoke/               401  401  401  404  200  200  404  200  403  200
POST   /api/v1/registrations/{registration_id}/cancel/           401  401  401  404  200  200  404  200  403  200
GET    /api/v1/attendances/                                              401  401  401  200  200  200  200  200  200  200
GET    /api/v1/attendances/{registration_id}/                            401  401  401  404  200  200  404  200  200  200
POST   /api/v1/attendances/{registration_id}/correct/                    401  401  401  404  400  400  404  400  403  400
POST   /api/v1/attendances/{registration_id}/uncorrect/                  401  401  401  404  200  200  404  200  403  200
GET    /api/v1/attendance-imports/                                       401  401  401  200  200  200  200  200  200  200
POST   /api/v1/attendance-imports/                                       401  401  401  400  400  400  400  400  400  400
GET    /api/v1/attendance-imports/{attendance_report_id}/                401  401  401  404  200  200  404  200  200  200
DELETE /api/v1/attendance-imports/{attendance_report_id}/                401  401  401  404  204  204  404  204  403  204
POST   /api/v1/attendance-imports/{attendance_report_id}/columns/        401  401  401  404  400  400  404  400  403  400
POST   /api/v1/attendance-imports/{attendance_report_id}/decide/         401  401  401  404  200  200  404  200  403  200
POST   /api/v1/attendance-imports/{attendance_report_id}/confirm/        401  401  401  404  400  400  404  400  403  400
GET    /api/v1/certificate-rules/{closed_id}/                            401  401  401  404  200  200  404  200  200  200
PUT    /api/v1/certificate-rules/{closed_id}/                            401  401  401  404  200  200  404  200  403  200
DELETE /api/v1/certificate-rules/{closed_id}/                            401  401  401  404  204  204  404  204  403  204
GET    /api/v1/certificates/                                             401  401  401  200  200  200  200  200  200  200
GET    /api/v1/certificates/{certificate_id}/                            401  401  401  404  200  200  404  200  200  200
POST   /api/v1/certificates/{certificate_id}/revoke/                     401  401  401  404  200  200  404  200  403  200
POST   /api/v1/certificates/{certificate_id}/reissue/                    401  401  401  404  200  200  404  200  403  200
GET    /api/v1/certificate-batches/                                      401  401  401  200  200  200  200  200  200  200
POST   /api/v1/certificate-batches/                                      401  401  401  403  409  409  400  409  403  409
GET    /api/v1/certificate-batches/{certificate_batch_id}/               401  401  401  404  200  200  404  200  200  200
POST   /api/v1/certificate-batches/{certificate_batch_id}/cancel/        401  401  401  404  200  200  404  200  403  200
POST   /api/v1/certificate-batches/{certificate_batch_id}/retry/         401  401  401  404  200  200  404  200  403  200
GET    /api/v1/reports/                                                  401  401  401  200  200  200  200  200  200  200
GET    /api/v1/watched-files/                                    401  401  401  200  200  200  200  200  200  200
GET    /api/v1/watched-files/{watched_id}/                       401  401  401  200  200  200  404  200  200  200
POST   /api/v1/watched-files/{watched_id}/retry/                 401  401  401  403  410  410  404  410  403  410
GET    /api/v1/uploads/                                          401  401  401  200  200  200  200  200  200  200
POST   /api/v1/uploads/                                          401  401  401  400  201  201  400  201  400  201
GET    /api/v1/uploads/{upload_id}/                              401  401  401  200  200  200  404  200  200  200
DELETE /api/v1/uploads/{upload_id}/                              401  401  401  403  204  204  404  204  403  204
GET    /api/v1/uploads/{upload_id}/parts/1/                      401  401  401  403  200  200  404  200  403  200
GET    /api/v1/uploads/{upload_id}/parts/?numbers=1              401  401  401  403  200  200  404  200  403  200
POST   /api/v1/uploads/{upload_id}/complete/                     401  401  401  403  409  409  404  409  403  409
GET    /api/v1/recordings/                                       200  200  200  200  200  200  200  200  200  200
GET    /api/v1/recordings/{public_recording_id}/                 200  200  200  200  200  200  200  200  200  200
GET    /api/v1/recordings/{closed_recording_id}/                 404  404  404  200  200  200  404  200  200  200
GET    /api/v1/recordings/{draft_recording_id}/                  404  404  404  200  200  200  404  200  200  200
PUT    /api/v1/recordings/{public_recording_id}/                 401  401  401  405  405  405  405  405  405  405
PATCH  /api/v1/recordings/{public_recording_id}/                 401  401  401  403  200  200  404  200  403  200
DELETE /api/v1/recordings/{public_recording_id}/                 401  401  401  403  204  204  404  204  403  204
GET    /api/v1/channels/                                         401  401  401  200  200  200  200  200  200  200
POST   /api/v1/channels/                                         401  401  401  400  400  400  400  400  400  400
GET    /api/v1/channels/{channel_id}/                            401  401  401  200  200  200  404  200  200  200
PUT    /api/v1/channels/{channel_id}/                            401  401  401  405  405  405  405  405  405  405
PATCH  /api/v1/channels/{channel_id}/                            401  401  401  403  200  200  404  200  403  200
DELETE /api/v1/channels/{channel_id}/                            401  401  401  403  204  204  404  204  403  204
POST   /api/v1/channels/{channel_id}/confirm/                    401  401  401  403  200  200  404  200  403  200
POST   /api/v1/channels/{channel_id}/move/                       401  401  401  403  200  200  404  200  403  200
POST   /api/v1/channels/{channel_id}/retry/                      401  401  401  403  200  200  404  200  403  200
GET    /api/v1/cuts/                                             401  401  401  200  200  200  200  200  200  200
POST   /api/v1/cuts/                                             401  401  401  400  400  400  400  400  400  400
GET    /api/v1/cuts/{cut_id}/                                    401  401  401  200  200  200  404  200  200  200
POST   /api/v1/cuts/{cut_id}/cancel/                             401  401  401  403  200  200  404  200  403  200
POST   /api/v1/cuts/{cut_id}/retry/                              401  401  401  403  409  409  404  409  403  409
GET    /api/v1/burn-ins/                                         401  401  401  200  200  200  200  200  200  200
POST   /api/v1/burn-ins/                                         401  401  401  400  201  201  400  201  400  201
GET    /api/v1/burn-ins/{burn_in_id}/                            401  401  401  200  200  200  404  200  200  200
POST   /api/v1/burn-ins/{burn_in_id}/cancel/                     401  401  401  403  200  200  404  200  403  200
GET    /api/v1/recordings/{public_recording_id}/chapters/             401  401  401  200  200  200  404  200  200  200
POST   /api/v1/recordings/{public_recording_id}/chapters/             401  401  401  403  409  409  404  409  403  409
GET    /api/v1/recordings/{public_recording_id}/slides/               401  401  401  200  200  200  404  200  200  200
POST   /api/v1/recordings/{public_recording_id}/slides/               401  401  401  403  400  400  404  400  403  400
DELETE /api/v1/recordings/{public_recording_id}/slides/{slide_id}/    401  401  401  403  409  409  404  409  403  409
POST   /api/v1/recordings/{public_recording_id}/find_slides/          401  401  401  403  202  202  404  202  403  202
POST   /api/v1/recordings/{public_recording_id}/poster/               401  401  401  403  202  202  404  202  403  202
GET    /api/v1/former-versions/                                  401  401  401  200  200  200  200  200  200  200
GET    /api/v1/former-versions/{version_id}/                     401  401  401  200  200  200  404  200  200  200
POST   /api/v1/former-versions/{version_id}/restore/             401  401  401  403  204  204  404  204  403  204
POST   /api/v1/former-versions/replace/                          401  401  401  400  400  400  400  400  400  400
GET    /api/v1/recordings/{public_recording_id}/playback/        200  200  200  200  200  200  200  200  200  200
GET    /api/v1/recordings/{closed_recording_id}/playback/        404  404  404  200  200  200  404  200  200  200
GET    /api/v1/recordings/{draft_recording_id}/playback/         404  404  404  404  404  404  404  404  404  404
GET    /api/v1/recordings/{public_recording_id}/viewers/         401  401  401  200  200  200  404  200  200  200
GET    /api/v1/recordings/{closed_recording_id}/embed_links/     401  401  401  200  200  200  404  200  200  200
POST   /api/v1/recordings/{closed_recording_id}/embed_links/     401  401  401  403  201  201  404  201  403  201
POST   /api/v1/recordings/{closed_recording_id}/embed_links/{embed_link_id}/revoke/  401  401  401  403  200  200  404  200  403  200
POST   /api/v1/recordings/{draft_recording_id}/publish/          401  401  401  403  409  409  404  409  403  409
POST   /api/v1/recordings/{public_recording_id}/withdraw/        401  401  401  403  200  200  404  200  403  200
GET    /api/v1/tracks/                                           401  401  401  200  200  200  200  200  200  200
POST   /api/v1/tracks/                                           401  401  401  403  201  201  400  201  403  201
GET    /api/v1/tracks/{track_id}/                                401  401  401  200  200  200  404  200  200  200
DELETE /api/v1/tracks/{track_id}/                                401  401  401  403  204  204  404  204  403  204
GET    /api/v1/tracks/{track_id}/cues/                           401  401  401  200  200  200  404  200  200  200
PUT    /api/v1/tracks/{track_id}/cues/                           401  401  401  403  200  200  404  200  403  200
GET    /api/v1/tracks/{track_id}/files/vtt/                      401  401  401  200  200  200  404  200  200  200
POST   /api/v1/tracks/{track_id}/publish/                        401  401  401  403  200  200  404  200  403  200
POST   /api/v1/tracks/{track_id}/unpublish/                      401  401  401  403  200  200  404  200  403  200
GET    /api/v1/tracks/{track_id}/peaks/                         401  401  401  404  404  404  404  404  404  404
POST   /api/v1/tracks/{track_id}/peaks/                         401  401  401  403  404  404  404  404  403  404
GET    /api/v1/tracks/{track_id}/report/                         401  401  401  200  200  200  404  200  200  200
POST   /api/v1/tracks/{track_id}/renew/                          401  401  401  403  409  409  404  409  403  409
PATCH  /api/v1/tracks/{track_id}/cues/                           401  401  401  403  200  200  404  200  403  200
GET    /api/v1/tracks/{track_id}/revisions/                      401  401  401  200  200  200  404  200  200  200
POST   /api/v1/tracks/{track_id}/restore/                        401  401  401  403  200  200  404  200  403  200
POST   /api/v1/tracks/{track_id}/review/                         401  401  401  403  200  200  404  200  403  200
GET    /api/v1/tracks/{track_id}/reviewers/                      401  401  401  200  200  200  404  200  200  200
POST   /api/v1/tracks/{track_id}/reviewers/                      401  401  401  403  201  201  404  201  403  201
POST   /api/v1/tracks/{track_id}/reviewers/{review_link_id}/revoke/ 401 401 401 403 200 200 404 200 403 200
GET    /api/v1/tracks/{track_id}/stale/                          401  401  401  200  200  200  404  200  200  200
GET    /api/v1/tracks/{track_id}/renewals/{renewal_id}/          401  401  401  200  200  200  404  200  200  200
GET    /api/v1/languages/                                        200  200  200  200  200  200  200  200  200  200
GET    /api/v1/glossary-terms/                                   401  401  401  200  200  200  200  200  200  200
POST   /api/v1/glossary-terms/                                   401  401  401  403  201  201  400  201  403  201
GET    /api/v1/glossary-terms/{term_id}/                         401  401  401  200  200  200  404  200  200  200
PUT    /api/v1/glossary-terms/{term_id}/                         401  401  401  403  200  200  404  200  403  200
PATCH  /api/v1/glossary-terms/{term_id}/                         401  401  401  403  200  200  404  200  403  200
DELETE /api/v1/glossary-terms/{term_id}/                         401  401  401  403  204  204  404  204  403  204
GET    /api/v1/productions/                                      401  401  401  200  200  200  200  200  200  200
POST   /api/v1/productions/                                      401  401  401  400  201  201  400  201  400  201
GET    /api/v1/productions/{production_id}/                      401  401  401  200  200  200  404  200  200  200
POST   /api/v1/productions/{production_id}/cancel/               401  401  401  403  200  200  404  200  403  200
POST   /api/v1/productions/{production_id}/publish/              401  401  401  403  200  200  404  200  403  200
POST   /api/v1/productions/{production_id}/steps/inspect/retry/  401  401  401  403  200  200  404  200  403  200
"""  # noqa: E501  # a row of the table

API_MAILS = """
#                                                                anon regi spkr revw orgn ownr othr admn t_rd t_wr
GET    /api/v1/messages/                                          401  401  401  200  200  200  200  200  200  200
POST   /api/v1/messages/                                          401  401  401  403  201  201  400  201  403  201
GET    /api/v1/messages/{message_id}/                             401  401  401  404  200  200  404  200  200  200
DELETE /api/v1/messages/{message_id}/                             401  401  401  404  204  204  404  204  403  204
GET    /api/v1/messages/{message_id}/recipients/                  401  401  401  404  200  200  404  200  200  200
GET    /api/v1/messages/{message_id}/preview/?language=en         401  401  401  404  200  200  404  200  200  200
POST   /api/v1/messages/{message_id}/test/                        401  401  401  404  202  202  404  202  403  202
POST   /api/v1/messages/{message_id}/send/                        401  401  401  404  200  200  404  200  403  200
GET    /api/v1/mail-texts/                                        401  401  401  200  200  200  200  200  200  200
POST   /api/v1/mail-texts/                                        401  401  401  403  201  201  400  201  403  201
GET    /api/v1/mail-texts/{mail_text_id}/                         401  401  401  404  200  200  404  200  200  200
DELETE /api/v1/mail-texts/{mail_text_id}/                         401  401  401  404  204  204  404  204  403  204
GET    /api/v1/mail-texts/kinds/                                  401  401  401  200  200  200  200  200  200  200
POST   /api/v1/mail-texts/preview/                                401  401  401  403  200  200  400  200  403  200
GET    /api/v1/registration-imports/                              401  401  401  200  200  200  200  200  200  200
POST   /api/v1/registration-imports/                              401  401  401  403  201  201  400  201  403  201
GET    /api/v1/registration-imports/{import_id}/                  401  401  401  404  200  200  404  200  200  200
POST   /api/v1/registration-imports/{import_id}/columns/          401  401  401  404  400  400  404  400  403  400
POST   /api/v1/registration-imports/{import_id}/confirm/          401  401  401  404  200  200  404  200  403  200
POST   /api/v1/registration-imports/{import_id}/cancel/           401  401  401  404  200  200  404  200  403  200
POST   /api/v1/registration-imports/{import_id}/retry/            401  401  401  404  409  409  404  409  403  409
GET    /api/v1/teams/                                             401  401  401  200  200  200  200  200  200  200
POST   /api/v1/teams/                                             401  401  401  403  201  201  400  201  403  201
GET    /api/v1/teams/{team_id}/                                   401  401  401  404  200  200  404  200  200  200
POST   /api/v1/teams/{team_id}/members/                           401  401  401  404  200  200  404  200  403  200
POST   /api/v1/teams/{team_id}/withdraw/                          401  401  401  404  200  200  404  200  403  200
GET    /api/v1/opt-outs/                                          401  401  401  200  200  200  200  200  200  200
GET    /api/v1/opt-outs/{opt_out_id}/                             401  401  401  404  200  200  404  200  200  200
GET    /api/v1/keeping-times/                                     401  401  401  200  200  200  200  200  200  200
GET    /api/v1/keeping-times/{organisation_id}/                   401  401  401  404  200  200  404  200  200  200
PUT    /api/v1/keeping-times/{organisation_id}/                   401  401  401  404  403  200  404  200  403  403
GET    /api/v1/suppressions/                                      401  401  401  403  403  403  403  200  403  403
POST   /api/v1/suppressions/                                      401  401  401  403  403  403  403  201  403  403
GET    /api/v1/suppressions/{suppression_id}/                     401  401  401  403  403  403  403  200  403  403
DELETE /api/v1/suppressions/{suppression_id}/                     401  401  401  403  403  403  403  204  403  403
POST   /api/v1/suppressions/import/                               401  401  401  403  403  403  403  200  403  403
POST   /api/v1/suppressions/export/                               401  401  401  403  403  403  403  200  403  403
"""

TABLES = {
    "service": parse(SERVICE, PAGE_ROLES),
    "accounts": parse(ACCOUNTS, PAGE_ROLES),
    "viewers": parse(VIEWERS, PAGE_ROLES),
    "registrants": parse(REGISTRANTS, PAGE_ROLES),
    "speakers": parse(SPEAKERS, PAGE_ROLES),
    "studio": parse(STUDIO, PAGE_ROLES),
    "api": parse(API, ROLES),
    "api of mails and lists": parse(API_MAILS, ROLES),
}

VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello.\n"


def body_for(method: str, address: str, world: World) -> object:
    """What is sent with a row's request: enough to be accepted from those who may."""
    if method in ("GET", "DELETE"):
        return None
    values = world.values
    organisation = str(values["organisation_id"])
    webinar = {"title": "New", "organisation": organisation, **new_times()}
    bodies: dict[str, object] = {
        "/parts/{part}": b"abcd",
        "/playback/{grant}/beats/": b'{"viewing": "6f0f6f4e-6a43-4b8e-a0a5-5f2f2f6a1c11", "watched_ms": 0}',
        "/i18n/setlang/": {"language": "fr"},
        "/speak/{speak}/materials/": {"file": SimpleUploadedFile("a.txt", b"no slides")},
        "/studio/webinars/{draft_id}/materials/": {"file": SimpleUploadedFile("a.txt", b"no slides")},
        "/studio/tracks/{track_id}/history/restore/": {"revision": 1},
        "/studio/tracks/{track_id}/reviewers/": {"email": "amal@example.org", "language": "ar"},
        "/studio/recordings/{draft_recording_id}/tracks/": {"file": SimpleUploadedFile("a.vtt", VTT), "language": "es"},
        "/studio/recordings/{public_recording_id}/sound/{channel_id}/": {"offset_s": "0.5"},
        "/api/v1/channels/{channel_id}/": {"name": "Voix"},
        "/api/v1/channels/{channel_id}/confirm/": {"offset_ms": 500},
        "/api/v1/channels/{channel_id}/move/": {"offset_ms": 700},
        "/studio/webinars/{draft_id}/speakers/new/": {"name": "Ada", "language": "en"},
        "/studio/webinars/{closed_id}/mails/{message_id}/test/": {"language": "en"},
        "/studio/recordings/{public_recording_id}/visibility/": {"visibility": "organisation"},
        "/studio/tokens/": {"name": "New", "organisation": organisation, "can_write": "on", "days": "90"},
        "/api/v1/webinars/": webinar,
        "/api/v1/webinars/{draft_id}/": webinar,
        "/api/v1/series/": {"title": "New", "organisation": organisation},
        "/api/v1/series/{series_id}/": {"title": "New"},
        "/api/v1/questions/": {"organisation": organisation, "kind": "text", "label": "Why?"},
        "/api/v1/questions/{question_id}/": {"organisation": organisation, "kind": "text", "label": "Why?"},
        "/api/v1/questionnaires/": {"webinar": values["draft"], "purpose": "survey"},
        "/api/v1/questionnaires/{questionnaire_id}/items/": {"question": str(values["question_id"])},
        "/api/v1/consent-texts/": {"organisation": organisation, "kind": "recording", "text": "We record."},
        "/api/v1/speakers/": {"name": "Ada", "webinar": str(values["draft_id"])},
        "/api/v1/speakers/{speaker_id}/": {"name": "Ada", "webinar": str(values["draft_id"])},
        "/api/v1/materials/": {"webinar": values["draft_id"], "file": SimpleUploadedFile("a.txt", b"no slides")},
        "/api/v1/registrations/decide/": {
            "webinar": values["closed"],
            "ids": [str(values["registration_id"])],
            "decision": "approve",
        },
        "/api/v1/invitations/": {"webinar": values["closed"], "name": "Ministry"},
        "/api/v1/registrations/": {
            "webinar": values["public"],
            "email": "new@example.org",
            "name": "New",
            "country": "BE",
            "privacy": True,
        },
        "/api/v1/attendance-imports/{attendance_report_id}/decide/": {"choices": {}},
        "/api/v1/messages/": {"webinar": values["closed"], "segment": "confirmed", "subject": "Hello", "text": "Hello"},
        "/api/v1/messages/{message_id}/test/": {"language": "en"},
        "/api/v1/messages/{message_id}/send/": {"count": 1},
        "/api/v1/mail-texts/": {
            "webinar": values["closed"],
            "template": "declined",
            "language": "en",
            "subject": "Sorry",
            "text": "No place.",
        },
        "/api/v1/mail-texts/preview/": {"webinar": values["closed"], "template": "declined", "language": "en"},
        "/api/v1/registration-imports/": {
            "webinar": values["closed"],
            "file": SimpleUploadedFile("a.csv", b"Name,Email\nA,a@example.org\n"),
        },
        "/api/v1/registration-imports/{import_id}/columns/": {"columns": {"name": 0, "email": 1}},  # it has none
        "/api/v1/registration-imports/{import_id}/confirm/": {"privacy": True},
        "/api/v1/teams/": {
            "webinar": values["closed"],
            "name": "Ward 7",
            "coordinator_name": "Carla",
            "coordinator_email": "carla@example.org",
            "privacy": True,
        },
        "/api/v1/teams/{team_id}/members/": {"name": "New", "email": "new@example.org"},
        "/api/v1/teams/{team_id}/withdraw/": {"registration": str(values["member_id"])},
        "/api/v1/keeping-times/{organisation_id}/": {"days": {"lists": 30}},
        "/api/v1/suppressions/": {"email": "no@example.org", "reason": "asked by telephone"},
        "/api/v1/suppressions/import/": {"table": "no@example.org"},
        "/api/v1/certificate-rules/{closed_id}/": {"min_minutes": 30},
        "/api/v1/certificates/{certificate_id}/revoke/": {"reason": "Mistake"},
        "/api/v1/certificate-batches/": {"webinar": values["public"], "expected": 1},
        "/api/v1/burn-ins/": {"recording": str(values["public_recording_id"]), "language": "en"},
        "/api/v1/uploads/": {
            "file_name": "a.mp4",
            "size": 10,
            "purpose": f"recording:{values['draft_id']}",
            "organisation": organisation,
        },
        "/api/v1/recordings/{public_recording_id}/": {"visibility": "organisation"},
        "/api/v1/recordings/{public_recording_id}/chapters/": {
            "version": "old",
            "chapters": [{"start_ms": 0, "title": "Welcome"}],
        },
        "/api/v1/recordings/{public_recording_id}/poster/": {"at_ms": 1000},
        "/api/v1/recordings/{closed_recording_id}/embed_links/": {
            "name": "Course",
            "sites": ["https://learn.example.org"],
            "ends_at": new_times()["ends_at"],
        },
        "/studio/recordings/{closed_recording_id}/share/": {
            "name": "Course",
            "sites": "https://learn.example.org",
            "ends_on": new_times()["ends_at"][:10],
        },
        "/api/v1/tracks/": {
            "asset": values["asset_id"],
            "language": "es",
            "kind": "subtitles",
            "file": SimpleUploadedFile("a.vtt", VTT),
        },
        "/api/v1/tracks/{track_id}/restore/": {"revision": 1},
        "/api/v1/tracks/{track_id}/reviewers/": {"email": "amal@example.org", "language": "ar"},
        "/api/v1/tracks/{track_id}/cues/": {
            "revision": 1,
            "changed": [],
            "cues": [{"start_ms": 0, "end_ms": 900, "text": "Salut."}],
        },
        "/api/v1/glossary-terms/": {"organisation": organisation, "term": "WHO", "renderings": {"fr": "OMS"}},
        "/api/v1/glossary-terms/{term_id}/": {"organisation": organisation, "term": "EU"},
        "/api/v1/productions/": {"upload": str(values["done_upload_id"]), "webinar": str(values["draft_id"])},
    }
    return bodies.get(address, {})


@pytest.fixture
def world(db: None, settings: Settings) -> World:
    # Thousands of calls from one address are the point here; and counters in memory are quickly cleared.
    settings.API_PER_MINUTE = 0
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    return build_world()


def wrong_answers(world: World, row: Row) -> list[str]:
    found = []
    for role, expected in row.expected.items():
        status = world.ask(role, row.method, world.address(row.address, role), body_for(row.method, row.address, world))
        if status != expected:
            found.append(f"{row}: {role} got {status} instead of {expected}")
    return found


@pytest.mark.timeout(900)  # hundreds of addresses, each asked for by everybody
@pytest.mark.parametrize("table", TABLES)
def test_every_address_answers_every_role_as_the_table_says(world: World, table: str) -> None:
    wrong = [line for row in TABLES[table] for line in wrong_answers(world, row)]
    assert not wrong, "\n".join(["", *wrong])


def test_every_address_has_a_row(world: World) -> None:
    rows = [row for table in TABLES.values() for row in table]
    covered = {door_of(row.method, world.address(row.address, "anonymous")) for row in rows}
    missing = {door for door in doors() - covered if not door[1].startswith("admin/")}
    assert not missing, f"Add rows for these addresses: {sorted(missing)}"


def test_every_row_is_about_an_address_there_is(world: World) -> None:
    rows = [row for table in TABLES.values() for row in table]
    assert [str(row) for row in rows if door_of(row.method, world.address(row.address, "anonymous")) is None] == []


@pytest.mark.parametrize("role", ["anonymous", "registrant", "speaker", "other"])
def test_lists_show_strangers_nothing_hidden(world: World, role: str) -> None:
    hidden = [
        str(value)
        for name, value in world.values.items()
        if name.startswith(("draft", "internal", "empty", "registration", "upload", "track", "production", "step"))
    ]
    for address in (
        "/",
        "/search/?q=webinar",
        "/calendar.ics",
        *(row.address for name in TABLES if name.startswith("api") for row in TABLES[name]),
    ):
        if "{" not in address:
            shown = world.read(role, address)
            assert [value for value in hidden if value in shown] == [], address


@pytest.mark.parametrize("role", [role for role in PAGE_ROLES if role != "administrator"])
def test_administration_is_for_administrators(world: World, role: str) -> None:
    addresses = [f"/{route}" for route, _entry in routes() if route.startswith("admin/") and "<" not in route]
    assert len(addresses) > 20
    for address in addresses:
        assert world.ask(role, "GET", address) in (301, 302, 403, 404), address
        assert world.ask("administrator", "GET", address) < 500, address
