"""Messages to registrants, and an organisation's own words for its mails, over the API. For organisers."""

from dataclasses import asdict
from typing import Any

import django_filters
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import OrganisationField, TranslatedField, UtcField, require_organiser
from accounts.api.viewsets import OrganisedViewSet
from accounts.models import Organisation
from events.models import Webinar
from notifications import wording
from notifications.errors import UnusableWords
from notifications.models import MailTemplate
from notifications.rendering import Rendered
from registration import mail_kinds, organiser_messages
from registration.api.serializers import WebinarField
from registration.errors import MessageRefused
from registration.messages import scope_of
from registration.models import Announcement, AnnouncementKind, Registration


class LanguageSerializer(serializers.Serializer[Any]):
    language = serializers.CharField(max_length=35, help_text="A BCP 47 tag.")


class RenderedSerializer(serializers.Serializer[Rendered]):
    """A mail as its reader gets it, with addresses that open nothing."""

    language = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()
    html = serializers.CharField()


# --- Messages ------------------------------------------------------------------------------------------------------
class MessageSerializer(serializers.ModelSerializer[Announcement]):
    """A message from the organiser. Who gets it is fixed when it is written; nothing leaves before it is sent."""

    webinar = WebinarField(queryset=Webinar.objects.none())
    segment = serializers.CharField(
        max_length=20, help_text="Whom it is for: everybody, confirmed, waitlisted, attended, left_early, absent, ..."
    )
    subject = TranslatedField()
    text = TranslatedField()
    recipients = serializers.SerializerMethodField(help_text="How many people get it.")
    confirmed_at = UtcField(read_only=True)
    created_at = UtcField(read_only=True)

    class Meta:
        model = Announcement
        fields = (
            *("id", "webinar", "segment", "subject", "text", "recipients", "state", "progress", "error"),
            *("confirmed_at", "created_at"),
        )
        read_only_fields = ("id", "state", "progress", "error")

    def get_recipients(self, row: Announcement) -> int:
        return len(row.recipients or [])


class RecipientSerializer(serializers.ModelSerializer[Registration]):
    class Meta:
        model = Registration
        fields = ("id", "name", "email", "language")
        read_only_fields = fields


class SendSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(
        min_value=0, max_value=10_000_000, help_text="How many people get it, as `recipients` says: the confirmation."
    )


class MessageFilter(django_filters.FilterSet):
    webinar = django_filters.CharFilter(field_name="webinar__slug", label="the webinar's slug")

    class Meta:
        model = Announcement
        fields = ("webinar",)


class MessageViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, OrganisedViewSet[Announcement]
):
    """What organisers write to registrants. DELETE discards a message that was not sent."""

    queryset = Announcement.objects.filter(kind=AnnouncementKind.MESSAGE).select_related("webinar__organisation")
    serializer_class = MessageSerializer
    filterset_class = MessageFilter
    organisation_path = "webinar__organisation"

    def create(self, request: Request) -> Response:
        """Write a message and fix its recipients; nothing is sent."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        webinar: Webinar = data.pop("webinar")
        require_organiser(request, webinar.organisation)
        row = organiser_messages.draft_message(
            webinar=webinar,
            user=self.organiser,
            segment=data["segment"],
            subject=_by_language(data["subject"], webinar),
            text=_by_language(data["text"], webinar),
        )
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: Announcement) -> None:
        organiser_messages.discard_message(announcement=instance, user=self.organiser)

    @extend_schema(responses=RecipientSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None)
    def recipients(self, request: Request, pk: str) -> Response:
        """The people who get it, as they were fixed when it was written."""
        found: Any = organiser_messages.recipients_of(self.get_object()).order_by()  # the paginator's order
        page: Any = self.paginate_queryset(found) or []
        return self.get_paginated_response(RecipientSerializer(page, many=True).data)

    @extend_schema(parameters=[LanguageSerializer], responses=RenderedSerializer)
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, pk: str) -> Response:
        """What a reader of `?language=` gets."""
        row = self.get_object()
        asked = LanguageSerializer(data={"language": request.query_params.get("language", row.webinar.spoken_language)})
        asked.is_valid(raise_exception=True)
        made = organiser_messages.preview(
            announcement=row, language=asked.validated_data["language"], reader_name=self.organiser.name
        )
        return Response(asdict(made))

    @extend_schema(request=LanguageSerializer, responses={202: None})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send it to the caller's own address, without anybody's personal links."""
        row = self.get_object()
        asked = LanguageSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        language = asked.validated_data["language"]
        if language not in row.text.data:
            raise MessageRefused(_("The message is not written in this language."), field="language")
        organiser_messages.send_test(announcement=row, language=language, user=self.organiser)
        return Response(status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=SendSerializer, responses=MessageSerializer)
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: str) -> Response:
        """Send it to its recipients; their number confirms it."""
        row = self.get_object()
        data = SendSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        sent = organiser_messages.confirm_message(
            announcement=row, count=data.validated_data["count"], user=self.organiser
        )
        return Response(self.get_serializer(sent).data)


