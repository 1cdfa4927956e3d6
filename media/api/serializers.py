"""Uploads as the API shows them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import rules
from accounts.api.permissions import token_of
from accounts.models import Organisation, Role
from media.models import Upload


class UploadSerializer(serializers.ModelSerializer[Upload]):
    part_count = serializers.IntegerField(read_only=True)
    received = serializers.SerializerMethodField(help_text="Numbers of the parts that have arrived whole.")

    class Meta:
        model = Upload
        fields = (
            "id",
            "organisation",
            "purpose",
            "file_name",
            "size",
            "sha256",
            "fingerprint",
            "part_size",
            "part_count",
            "received",
            "state",
            "progress",
            "activity",
            "error_code",
            "error",
            "asset",
            "expires_at",
            "created_at",
        )
        read_only_fields = fields

    def get_received(self, upload: Upload) -> list[int]:
        return [part.number for part in upload.parts.all()]


@extend_schema_field(OpenApiTypes.UUID)
class OrganisationField(serializers.PrimaryKeyRelatedField[Organisation]):
    """One of the organisations for which the person may upload."""

    def get_queryset(self) -> QuerySet[Organisation]:
        request = self.context.get("request")
        if request is None:  # while the schema is made
            return Organisation.objects.none()
        return rules.organisations_of(request.user, Role.ORGANISER, token=token_of(request))


class NewUploadSerializer(serializers.Serializer[Any]):
    """An announcement: what will be sent, and what for."""

    file_name = serializers.CharField(max_length=1000, trim_whitespace=False)
    size = serializers.IntegerField(min_value=0, max_value=2**62, help_text="Bytes of the whole file.")
    purpose = serializers.CharField(
        max_length=100, required=False, default="", allow_blank=True, help_text="Such as `recording:<webinar id>`."
    )
    sha256 = serializers.CharField(
        max_length=64, required=False, default="", allow_blank=True, help_text="Of the whole file, if known."
    )
    fingerprint = serializers.CharField(
        max_length=64,
        required=False,
        default="",
        allow_blank=True,
        help_text="Anything by which the client knows the file again, to go on with it later.",
    )
    part_size = serializers.IntegerField(
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        help_text="Bytes of a part, if another size than the usual suits the line better. The answer says what it is.",
    )
    organisation = OrganisationField(
        required=False,
        help_text="Needed by people who upload for more than one organisation.",
    )


class CompleteUploadSerializer(serializers.Serializer[Any]):
    """What may be said when all parts are sent."""

    sha256 = serializers.CharField(
        max_length=64, required=False, default="", allow_blank=True, help_text="Of the whole file; checked if given."
    )


class PartAddressSerializer(serializers.Serializer[Any]):
    """Send the part's bytes there, as they are, within six hours; no login is needed."""

    number = serializers.IntegerField()
    size = serializers.IntegerField(help_text="Bytes that this part must have.")
    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
