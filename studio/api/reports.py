"""The report for funders over the API."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import permissions, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import rules
from accounts.api.permissions import token_of
from events.models import Series, Webinar
from studio import reports
from studio.reports import FundersReport


class FiguresSerializer(serializers.Serializer[reports.Figures]):
    """Sums. `minutes` are of those whose minutes are known; `completed` are viewings to the end."""

    registered = serializers.IntegerField()
    attended = serializers.IntegerField()
    stayed = serializers.IntegerField(help_text="Of those who attended, to the end.")
    minutes = serializers.IntegerField()
    average_minutes = serializers.IntegerField(allow_null=True)
    certificates = serializers.IntegerField()
    openings = serializers.IntegerField(help_text="Of the recordings.")
    watched_ms = serializers.IntegerField()
    completion_percent = serializers.IntegerField(allow_null=True)
    downloads = serializers.IntegerField()


class WebinarFiguresSerializer(serializers.Serializer[reports.WebinarFigures]):
    webinar = serializers.CharField(source="webinar.slug")
    figures = FiguresSerializer()


class GroupSerializer(serializers.Serializer[reports.Group]):
    name = serializers.CharField()
    registered = serializers.IntegerField()
    attended = serializers.IntegerField(allow_null=True, help_text="Null where they are too few to be told.")


class BreakdownSerializer(serializers.Serializer[reports.Breakdown]):
    key = serializers.CharField(help_text="country, profession, sector or language.")
    groups = GroupSerializer(many=True)


class FundersReportSerializer(serializers.Serializer[FundersReport]):
    total = FiguresSerializer()
    webinars = WebinarFiguresSerializer(many=True)
    breakdowns = BreakdownSerializer(many=True)


class ChoiceSerializer(serializers.Serializer[Any]):
    """Which webinars a report is about: one, a series', or those between two days."""

    webinar = serializers.SlugRelatedField[Webinar](slug_field="slug", queryset=Webinar.objects.none(), required=False)
    series = serializers.SlugRelatedField[Series](slug_field="slug", queryset=Series.objects.none(), required=False)
    first = serializers.DateField(required=False)
    last = serializers.DateField(required=False)


class ReportViewSet(viewsets.ViewSet):
    """What funders ask for: figures and groups in which nobody can be recognised."""

    permission_classes = [permissions.IsAuthenticated]

    @extend_schema(
        parameters=[
            OpenApiParameter("webinar", str, description="Its slug."),
            OpenApiParameter("series", str, description="Its slug."),
            OpenApiParameter("first", str, description="A day, such as 2027-01-01."),
            OpenApiParameter("last", str, description="A day."),
        ],
        responses=FundersReportSerializer,
    )
    def list(self, request: Request) -> Response:
        """The report on the caller's webinars, or on those that are chosen."""
        organisations = rules.organisations_of(request.user, token=token_of(request)).order_by("name")
        asked = {name: value for name, value in request.query_params.items() if value and "\0" not in value}
        choice = ChoiceSerializer(data=asked)
        choice.fields["webinar"].queryset = Webinar.objects.filter(organisation__in=organisations)  # type: ignore[attr-defined]  # a related field
        choice.fields["series"].queryset = Series.objects.filter(organisation__in=organisations)  # type: ignore[attr-defined]  # a related field
        choice.is_valid(raise_exception=True)
        values = dict(choice.validated_data)
        webinar = values.pop("webinar", None)
        found = reports.webinars_in(organisations, **values)
        if webinar is not None:
            found = found.filter(pk=webinar.pk)
        return Response(FundersReportSerializer(reports.report_on(found)).data)
