"""Attendance and certificates over the API, through the same services as the studio's pages. For organisers."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, parsers, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import TranslatedField, UtcField, require_organiser
from accounts.api.viewsets import OrganisedViewSet
from events.models import Webinar
from registration import attendance, attendance_imports, certificates
from registration.api.serializers import WebinarField
from registration.attendance import Presence
from registration.models import AttendanceImport, Certificate, CertificateBatch, CertificateRule, Registration


# --- Attendance ----------------------------------------------------------------------------------------------------
class PresenceSerializer(serializers.Serializer[Presence]):
    """What is known of one registrant. `minutes` is null where it is only known that they went in."""

    segment = serializers.ChoiceField(choices=[segment.value for segment in attendance.Segment])
    minutes = serializers.IntegerField(allow_null=True)
    share = serializers.FloatField(allow_null=True, help_text="Of the session, 0 to 1.")
    joined_at = UtcField(allow_null=True)
    left_at = UtcField(allow_null=True)
    sources = serializers.ListField(child=serializers.CharField())


class AttendanceSerializer(serializers.ModelSerializer[Registration]):
    """A registrant and when they were in the live session."""

    webinar = serializers.SlugRelatedField[Webinar](slug_field="slug", read_only=True)
    attendance = serializers.SerializerMethodField()

    class Meta:
        model = Registration
        fields = ("id", "webinar", "email", "name", "state", "attendance")
        read_only_fields = fields

    @extend_schema_field(PresenceSerializer)
    def get_attendance(self, registration: Registration) -> Any:
        known: dict[Any, Presence] = self.context.get("presences", {})
        found = known.get(registration.pk)
        return PresenceSerializer(attendance.attendance_of(registration) if found is None else found).data


class StaySerializer(serializers.Serializer[Any]):
    joined_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField()


class CorrectionSerializer(serializers.Serializer[Any]):
    """When somebody was there, in place of all reports; no stays: not at all."""

    stays = StaySerializer(many=True, allow_empty=True)
    reason = serializers.CharField(max_length=attendance.REASON_MAX)


class AttendanceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisedViewSet[Registration]):
    """Who was in the live session, by registration. Filter with `webinar__slug`."""

    queryset = Registration.objects.select_related("webinar__organisation")
    serializer_class = AttendanceSerializer
    organisation_path = "webinar__organisation"
    filterset_fields = {"webinar__slug": ["exact"]}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of registrants; their attendance is read for the whole page at once."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        context = {**self.get_serializer_context(), "presences": attendance.presences(page)}
        return self.get_paginated_response(AttendanceSerializer(page, many=True, context=context).data)

    @extend_schema(request=CorrectionSerializer, responses=AttendanceSerializer)
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: str) -> Response:
        """Say when somebody was there, with a reason that is recorded."""
        registration = self.get_object()
        data = CorrectionSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        attendance.correct_attendance(
            registration=registration,
            stays=[(stay["joined_at"], stay["left_at"]) for stay in data.validated_data["stays"]],
            reason=data.validated_data["reason"],
            user=self.organiser,
        )
        return Response(self.get_serializer(registration).data)

    @extend_schema(request=None, responses=AttendanceSerializer)
    @action(detail=True, methods=["post"])
    def uncorrect(self, request: Request, pk: str) -> Response:
        """Let the reports count again."""
        registration = self.get_object()
        attendance.remove_correction(registration=registration, user=self.organiser)
        return Response(self.get_serializer(registration).data)


class PersonInReportSerializer(serializers.Serializer[attendance_imports.Participant]):
    """Somebody in a report. `match` is email, name (to be looked at), chosen, ignored, several or none."""

    key = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()
    match = serializers.CharField()
    registration = serializers.CharField(help_text="The registration's id, or nothing.")
    minutes = serializers.IntegerField()


class UnreadLineSerializer(serializers.Serializer[Any]):
    """A line of a report that was not understood, and why."""

    line = serializers.IntegerField()
    text = serializers.CharField()
    reason = serializers.CharField()


class AttendanceImportSerializer(serializers.ModelSerializer[AttendanceImport]):
    """A conference system's report. Nothing of it counts before it is confirmed."""

    webinar = WebinarField(queryset=Webinar.objects.none())
    file = serializers.FileField(write_only=True, help_text="The CSV or XLSX file of Zoom, Teams or BigBlueButton.")
    time_zone = serializers.CharField(write_only=True, required=False, help_text="Of its times; an IANA name.")
    people = serializers.SerializerMethodField()
    unread = serializers.SerializerMethodField(help_text="The lines that were not understood.")
    headings = serializers.SerializerMethodField(
        help_text="Where they are not known: say by `columns` which is which. Else empty."
    )
    created_at = UtcField(read_only=True)

    class Meta:
        model = AttendanceImport
        fields = (
            *("id", "webinar", "file", "time_zone", "replaces", "system", "file_name", "state", "error"),
            *("unread_lines", "unread", "headings", "counted_people", "left_out_people", "people", "created_at"),
        )
        read_only_fields = (
            *("system", "file_name", "state", "error", "unread_lines", "counted_people", "left_out_people"),
        )

    @extend_schema_field(PersonInReportSerializer(many=True))
    def get_people(self, imported: AttendanceImport) -> Any:
        people: Any = attendance_imports.people_of(imported)
        return PersonInReportSerializer(people, many=True).data

    @extend_schema_field(UnreadLineSerializer(many=True))
    def get_unread(self, imported: AttendanceImport) -> Any:
        lines: Any = attendance_imports.unread_of(imported)
        return UnreadLineSerializer(lines, many=True).data

    def get_headings(self, imported: AttendanceImport) -> list[str]:
        return attendance_imports.headings_of(imported)


