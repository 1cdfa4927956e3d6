"""An organisation's keeping times over the API: organisers see them, owners set them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import exceptions, mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import keeping, rules
from accounts.api.permissions import token_of
from accounts.api.viewsets import OrganisationViewSet, organised_by
from accounts.models import Organisation, Role


class KeepingTimeSerializer(serializers.Serializer[keeping.KeepingTime]):
    name = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField())
    own_days = serializers.IntegerField(allow_null=True, help_text="Null where the service's holds; 0 is for ever.")
    standard_days = serializers.IntegerField()
    due = serializers.IntegerField(help_text="How many rows tonight's purge would delete or make anonymous.")


class KeepingTimesSerializer(serializers.ModelSerializer[Organisation]):
    times = serializers.SerializerMethodField()

    class Meta:
        model = Organisation
        fields = ("id", "name", "times")
        read_only_fields = fields

    @extend_schema_field(KeepingTimeSerializer(many=True))
    def get_times(self, organisation: Organisation) -> Any:
        times: Any = keeping.times_of(organisation, days=self.context.get("days"))
        return KeepingTimeSerializer(times, many=True).data


class DaysSerializer(serializers.Serializer[Any]):
    days = serializers.DictField(
        child=serializers.IntegerField(allow_null=True), help_text="By name; null or left out: the service's."
    )
    dry_run = serializers.BooleanField(default=False, help_text="Say what these times would delete, and save nothing.")


class KeepingTimesViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[Organisation]):
    """Keeping times, by organisation."""

    queryset = Organisation.objects.all()
    serializer_class = KeepingTimesSerializer

    def get_queryset(self) -> "QuerySet[Organisation]":
        return organised_by(self.request)

    def check_object_permissions(self, request: Request, obj: Organisation) -> None:
        """Organisers read (`get_queryset` finds no other's); what is deleted is decided by an owner."""
        if request.method == "PUT" and not rules.has_role(request.user, obj, Role.OWNER, token=token_of(request)):
            raise exceptions.PermissionDenied

    @extend_schema(request=DaysSerializer, responses=KeepingTimesSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Set all keeping times; see first with `dry_run` what they would delete."""
        organisation = self.get_object()
        data = DaysSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        days = keeping.clean_days(data.validated_data["days"])
        if not data.validated_data["dry_run"]:
            keeping.set_keeping_days(organisation=organisation, days=days, user=self.user)
        context = {**self.get_serializer_context(), "days": days}
        return Response(KeepingTimesSerializer(organisation, context=context).data)
