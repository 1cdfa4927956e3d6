"""Lists of people and teams over the API, through the same services as the pages. For organisers."""

from typing import Any

import django_filters
from django.db.models import Count, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, parsers, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import UtcField, require_organiser
from accounts.api.viewsets import OrganisedViewSet
from events.models import Webinar
from registration import imports, services
from registration.api.serializers import WebinarField
from registration.errors import ConsentMissing
from registration.list_answers import ListQuestions
from registration.models import Group, RegistrationImport


# --- Lists ---------------------------------------------------------------------------------------------------------
class ImportLineSerializer(serializers.Serializer[Any]):
    """A line and its outcome: new, again (registered already), double, wrong; at the end done or failed."""

    line = serializers.IntegerField()
    values = serializers.DictField(child=serializers.CharField())
    answers = serializers.DictField(child=serializers.CharField(), required=False)
    outcome = serializers.CharField()
    error = serializers.CharField()
    open = serializers.CharField(help_text="Questions that the person will be asked themselves.", required=False)


class ImportSummarySerializer(serializers.ModelSerializer[RegistrationImport]):
    """A list of people, without its lines."""

    webinar = WebinarField(queryset=Webinar.objects.none())
    created_at = UtcField(read_only=True)

    class Meta:
        model = RegistrationImport
        fields: tuple[str, ...] = (
            *("id", "webinar", "group", "file_name", "state", "progress", "error", "heading", "columns", "created_at"),
        )
        read_only_fields = ("id", "group", "file_name", "state", "progress", "error", "heading", "columns")


class ImportSerializer(ImportSummarySerializer):
    """A list of people. Nobody is registered before it is confirmed."""

    file = serializers.FileField(write_only=True, help_text="CSV or XLSX, at most 5 MB.")
    lines = serializers.SerializerMethodField()

    class Meta(ImportSummarySerializer.Meta):
        fields = (*ImportSummarySerializer.Meta.fields, "file", "lines")

    @extend_schema_field(ImportLineSerializer(many=True))
    def get_lines(self, imported: RegistrationImport) -> Any:
        names = ("line", "values", "answers", "outcome", "error", "open")
        return [{name: row[name] for name in names if name in row} for row in imported.rows]


class ListColumnsSerializer(serializers.Serializer[Any]):
    columns = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=1000),
        help_text=(
            "By what it holds, the column's number from 0: email, name, first_name, last_name, country, profession, "
            "sector, affiliation, language, time_zone, or the id of a questionnaire's item."
        ),
    )

    def validate_columns(self, value: dict[str, int]) -> dict[str, int]:
        return {name.replace("-", ""): number for name, number in value.items()}


class KnownSerializer(serializers.Serializer[Any]):
    privacy = serializers.BooleanField(help_text="These people know that they are registered, and have the notice.")


class ImportFilter(django_filters.FilterSet):
    webinar = django_filters.CharFilter(field_name="webinar__slug", label="the webinar's slug")

    class Meta:
        model = RegistrationImport
        fields = ("webinar", "state")


