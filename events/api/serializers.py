"""Webinars, series, speakers and materials as the API shows and reads them. Services check the values."""

from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import rules
from accounts.api.fields import MomentField, OrganisationField, TranslatedField, UtcField
from accounts.api.permissions import token_of
from events import services, slides
from events.models import Material, MaterialKind, Series, Speaker, Webinar


class OwnField(serializers.PrimaryKeyRelatedField[Any]):
    """A row of one of the caller's organisations; others do not exist for them."""

    def __init__(self, *, rows: "QuerySet[Any] | None" = None, path: str = "organisation", **kwargs: Any) -> None:
        self.rows, self.path = rows, path
        # A read-only field takes no queryset.
        super().__init__(**kwargs if kwargs.get("read_only") else {"queryset": rows, **kwargs})

    def get_queryset(self) -> "QuerySet[Any]":
        assert self.rows is not None
        request = self.context.get("request")
        if request is None:  # while the schema is made
            return self.rows.none()
        return rules.visible_to(self.rows.all(), request.user, path=self.path, token=token_of(request))


class EditableSerializer(serializers.ModelSerializer[Any]):
    """A row that two people may edit: `expected_updated_at` makes the second be told."""

    fixed_fields: ClassVar[tuple[str, ...]] = ()  # given once, at creation

    expected_updated_at = UtcField(
        write_only=True,
        required=False,
        help_text="The `updated_at` that you saw. If the row was saved since then, the answer is 409.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None:
            attrs.pop("expected_updated_at", None)
            return attrs
        for name in self.fixed_fields:
            if name in attrs and attrs.pop(name) != getattr(self.instance, name):
                raise serializers.ValidationError({name: ["This cannot be changed."]}, code="fixed")
        return attrs


class PublicSpeakerSerializer(serializers.ModelSerializer[Speaker]):
    class Meta:
        model = Speaker
        fields = ("name", "affiliation", "biography")


class WebinarSerializer(EditableSerializer):
    """A webinar. Fields that concern the organisers alone are left out for everybody else."""

    MEMBERS_ONLY: ClassVar[tuple[str, ...]] = (
        "capacity",
        "needs_approval",
        "needs_invitation",
        "email_domains",
        "reminder_minutes",
        "join_url",
        "calendar_sequence",
        "created_at",
        "updated_at",
    )
    fixed_fields = ("organisation",)

    organisation = OrganisationField(required=False, help_text="Needed by people who belong to several.")
    series = OwnField(rows=Series.objects.all(), required=False, allow_null=True)
    slug = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Made from the title when left out."
    )
    title = TranslatedField()
    summary = TranslatedField(required=False)
    subtitle_languages = serializers.ListField(child=serializers.CharField(max_length=100), required=False)
    starts_at = MomentField(help_text="With its offset, or as local time in `time_zone`.")
    ends_at = MomentField(help_text="With its offset, or as local time in `time_zone`.")
    registration_opens_at = MomentField(required=False, allow_null=True)
    registration_closes_at = MomentField(required=False, allow_null=True)
    email_domains = serializers.ListField(
        child=serializers.CharField(max_length=260),
        required=False,
        help_text="Only addresses of these institutions may register, each proved by a mailed link.",
    )
    reminder_minutes = serializers.ListField(
        child=serializers.IntegerField(), required=False, max_length=20, help_text="Before the start."
    )
    zone_change = serializers.ChoiceField(
        choices=("clock", "moment"),
        required=False,
        write_only=True,
        help_text="What stays when `time_zone` is changed without the times: what the clocks show, or the moment.",
    )
    published_at = UtcField(read_only=True)
    cancelled_at = UtcField(read_only=True)
    created_at = UtcField(read_only=True)
    updated_at = UtcField(read_only=True)
    speakers = PublicSpeakerSerializer(many=True, read_only=True)
    page_url = serializers.SerializerMethodField()
    is_registration_open = serializers.BooleanField(read_only=True)

    class Meta:
        model = Webinar
        fields = (
            "id",
            "organisation",
            "series",
            "slug",
            "title",
            "summary",
            "topic",
            "audience",
            "spoken_language",
            "subtitle_languages",
            "starts_at",
            "ends_at",
            "time_zone",
            "zone_change",
            "capacity",
            "registration_opens_at",
            "registration_closes_at",
            "needs_approval",
            "needs_invitation",
            "email_domains",
            "reminder_minutes",
            "is_registration_open",
            "join_url",
            "visibility",
            "state",
            "published_at",
            "cancelled_at",
            "calendar_sequence",
            "speakers",
            "page_url",
            "created_at",
            "updated_at",
            "expected_updated_at",
        )
        read_only_fields = ("state", "calendar_sequence")
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {
            "capacity": {"min_value": 1, "max_value": services.MAX_CAPACITY},
        }

    def get_page_url(self, webinar: Webinar) -> str:
        return services.public_url(webinar)

    def to_representation(self, instance: Webinar) -> dict[str, Any]:
        data: dict[str, Any] = super().to_representation(instance)
        if instance.organisation_id not in self._own_organisations():
            for name in self.MEMBERS_ONLY:
                data.pop(name, None)
        return data

    def _own_organisations(self) -> set[Any]:
        # Asked once per answer, not once per row: all rows of a list share their request.
        request = self.context["request"]
        if not hasattr(request, "own_organisations"):
            found = rules.organisations_of(request.user, token=token_of(request))
            request.own_organisations = set(found.values_list("pk", flat=True))
        own: set[Any] = request.own_organisations
        return own