def _by_language(value: Any, webinar: Webinar) -> dict[str, str]:
    return value if isinstance(value, dict) else {webinar.spoken_language: value}


# --- Own words -----------------------------------------------------------------------------------------------------
class MailTextSerializer(serializers.ModelSerializer[MailTemplate]):
    """Words in place of the standard ones, for one mail in one language: of one webinar, or of all."""

    organisation = OrganisationField(queryset=Organisation.objects.none(), required=False)
    webinar = WebinarField(queryset=Webinar.objects.none(), required=False, write_only=True)
    scope = serializers.CharField(source="about", read_only=True, help_text="webinar:<id>, or nothing for all.")
    template = serializers.CharField(max_length=60, help_text="One of `mail-texts/kinds/`.")
    language = serializers.ChoiceField(choices=[])

    class Meta:
        model = MailTemplate
        fields = ("id", "organisation", "webinar", "scope", "template", "language", "subject", "text", "updated_at")
        read_only_fields = ("id", "updated_at")
        # Saving again replaces the words that are there.
        validators: list[Any] = []

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["language"] = serializers.ChoiceField(choices=wording.languages())
        # The service says what is missing or too long.
        fields["subject"] = serializers.CharField(max_length=10 * wording.SUBJECT_MAX)
        fields["text"] = serializers.CharField(max_length=2 * wording.TEXT_MAX, trim_whitespace=False)
        return fields


class MailKindSerializer(serializers.Serializer[wording.MailKind]):
    template = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field called so, not a field's label
    placeholders = serializers.ListField(child=serializers.CharField())
    required = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]  # as above


class MailPreviewSerializer(serializers.Serializer[Any]):
    webinar = WebinarField(queryset=Webinar.objects.none())
    template = serializers.CharField(max_length=60)
    language = serializers.ChoiceField(choices=wording.languages())


class MailTextFilter(django_filters.FilterSet):
    class Meta:
        model = MailTemplate
        fields = ("organisation", "about", "template", "language")


class MailTextViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, OrganisedViewSet[MailTemplate]
):
    """Own words for mails. DELETE goes back to the standard text."""

    queryset = MailTemplate.objects.select_related("organisation")
    serializer_class = MailTextSerializer
    filterset_class = MailTextFilter

    def create(self, request: Request) -> Response:
        """Store words for a `webinar`, or for all of an `organisation`'s; earlier ones for the same are replaced."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        webinar: Webinar | None = data.pop("webinar", None)
        organisation = webinar.organisation if webinar else data.pop("organisation", None)
        if organisation is None:
            raise serializers.ValidationError({"webinar": [_("Name a webinar or an organisation.")]}, code="required")
        require_organiser(request, organisation)
        row = wording.save_words(
            organisation=organisation,
            scope=scope_of(webinar) if webinar else "",
            kind=_kind(data["template"]),
            language=data["language"],
            subject=data["subject"],
            text=data["text"],
            user=self.organiser,
        )
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: MailTemplate) -> None:
        wording.drop_words(row=instance, user=self.organiser)

    @extend_schema(responses=MailKindSerializer(many=True))
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def kinds(self, request: Request) -> Response:
        """The mails that can be worded, with the placeholders that they may and must hold."""
        kinds: Any = wording.kinds()
        return Response(MailKindSerializer(kinds, many=True).data)

    @extend_schema(request=MailPreviewSerializer, responses=RenderedSerializer)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """A mail as a reader of that language gets it now, with the webinar's real data."""
        asked = MailPreviewSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        webinar, template, language = (asked.validated_data[name] for name in ("webinar", "template", "language"))
        require_organiser(request, webinar.organisation)
        made = mail_kinds.preview(
            webinar=webinar,
            template=_kind(template).template,
            language=language,
            reader_name=self.organiser.name,
            words=mail_kinds.words_for(webinar=webinar, template=template, language=language),
        )
        return Response(asdict(made))


def _kind(template: str) -> wording.MailKind:
    kind = wording.kind_of(template)
    if kind is None:
        raise UnusableWords(_("There is no such mail."), field="template")
    return kind