class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisedViewSet[RegistrationImport]):
    """Lists of people to register. Send the file as multipart/form-data; look at the lines, then confirm."""

    queryset = RegistrationImport.objects.select_related("webinar__organisation", "group")
    serializer_class = ImportSerializer
    parser_classes = (parsers.MultiPartParser, parsers.JSONParser)
    filterset_class = ImportFilter
    organisation_path = "webinar__organisation"

    def get_serializer_class(self) -> Any:
        return ImportSummarySerializer if self.action == "list" else ImportSerializer

    def create(self, request: Request) -> Response:
        """Read a list and say what would become of each line."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        require_organiser(request, data["webinar"].organisation)
        made = imports.prepare(webinar=data["webinar"], file=data["file"], user=self.organiser)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ListColumnsSerializer, responses=ImportSerializer)
    @action(detail=True, methods=["post"])
    def columns(self, request: Request, pk: str) -> Response:
        """Say which column holds what; the outcomes are judged again."""
        imported = self.get_object()
        data = ListColumnsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        found = imports.choose_columns(imported=imported, columns=data.validated_data["columns"])
        return Response(self.get_serializer(found).data)

    @extend_schema(request=KnownSerializer, responses=ImportSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Register the people whose outcome is `new`."""
        imported = self.get_object()
        data = KnownSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        if not data.validated_data["privacy"]:
            raise ConsentMissing(_("Confirm that these people know that you register them."), field="privacy")
        imports.confirm(imported=imported, user=self.organiser)
        return self._now(imported)

    @extend_schema(request=None, responses=ImportSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop it; who is registered already stays so."""
        imported = self.get_object()
        imports.cancel(imported=imported, user=self.organiser)
        return self._now(imported)

    @extend_schema(request=None, responses=ImportSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Try the lines again that are not done."""
        imported = self.get_object()
        imports.retry(imported=imported, user=self.organiser)
        return self._now(imported)

    def _now(self, imported: RegistrationImport) -> Response:
        imported.refresh_from_db()
        return Response(self.get_serializer(imported).data)


# --- Teams ---------------------------------------------------------------------------------------------------------
class TeamSerializer(serializers.ModelSerializer[Group]):
    """A team, and its coordinator, to whom the link to its page is mailed. Its members: `registrations/?group=`."""

    webinar = WebinarField(queryset=Webinar.objects.none())
    language = serializers.CharField(max_length=35, required=False, help_text="A BCP 47 tag.")
    privacy = serializers.BooleanField(write_only=True, help_text="The members know that they are registered.")
    members = serializers.IntegerField(read_only=True, source="member_count")
    created_at = UtcField(read_only=True)

    class Meta:
        model = Group
        fields = (
            *("id", "webinar", "name", "coordinator_name", "coordinator_email", "language", "privacy", "members"),
            "created_at",
        )
        read_only_fields = ("id",)


class MemberSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=1000)
    email = serializers.CharField(max_length=1000)
    language = serializers.CharField(max_length=35, required=False)
    answers = serializers.DictField(
        child=serializers.JSONField(), required=False, help_text="By the id of a questionnaire's item."
    )


class WithdrawalSerializer(serializers.Serializer[Any]):
    registration = serializers.UUIDField()


class TeamFilter(django_filters.FilterSet):
    webinar = django_filters.CharFilter(field_name="webinar__slug", label="the webinar's slug")

    class Meta:
        model = Group
        fields = ("webinar",)


class TeamViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisedViewSet[Group]):
    """Teams that coordinators register."""

    queryset = Group.objects.select_related("webinar__organisation")
    serializer_class = TeamSerializer
    filterset_class = TeamFilter
    organisation_path = "webinar__organisation"

    def get_queryset(self) -> "QuerySet[Group]":
        return super().get_queryset().annotate(member_count=Count("members"))

    def create(self, request: Request) -> Response:
        """Begin a team; its coordinator is mailed the link. The same again answers with the team there is."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        webinar: Webinar = data.pop("webinar")
        require_organiser(request, webinar.organisation)
        group = services.start_group(
            webinar=webinar,
            language=data.pop("language", webinar.organisation.language),
            has_agreed=data.pop("privacy"),
            user=self.organiser,
            **data,
        )
        return Response(self._shown(group), status=status.HTTP_201_CREATED)

    @extend_schema(request=MemberSerializer, responses=TeamSerializer)
    @action(detail=True, methods=["post"])
    def members(self, request: Request, pk: str) -> Response:
        """Register one more person for the team; every condition of the webinar holds for them."""
        group = self.get_object()
        data = MemberSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        answers = ListQuestions(group.webinar).clean(values.pop("answers", {}))
        services.add_member(group=group, answers=answers, **values)
        return Response(self._shown(group))

    @extend_schema(request=WithdrawalSerializer, responses=TeamSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a member out; their registration is cancelled if the team made it."""
        group = self.get_object()
        data = WithdrawalSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        member = get_object_or_404(
            group.members.select_related("webinar__organisation"), pk=data.validated_data["registration"]
        )
        services.withdraw_member(group=group, registration=member, user=self.organiser)
        return Response(self._shown(group))

    def _shown(self, group: Group) -> Any:
        return self.get_serializer(self.get_queryset().get(pk=group.pk)).data
