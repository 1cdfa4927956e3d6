"""Addresses of the pages about attendance, certificates and reports."""

from django.urls import path

from studio.views import attendance, certificates, reports

attendance_urls = [
    path("", attendance.attendances, name="attendance"),
    path("table.<slug:format>", attendance.attendance_table, name="attendance_table"),
    path("reports/", attendance.report_upload, name="attendance_report_upload"),
    path("reports/<uuid:report>/", attendance.report, name="attendance_report"),
    path("reports/<uuid:report>/columns/", attendance.report_columns, name="attendance_report_columns"),
    path("reports/<uuid:report>/discard/", attendance.report_discard, name="attendance_report_discard"),
    path("people/<uuid:registration>/", attendance.correction, name="attendance_person"),
]

certificate_urls = [
    path("", certificates.overview, name="certificates"),
    path("state/", certificates.batch_state, name="certificate_batch_state"),
    path("rule/", certificates.rule, name="certificate_rule"),
    path("preview.pdf", certificates.preview, name="certificate_preview"),
    path("issue/", certificates.issue, name="certificates_issue"),
    path("batches/<uuid:batch>/cancel/", certificates.batch_cancel, name="certificate_batch_cancel"),
    path("batches/<uuid:batch>/retry/", certificates.batch_retry, name="certificate_batch_retry"),
    path("<uuid:certificate>/file.pdf", certificates.certificate_file, name="certificate_file"),
    path("<uuid:certificate>/revoke/", certificates.revoke, name="certificate_revoke"),
    path("<uuid:certificate>/reissue/", certificates.reissue, name="certificate_reissue"),
]

report_urls = [
    path("report/", reports.report, name="report"),
    path("report.<slug:format>", reports.report_file, name="report_file"),
    path("webinars/<uuid:pk>/report/", reports.webinar_report, name="webinar_report"),
    path("webinars/<uuid:pk>/report.<slug:format>", reports.webinar_report_file, name="webinar_report_file"),
]
