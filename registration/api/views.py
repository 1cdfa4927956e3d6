"""Registrations over the API: organisers see, add and cancel them."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import require_organiser
from accounts.api.permissions import token_of
from accounts.api.viewsets import OrganisationViewSet
from events.models import Webinar
from registration import selectors, services
from registration.api.filters import RegistrationFilter
from registration.api.serializers import RegistrationSerializer
from registration.models import Registration


class RegistrationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[Registration]):
    """Registrations at the webinars of organisations whose organiser the caller is."""

    queryset = Registration.objects.all()
    serializer_class = RegistrationSerializer
    filterset_class = RegistrationFilter
    organisation_path = "webinar__organisation"

    def get_queryset(self) -> "QuerySet[Registration]":
        return selectors.registrations_readable_by(self.request.user, token=token_of(self.request))

    def create(self, request: Request) -> Response:
        """Register a person. The same address again answers with the registration there is."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        webinar: Webinar = values.pop("webinar")
        require_organiser(request, webinar.organisation)
        registration = services.register(
            webinar=webinar,
            consents=["privacy"] if values.pop("privacy") else [],
            language=values.pop("language", webinar.organisation.language),
            time_zone=values.pop("time_zone", webinar.time_zone),
            user=self.user,
            **values,
        )
        return Response(self.get_serializer(registration).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a registration; a freed place goes to the next on the waiting list. Twice is once."""
        registration = services.cancel_registration(registration=self.get_object(), user=self.user)
        return Response(self.get_serializer(registration).data)
