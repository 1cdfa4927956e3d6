"""Registrations as JSON."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts import rules
from accounts.api.fields import UtcField
from accounts.api.permissions import token_of
from events.models import Webinar
from registration.links import invitation_link_for
from registration.models import Invitation, Registration
from registration.open_points import OpenPoints, open_points_of
from registration.services.decisions import DECIDED_AT_ONCE


class WebinarField(serializers.SlugRelatedField[Webinar]):
    """A webinar of the caller's organisations, by its slug."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="slug", **kwargs)

    def to_internal_value(self, data: Any) -> Webinar:
        if not isinstance(data, str) or "\0" in data:  # PostgreSQL cannot even look for one
            self.fail("invalid")
        return super().to_internal_value(data)

    def get_queryset(self) -> "QuerySet[Webinar]":
        request = self.context.get("request")
        if request is None:  # while the schema is made
            return Webinar.objects.none()
        return Webinar.objects.filter(
            organisation__in=rules.organisations_of(request.user, token=token_of(request))
        ).select_related("organisation")


class RegistrationSerializer(serializers.ModelSerializer[Registration]):
    """A registrant. On POST an organiser registers somebody; the person gets the same mails as from the page."""

    webinar = WebinarField(queryset=Webinar.objects.none())
    answers = serializers.DictField(
        child=serializers.JSONField(),
        write_only=True,
        required=False,
        help_text=_("By the id of a questionnaire's item: a text, a number, a date, or ids of choices."),
    )
    privacy = serializers.BooleanField(write_only=True, help_text=_("The person agreed to the privacy notice."))
    language = serializers.CharField(max_length=35, required=False, help_text=_("A BCP 47 tag."))
    time_zone = serializers.CharField(max_length=64, required=False, help_text=_("An IANA name."))
    still_open = serializers.SerializerMethodField(
        help_text=_("Questions that must be answered, and consents, that the person is asked on their own page.")
    )
    created_at = UtcField(read_only=True)
    confirmed_at = UtcField(read_only=True, allow_null=True)
    cancelled_at = UtcField(read_only=True, allow_null=True)

    class Meta:
        model = Registration
        fields = (
            "id",
            "webinar",
            "state",
            "email",
            "name",
            "language",
            "time_zone",
            "country",
            "profession",
            "sector",
            "affiliation",
            "source",
            "group",
            "invitation",
            "consents",
            "privacy",
            "answers",
            "still_open",
            "waitlist_position",
            "created_at",
            "confirmed_at",
            "cancelled_at",
        )
        read_only_fields = ("id", "state", "consents", "waitlist_position", "source", "group", "invitation")
        # One per address is the service's rule: a second one answers with the first.
        validators: list[Any] = []

    def get_still_open(self, registration: Registration) -> list[str]:
        known: dict[UUID, OpenPoints] = self.context.get("open_points", {})
        points = known[registration.pk] if registration.pk in known else open_points_of(registration)
        return points.in_words()


class DecisionSerializer(serializers.Serializer[Any]):
    """Which registrations of one webinar are approved or declined together."""

    webinar = WebinarField(queryset=Webinar.objects.none())
    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=DECIDED_AT_ONCE)
    decision = serializers.ChoiceField(choices=["approve", "decline"])


class DecidedSerializer(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    passed_over = serializers.IntegerField(help_text=_("They did not wait for a decision any more."))


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    """An invitation: personal with an address, to which its link is mailed; shared without one."""

    webinar = WebinarField(queryset=Webinar.objects.none())
    link = serializers.SerializerMethodField(help_text=_("Shown of shared invitations; personal ones are mailed."))
    language = serializers.CharField(max_length=35, required=False, help_text=_("A BCP 47 tag."))
    expires_at = UtcField(required=False, allow_null=True)
    revoked_at = UtcField(read_only=True, allow_null=True)
    created_at = UtcField(read_only=True)

    class Meta:
        model = Invitation
        fields = (
            "id",
            "webinar",
            "email",
            "name",
            "language",
            "max_uses",
            "uses",
            "expires_at",
            "revoked_at",
            "link",
            "created_at",
        )
        read_only_fields = ("id", "uses")
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {"max_uses": {"min_value": 1, "max_value": 1_000_000}}

    def get_link(self, invitation: Invitation) -> str | None:
        return None if invitation.email else invitation_link_for(invitation)