class ColumnsSerializer(serializers.Serializer[Any]):
    """The places, from 0, of a report's columns: `name` or `email`, `joined`, `left`, and perhaps `duration`."""

    columns = serializers.DictField(child=serializers.IntegerField(min_value=0, max_value=1000))
    time_zone = serializers.CharField(required=False, max_length=64, help_text="Of its times; an IANA name.")


class ChoicesSerializer(serializers.Serializer[Any]):
    """By a person's `key` the address of the registrant that they are, or nothing for nobody."""

    choices = serializers.DictField(child=serializers.CharField(max_length=254, allow_blank=True))

    def validate_choices(self, value: dict[str, str]) -> dict[int, str]:
        if not all(key.isascii() and key.isdigit() and len(key) < 8 for key in value):
            raise serializers.ValidationError("Keys are the numbers given as `key`.")
        return {int(key): email for key, email in value.items()}


class AttendanceImportViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, OrganisedViewSet[AttendanceImport]
):
    """Reports of conference systems. Send the file as multipart/form-data; DELETE also takes back what it counted."""

    queryset = AttendanceImport.objects.select_related("webinar__organisation")
    serializer_class = AttendanceImportSerializer
    parser_classes = (parsers.MultiPartParser, parsers.JSONParser)
    organisation_path = "webinar__organisation"
    filterset_fields = {"webinar__slug": ["exact"]}

    def create(self, request: Request) -> Response:
        """Read a report and match its people."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        require_organiser(request, data["webinar"].organisation)
        imported = attendance_imports.receive_report(
            webinar=data["webinar"],
            chunks=data["file"].chunks(),
            file_name=data["file"].name,
            time_zone=data.get("time_zone", ""),
            replaces=data.get("replaces", True),
            user=self.organiser,
        )
        return Response(self.get_serializer(imported).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: AttendanceImport) -> None:
        attendance_imports.discard_import(imported=instance, user=self.organiser)

    @extend_schema(request=ColumnsSerializer, responses=AttendanceImportSerializer)
    @action(detail=True, methods=["post"])
    def columns(self, request: Request, pk: str) -> Response:
        """Say which column of a report with unknown headings holds what."""
        imported = self.get_object()
        data = ColumnsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        found = attendance_imports.choose_columns(imported=imported, user=self.organiser, **data.validated_data)
        return Response(self.get_serializer(found).data)

    @extend_schema(request=ChoicesSerializer, responses=AttendanceImportSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Say which registrants people are."""
        imported = self.get_object()
        data = ChoicesSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        choices = data.validated_data["choices"]
        found = attendance_imports.decide(imported=imported, choices=choices, user=self.organiser)
        return Response(self.get_serializer(found).data)

    @extend_schema(request=None, responses=AttendanceImportSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Have the matched people counted. Twice is once."""
        found = attendance_imports.confirm_import(imported=self.get_object(), user=self.organiser)
        return Response(self.get_serializer(found).data)


# --- Certificates --------------------------------------------------------------------------------------------------
class CertificateRuleSerializer(serializers.ModelSerializer[CertificateRule]):
    """What earns a certificate. Once the session has begun other conditions need a `reason`."""

    text = TranslatedField(required=False)
    reason = serializers.CharField(write_only=True, required=False, allow_blank=True)

    class Meta:
        model = CertificateRule
        fields = ("webinar", "min_minutes", "min_share", "min_score", "needs_survey", "text", "signatory", "reason")
        read_only_fields = ("webinar",)


class CertificateRuleViewSet(mixins.RetrieveModelMixin, OrganisedViewSet[Webinar]):
    """The rule of a webinar, by the webinar's id. PUT sets it whole, DELETE ends certificates."""

    queryset = Webinar.objects.select_related("organisation", "certificate_rule")
    serializer_class = CertificateRuleSerializer  # type: ignore[assignment]  # rules are found by their webinar
    organisation_path = "organisation"

    @extend_schema(responses=CertificateRuleSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The rule; without one all conditions are null."""
        webinar: Webinar = self.get_object()
        rule = CertificateRule.objects.filter(pk=webinar.pk).first() or CertificateRule(webinar=webinar)
        return Response(CertificateRuleSerializer(rule).data)

    @extend_schema(request=CertificateRuleSerializer, responses=CertificateRuleSerializer)
    def update(self, request: Request, pk: str) -> Response:
        webinar: Webinar = self.get_object()
        serializer = CertificateRuleSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        rule = certificates.set_rule(webinar=webinar, user=self.organiser, **serializer.validated_data)
        return Response(CertificateRuleSerializer(rule).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Offer no certificates any more; `?reason=` once the session has begun."""
        reason = request.query_params.get("reason", "")
        certificates.remove_rule(webinar=self.get_object(), user=self.organiser, reason=reason)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CertificateSerializer(serializers.ModelSerializer[Certificate]):
    """A certificate: what it says, where others check it, and a short-lived address of its file."""

    webinar = serializers.SlugRelatedField[Webinar](source="registration.webinar", slug_field="slug", read_only=True)
    facts = serializers.DictField(read_only=True)
    check_url = serializers.SerializerMethodField()
    file_url = serializers.SerializerMethodField()
    created_at = UtcField(read_only=True)
    revoked_at = UtcField(read_only=True, allow_null=True)

    class Meta:
        model = Certificate
        fields = (
            *("id", "webinar", "registration", "number", "language", "minutes", "facts", "check_url", "file_url"),
            *("created_at", "revoked_at", "revoked_reason"),
        )
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_check_url(self, certificate: Certificate) -> str:
        return certificates.check_url(certificate)

    @extend_schema_field(OpenApiTypes.URI)
    def get_file_url(self, certificate: Certificate) -> str:
        return certificates.file_url(certificate)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=certificates.REASON_MAX)


class CertificateViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisedViewSet[Certificate]):
    """Certificates that were issued."""

    queryset = Certificate.objects.select_related("registration__webinar__organisation")
    serializer_class = CertificateSerializer
    organisation_path = "registration__webinar__organisation"
    filterset_fields = {"registration__webinar__slug": ["exact"], "registration": ["exact"], "number": ["exact"]}

    @extend_schema(request=ReasonSerializer, responses=CertificateSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Withdraw it. Twice is once."""
        certificate = self.get_object()
        data = ReasonSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        found = certificates.revoke(certificate=certificate, reason=data.validated_data["reason"], user=self.organiser)
        return Response(self.get_serializer(found).data)

    @extend_schema(request=None, responses=CertificateSerializer)
    @action(detail=True, methods=["post"])
    def reissue(self, request: Request, pk: str) -> Response:
        """Replace it by one with what is known now."""
        found = certificates.reissue(certificate=self.get_object(), user=self.organiser)
        return Response(self.get_serializer(found).data)


class CertificateBatchSerializer(serializers.ModelSerializer[CertificateBatch]):
    """The making of all certificates that were earned and not issued."""

    webinar = WebinarField(queryset=Webinar.objects.none())
    expected = serializers.IntegerField(write_only=True, min_value=1, help_text="How many: what is confirmed.")
    created_at = UtcField(read_only=True)

    class Meta:
        model = CertificateBatch
        fields = ("id", "webinar", "expected", "state", "progress", "activity", "error", "created_at")
        read_only_fields = ("state", "progress", "activity", "error")


class CertificateBatchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisedViewSet[CertificateBatch]):
    """Batches of certificates: begun with the number that is confirmed, cancelled, tried again."""

    queryset = CertificateBatch.objects.select_related("webinar__organisation")
    serializer_class = CertificateBatchSerializer
    organisation_path = "webinar__organisation"
    filterset_fields = {"webinar__slug": ["exact"]}

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        webinar: Webinar = serializer.validated_data["webinar"]
        require_organiser(request, webinar.organisation)
        batch = certificates.request_batch(
            webinar=webinar, user=self.organiser, expected=serializer.validated_data["expected"]
        )
        return Response(self.get_serializer(batch).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=CertificateBatchSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop; certificates that were made stay."""
        batch = self.get_object()
        certificates.cancel_batch(batch=batch, user=self.organiser)
        return Response(self.get_serializer(batch).data)

    @extend_schema(request=None, responses=CertificateBatchSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Go on where it failed or was cancelled."""
        batch = self.get_object()
        certificates.retry_batch(batch=batch, user=self.organiser)
        return Response(self.get_serializer(batch).data)
