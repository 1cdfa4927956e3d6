"""A recording's chapters and slides over HTTP: what the studio's page can do, through the same services."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

import media.services
from accounts.api.permissions import OrganisationPermission
from library import chapters, slides, updates
from library.errors import RecordingNotReady
from library.models import Recording, UpdateTask


class ChapterSerializer(serializers.Serializer[Any]):
    start_ms = serializers.IntegerField(min_value=0, help_text="In the time of the uploaded file.")
    title = serializers.CharField(max_length=chapters.MAX_TITLE_CHARS)


class ChaptersSerializer(serializers.Serializer[Any]):
    """All chapters. `version` tells what you saw: send it back, and an edit in between is answered with 409."""

    version = serializers.CharField()
    are_edited = serializers.BooleanField(read_only=True, help_text="By a person: machines leave them alone.")
    chapters = ChapterSerializer(many=True)


class SlideSerializer(serializers.Serializer[Any]):
    """A page that is on screen. `page` is null where a person said that there is none."""

    id = serializers.UUIDField()
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    material = serializers.UUIDField(source="page.material_id", default=None)
    page = serializers.IntegerField(source="page.number", default=None)
    certainty = serializers.FloatField()
    is_by_person = serializers.BooleanField()


class SlidesSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    slides = SlideSerializer(many=True)


class SlideCorrectionSerializer(serializers.Serializer[Any]):
    """One correction: what is shown from when to when; neighbours make room."""

    version = serializers.CharField()
    id = serializers.UUIDField(required=False, help_text="The entry to be corrected; without, one is added.")
    start_ms = serializers.IntegerField(min_value=0)
    end_ms = serializers.IntegerField(min_value=0)
    material = serializers.UUIDField(required=False, allow_null=True, default=None)
    page = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)


class PosterSerializer(serializers.Serializer[Any]):
    """One of the two."""

    at_ms = serializers.IntegerField(min_value=0, required=False)
    picture = serializers.FileField(required=False, help_text="JPEG, PNG or WebP.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Give either a moment or a picture."))
        return attrs


class TimelineActions:
    """Actions of `RecordingViewSet`."""

    @extend_schema(methods=["GET"], responses=ChaptersSerializer)
    @extend_schema(methods=["POST"], request=ChaptersSerializer, responses=ChaptersSerializer)
    @action(detail=True, methods=["get", "post"], permission_classes=(OrganisationPermission,))
    def chapters(self, request: Request, pk: str) -> Response:
        """The chapters. POST replaces them all; from then on machines leave them alone."""
        view: Any = self
        recording: Recording = view.get_object()
        if request.method == "POST":
            serializer = ChaptersSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            wanted = serializer.validated_data
            marks = [chapters.Mark(row["start_ms"], row["title"]) for row in wanted["chapters"]]
            chapters.save_chapters(recording=recording, base=wanted["version"], marks=marks, user=view.user)
            recording.refresh_from_db()
        body: Any = ChaptersSerializer(
            {
                "version": chapters.chapters_version(recording),
                "are_edited": recording.are_chapters_edited,
                "chapters": list(recording.chapters.all()),
            }
        )
        return Response(body.data)

    @extend_schema(methods=["GET"], responses=SlidesSerializer)
    @extend_schema(methods=["POST"], request=SlideCorrectionSerializer, responses=SlidesSerializer)
    @action(detail=True, methods=["get", "post"], permission_classes=(OrganisationPermission,), pagination_class=None)
    def slides(self, request: Request, pk: str) -> Response:
        """Which page is on screen when. POST corrects one entry; machines do not change it again."""
        view: Any = self
        recording: Recording = view.get_object()
        if request.method == "POST":
            serializer = SlideCorrectionSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            wanted = serializer.validated_data
            page = None
            if wanted["page"] is not None:
                pages = slides.pages_of(recording).filter(number=wanted["page"])
                page = (pages.filter(material=wanted["material"]) if wanted["material"] else pages).first()
                if page is None:
                    raise slides.SlideInvalid(slides.no_such_page(), field="page")
            slides.set_slide(
                recording=recording,
                base=wanted["version"],
                start_ms=wanted["start_ms"],
                end_ms=wanted["end_ms"],
                page=page,
                interval_id=wanted.get("id"),
                user=view.user,
            )
        rows = recording.slide_intervals.select_related("page")
        body: Any = SlidesSerializer({"version": slides.slides_version(recording), "slides": list(rows)})
        return Response(body.data)

    @extend_schema(methods=["DELETE"], parameters=[], responses={204: None})
    @action(
        detail=True,
        methods=["delete"],
        url_path=r"slides/(?P<interval>[0-9a-f-]{36})",
        permission_classes=(OrganisationPermission,),
    )
    def slide(self, request: Request, pk: str, interval: str) -> Response:
        """Take an entry away; `?version=` tells what you saw. What was found by machine becomes "no slide"."""
        view: Any = self
        recording: Recording = view.get_object()
        found = recording.slide_intervals.filter(pk=interval).first()
        if found is None:
            raise Http404
        slides.remove_slide(
            recording=recording,
            base=request.query_params.get("version", ""),
            interval_id=found.pk,
            user=view.user,
        )
        return Response(status=204)

    @extend_schema(request=PosterSerializer, responses={202: None})
    @action(detail=True, methods=["post"], permission_classes=(OrganisationPermission,))
    def poster(self, request: Request, pk: str) -> Response:
        """Choose the poster: a moment of the uploaded file (drawn in the background), or a picture of your own."""
        view: Any = self
        recording: Recording = view.get_object()
        serializer = PosterSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data
        if "picture" not in wanted:
            media.services.set_poster_moment(asset=recording.asset, at_ms=wanted["at_ms"], user=view.user)
            updates.request_update(recording=recording, task=UpdateTask.POSTER, wait_s=0)
        elif recording.asset.current_package is None:
            raise RecordingNotReady(_("There is nothing to watch yet: wait until the first version is ready."))
        else:
            media.services.upload_poster(
                package=recording.asset.current_package, chunks=wanted["picture"].chunks(), user=view.user
            )
        return Response(status=202)

    @extend_schema(request=None, responses={202: None})
    @action(detail=True, methods=["post"], permission_classes=(OrganisationPermission,))
    def find_slides(self, request: Request, pk: str) -> Response:
        """Look for the slides again, in the background."""
        view: Any = self
        updates.request_update(recording=view.get_object(), task=UpdateTask.SLIDES, user=view.user, wait_s=0)
        return Response(status=202)