class SeriesSerializer(EditableSerializer):
    fixed_fields = ("organisation", "slug")

    organisation = OrganisationField(required=False, help_text="Needed by people who belong to several.")
    slug = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Made from the title when left out."
    )
    title = TranslatedField()
    description = TranslatedField(required=False)
    created_at = UtcField(read_only=True)
    updated_at = UtcField(read_only=True)

    class Meta:
        model = Series
        fields = (
            "id",
            "organisation",
            "slug",
            "title",
            "description",
            "is_public",
            "created_at",
            "updated_at",
            "expected_updated_at",
        )


class SpeakerSerializer(EditableSerializer):
    fixed_fields = ("webinar",)

    webinar = OwnField(rows=Webinar.objects.select_related("organisation"))
    position = serializers.IntegerField(required=False, min_value=0, max_value=32_767)
    language = serializers.CharField(
        required=False, max_length=35, help_text="Of the invitation; the webinar's when left out."
    )
    invited_at = UtcField(read_only=True)
    created_at = UtcField(read_only=True)
    updated_at = UtcField(read_only=True)

    class Meta:
        model = Speaker
        fields = (
            "id",
            "webinar",
            "name",
            "email",
            "affiliation",
            "biography",
            "language",
            "position",
            "invited_at",
            "created_at",
            "updated_at",
            "expected_updated_at",
        )


class MaterialSerializer(serializers.ModelSerializer[Material]):
    """A material, and how far the drawing of its pages is (`state`, `progress`, `error`)."""

    webinar = OwnField(rows=Webinar.objects.select_related("organisation"))
    speaker = OwnField(
        rows=Speaker.objects.select_related("webinar"),
        path="webinar__organisation",
        required=False,
        allow_null=True,
    )
    kind = serializers.ChoiceField(choices=MaterialKind.choices, default=MaterialKind.SLIDES)
    file = serializers.FileField(write_only=True, help_text="PDF, PPTX, ODP, PNG or JPEG; the content decides.")
    url = serializers.SerializerMethodField(help_text="Where to download the file, for a short time.")
    created_at = UtcField(read_only=True)

    class Meta:
        model = Material
        fields = (
            "id",
            "webinar",
            "speaker",
            "kind",
            "title",
            "file",
            "file_name",
            "content_type",
            "size",
            "sha256",
            "page_count",
            "is_public",
            "url",
            "state",
            "progress",
            "error_code",
            "error",
            "created_at",
        )
        read_only_fields = (
            "file_name",
            "content_type",
            "size",
            "sha256",
            "page_count",
            "is_public",
            "state",
            "progress",
            "error_code",
            "error",
        )

    @extend_schema_field(serializers.URLField)
    def get_url(self, material: Material) -> str:
        address = slides.material_url(material)
        request = self.context.get("request")
        return request.build_absolute_uri(address) if request else address

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        speaker: Model | None = attrs.get("speaker")
        if isinstance(speaker, Speaker) and speaker.webinar_id != attrs["webinar"].pk:
            raise serializers.ValidationError({"speaker": ["This speaker belongs to another webinar."]})
        return attrs
