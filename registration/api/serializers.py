"""Registrations as JSON."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts import rules
from accounts.api.fields import UtcField
from accounts.api.permissions import token_of
from events.models import Webinar
from registration.models import Registration


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
    privacy = serializers.BooleanField(write_only=True, help_text=_("The person agreed to the privacy notice."))
    language = serializers.CharField(max_length=35, required=False, help_text=_("A BCP 47 tag."))
    time_zone = serializers.CharField(max_length=64, required=False, help_text=_("An IANA name."))
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
            "affiliation",
            "consents",
            "privacy",
            "waitlist_position",
            "created_at",
            "confirmed_at",
            "cancelled_at",
        )
        read_only_fields = ("id", "state", "consents", "waitlist_position")
        # One per address is the service's rule: a second one answers with the first.
        validators: list[Any] = []
