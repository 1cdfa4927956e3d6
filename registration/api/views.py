"""Registrations over the API: organisers see, add and cancel them."""

from typing import Any

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
from registration.api.filters import InvitationFilter, RegistrationFilter
from registration.api.serializers import (
    DecidedSerializer,
    DecisionSerializer,
    InvitationSerializer,
    RegistrationSerializer,
)
from registration.errors import InvalidDetail
from registration.list_answers import ListQuestions
from registration.models import Invitation, Registration, RegistrationSource
from registration.open_points import open_points


class RegistrationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[Registration]):
    """Registrations at the webinars of organisations whose organiser the caller is."""

    queryset = Registration.objects.all()
    serializer_class = RegistrationSerializer
    filterset_class = RegistrationFilter
    organisation_path = "webinar__organisation"

    def get_queryset(self) -> "QuerySet[Registration]":
        return selectors.registrations_readable_by(self.request.user, token=token_of(self.request))

    def create(self, request: Request) -> Response:
        """Register a person. The same address again answers with the registration there is.

        Answers that are missing, and consents that nobody can give for another, are asked on the person's own page;
        `still_open` names them.
        """
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        webinar: Webinar = values.pop("webinar")
        require_organiser(request, webinar.organisation)
        registration = services.register(
            webinar=webinar,
            answers=ListQuestions(webinar).clean(values.pop("answers", {})),
            consents=["privacy"] if values.pop("privacy") else [],
            language=values.pop("language", webinar.organisation.language),
            time_zone=values.pop("time_zone", webinar.time_zone),
            source=RegistrationSource.API,
            user=self.user,
            **values,
        )
        return Response(self.get_serializer(registration).data, status=status.HTTP_201_CREATED)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of registrations; what they lack is read for the whole page at once."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        context = {**self.get_serializer_context(), "open_points": open_points(page)}
        return self.get_paginated_response(RegistrationSerializer(page, many=True, context=context).data)

    @extend_schema(request=None, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a registration; a freed place goes to the next on the waiting list. Twice is once."""
        registration = services.cancel_registration(registration=self.get_object(), user=self.user)
        return Response(self.get_serializer(registration).data)

    @extend_schema(request=None, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Let somebody in who waits for approval, or who was declined."""
        registration = services.approve(registration=self.get_object(), user=self.organiser)
        return Response(self.get_serializer(registration).data)

    @extend_schema(request=None, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Refuse somebody who waits for approval."""
        registration = services.decline(registration=self.get_object(), user=self.organiser)
        return Response(self.get_serializer(registration).data)

    @extend_schema(request=None, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str) -> Response:
        """Mail the person's links again."""
        registration = services.resend_links(registration=self.get_object(), user=self.organiser)
        return Response(self.get_serializer(registration).data)

    @extend_schema(request=DecisionSerializer, responses=DecidedSerializer)
    @action(detail=False, methods=["post"])
    def decide(self, request: Request) -> Response:
        """Approve or decline many of one webinar, the earliest first."""
        serializer = DecisionSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        require_organiser(request, values["webinar"].organisation)
        result = services.decide(
            webinar=values["webinar"],
            pks=values["ids"],
            approved=values["decision"] == "approve",
            user=self.organiser,
        )
        return Response(DecidedSerializer(result).data)


class InvitationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[Invitation]):
    """Invitations to webinars of organisations whose organiser the caller is."""

    queryset = Invitation.objects.all()
    serializer_class = InvitationSerializer
    filterset_class = InvitationFilter
    organisation_path = "webinar__organisation"

    def get_queryset(self) -> "QuerySet[Invitation]":
        return selectors.invitations_readable_by(self.request.user, token=token_of(self.request))

    def create(self, request: Request) -> Response:
        """Invite a person by mail, or, without an address, make a link to share."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        webinar: Webinar = values["webinar"]
        require_organiser(request, webinar.organisation)
        if not values.get("email"):
            made = services.make_shared_invitation(
                webinar=webinar,
                user=self.organiser,
                name=values.get("name", ""),
                max_uses=values.get("max_uses"),
                expires_at=values.get("expires_at"),
            )
            return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)
        result = services.invite(
            webinar=webinar,
            people=[(values["email"], values.get("name", ""))],
            user=self.organiser,
            language=values.get("language", ""),
            expires_at=values.get("expires_at"),
        )
        if result.wrong:
            raise InvalidDetail(result.wrong[0][1], field="name")
        return Response(self.get_serializer([*result.made, *result.again][0]).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=InvitationSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """End an invitation; who registered with it keeps their place. Twice is once."""
        invitation = services.revoke_invitation(invitation=self.get_object(), user=self.organiser)
        return Response(self.get_serializer(invitation).data)
