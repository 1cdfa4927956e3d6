"""Text tracks over HTTP."""

import uuid
from typing import cast

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, parsers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import require_organiser
from accounts.api.viewsets import OrganisationViewSet
from transcripts import cues as arithmetic
from transcripts import formats, selectors, services
from transcripts.api.filters import TermFilter, TrackFilter
from transcripts.api.serializers import (
    AbilitySerializer,
    ChangesSerializer,
    ConflictSerializer,
    CuesSerializer,
    ErrorsSerializer,
    PeaksSerializer,
    PublishSerializer,
    RenewalSerializer,
    RenewSerializer,
    ReportSerializer,
    RestoreSerializer,
    ReviewLinkSerializer,
    RevisionSerializer,
    StaleCueSerializer,
    TermSerializer,
    TrackSerializer,
    TrackUploadSerializer,
)
from transcripts.errors import EditConflict, HasErrors
from transcripts.models import GlossaryTerm, TextTrack
from transcripts.services import waveform


class TrackViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    OrganisationViewSet[TextTrack],
):
    """Captions and subtitles of the caller's organisations."""

    queryset = TextTrack.objects.select_related("current_revision", "asset__organisation")
    serializer_class = TrackSerializer
    organisation_path = "asset__organisation"
    filterset_class = TrackFilter
    parser_classes = (parsers.JSONParser, parsers.MultiPartParser)

    @extend_schema(
        request={"multipart/form-data": TrackUploadSerializer}, responses={status.HTTP_201_CREATED: TrackSerializer}
    )
    def create(self, request: Request) -> Response:
        """Upload a subtitle file as the current revision of the track in its language and kind, or begin a track.

        A translation that is begun has the times and words of the captions, to be overwritten.
        """
        form = TrackUploadSerializer(data=request.data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        asset, file = form.validated_data["asset"], form.validated_data.get("file")
        require_organiser(request, asset.organisation)
        language, kind = form.validated_data["language"], form.validated_data["kind"]
        if file is None:
            track = services.begin_track(asset=asset, language=language, kind=kind, user=self.user)
        else:
            track = services.import_track(
                asset=asset,
                language=language,
                kind=kind,
                data=file.read(formats.MAX_BYTES + 1),
                file_name=file.name,
                user=self.user,
            )
        return Response(self.get_serializer(track).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: TextTrack) -> None:
        services.delete_track(track=instance, user=self.user)

    @extend_schema(
        request=PublishSerializer, responses={200: TrackSerializer, status.HTTP_409_CONFLICT: ErrorsSerializer}
    )
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Show the track to viewers; 409 with the errors of its quality report, unless it is to be `anyway`."""
        form = PublishSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            track = services.publish_track(
                track=self.get_object(), user=self.user, anyway=form.validated_data["anyway"]
            )
        except HasErrors as error:
            body = {"title": str(error), "status": error.status, "code": error.code, **error.facts}
            return Response(body, status=error.status, content_type="application/problem+json")
        return Response(self.get_serializer(track).data)

    @extend_schema(responses=ReportSerializer)
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def report(self, request: Request, pk: str) -> Response:
        """What is or may be wrong with the current revision, in order of time."""
        track = self.get_object()
        current = track.current_revision
        findings = selectors.finding_rows(selectors.quality_of(track))
        return Response({"revision": current.number if current else 0, "findings": findings})

    @extend_schema(request=RenewSerializer, responses={status.HTTP_202_ACCEPTED: RenewalSerializer})
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, pk: str) -> Response:
        """Have stale cues of a translation translated anew. Cues that a person corrected stay as they are."""
        form = RenewSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        renewal = services.request_renewal(
            track=self.get_object(), cue_ids=form.validated_data["cue_ids"], user=self.user
        )
        return Response(RenewalSerializer(renewal).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=TrackSerializer)
    @action(detail=True, methods=["post"])
    def unpublish(self, request: Request, pk: str) -> Response:
        """Hide the track from viewers."""
        track = services.unpublish_track(track=self.get_object(), user=self.user)
        return Response(self.get_serializer(track).data)

    @extend_schema(responses=CuesSerializer)
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def cues(self, request: Request, pk: str) -> Response:
        """The cues of the current revision."""
        return Response(_cues(self.get_object()))

    @extend_schema(
        request=CuesSerializer, responses={200: CuesSerializer, status.HTTP_409_CONFLICT: ConflictSerializer}
    )
    @cues.mapping.put
    def save_cues(self, request: Request, pk: str) -> Response:
        """Store an edited version; 409 with both versions if somebody else saved since `revision`."""
        track = self.get_object()
        form = CuesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            services.save_cues(
                track=track, base_revision=form.validated_data["revision"], cues=form.as_cues(), user=self.user
            )
        except EditConflict as error:
            return Response(conflict_of(error), status=error.status, content_type="application/problem+json")
        return Response(_cues(track))

    @extend_schema(
        request=ChangesSerializer, responses={200: CuesSerializer, status.HTTP_409_CONFLICT: ConflictSerializer}
    )
    @cues.mapping.patch
    def change_cues(self, request: Request, pk: str) -> Response:
        """Change, add and remove single cues of a revision; 409 if somebody else saved since."""
        track = self.get_object()
        form = ChangesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            services.change_cues(
                track=track,
                base_revision=form.validated_data["revision"],
                changed=form.as_cues(),
                removed=form.validated_data["removed"],
                session=form.validated_data["session"],
                user=self.user,
            )
        except EditConflict as error:
            return Response(conflict_of(error), status=error.status, content_type="application/problem+json")
        return Response(_cues(track))

    @extend_schema(responses=RevisionSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def revisions(self, request: Request, pk: str) -> Response:
        """Every state of the track, newest first."""
        return Response(RevisionSerializer(selectors.history_of(self.get_object()), many=True).data)

    @extend_schema(request=RestoreSerializer, responses=TrackSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Make an old revision the current one again, as a new revision."""
        form = RestoreSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        track = self.get_object()
        services.restore_revision(track=track, number=form.validated_data["revision"], user=self.user)
        track.refresh_from_db()
        return Response(self.get_serializer(track).data)

    @extend_schema(request=None, responses=TrackSerializer)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Mark a draft as reviewed."""
        return Response(self.get_serializer(services.mark_reviewed(track=self.get_object(), user=self.user)).data)

    @extend_schema(responses=ReviewLinkSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def reviewers(self, request: Request, pk: str) -> Response:
        """Who was asked by mail to review the track."""
        return Response(ReviewLinkSerializer(self.get_object().review_links.all(), many=True).data)

    @extend_schema(request=ReviewLinkSerializer, responses={status.HTTP_201_CREATED: ReviewLinkSerializer})
    @reviewers.mapping.post
    def assign_reviewer(self, request: Request, pk: str) -> Response:
        """Mail a person a link that opens the editor for this one track, for 30 days."""
        track = self.get_object()
        form = ReviewLinkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        link = services.assign_reviewer(track=track, user=self.user, **form.validated_data)
        return Response(ReviewLinkSerializer(link).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ReviewLinkSerializer)
    @action(detail=True, methods=["post"], url_path=r"reviewers/(?P<link>[0-9a-f-]{36})/revoke")
    def revoke_reviewer(self, request: Request, pk: str, link: str) -> Response:
        """End a reviewer's link at once."""
        row = get_object_or_404(self.get_object().review_links, pk=_uuid_or_404(link))
        return Response(ReviewLinkSerializer(services.revoke_review(link=row, user=self.user)).data)

    @extend_schema(responses={200: PeaksSerializer, 202: PeaksSerializer, 404: PeaksSerializer})
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def peaks(self, request: Request, pk: str) -> Response:
        """How loud the recording is over time; 202 while a worker measures it, 404 without sound or if that failed."""
        return _peaks(self.get_object())

    @extend_schema(request=None, responses={200: PeaksSerializer, 202: PeaksSerializer, 404: PeaksSerializer})
    @peaks.mapping.post
    def measure_peaks(self, request: Request, pk: str) -> Response:
        """Try once more to measure what failed."""
        return _peaks(self.get_object(), again=True)

    @extend_schema(responses=StaleCueSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def stale(self, request: Request, pk: str) -> Response:
        """Translated cues whose source was changed since, with its old and new words."""
        rows = [
            {
                "cue_id": row.cue.id,
                "start_ms": row.cue.start_ms,
                "text": row.cue.plain_text,
                "was": row.was,
                "now": row.now,
                "is_corrected": row.cue.is_corrected,
            }
            for row in selectors.stale_rows_of(self.get_object())
        ]
        return Response(rows)

    @extend_schema(responses=RenewalSerializer)
    @action(
        detail=True,
        methods=["get"],
        url_path=r"renewals/(?P<renewal>[0-9a-f-]{36})",
        filterset_class=None,
        pagination_class=None,
    )
    def renewal(self, request: Request, pk: str, renewal: str) -> Response:
        """How far a renewal is; ask again until its state is `done` or `failed`."""
        row = get_object_or_404(self.get_object().renewals, pk=_uuid_or_404(renewal))
        return Response(RenewalSerializer(row).data)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "file_format", str, OpenApiParameter.PATH, enum=list(formats.WRITERS), description="Format"
            )
        ],
        responses={(200, media_type): OpenApiTypes.STR for media_type in formats.MEDIA_TYPES.values()},
    )
    @action(
        detail=True,
        methods=["get"],
        url_path=r"files/(?P<file_format>[a-z0-9]{1,8})",
        filterset_class=None,
        pagination_class=None,
    )
    def file(self, request: Request, pk: str, file_format: str) -> Response:
        """The current revision as a file."""
        track = self.get_object()
        text = services.export_track(track=track, format=file_format)
        answer = HttpResponse(
            text,
            content_type=f"{formats.MEDIA_TYPES[file_format]}; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{track.language}.{formats.EXTENSIONS[file_format]}"'
            },
        )
        return cast(Response, answer)  # a plain text answer needs none of the framework's negotiation


def _peaks(track: TextTrack, *, again: bool = False) -> Response:
    found = waveform.peaks_for(asset=track.asset, again=again)
    return Response({"state": found.state, **found.content}, status=waveform.STATUS[found.state])


def conflict_of(error: EditConflict) -> dict[str, object]:
    """A problem (RFC 9457) with both versions."""
    return {
        "title": str(error),
        "status": error.status,
        "code": error.code,
        "current_revision": error.current_revision,
        "theirs": error.theirs,
        "yours": error.yours,
    }


def _uuid_or_404(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


def _cues(track: TextTrack) -> dict[str, object]:
    current = track.current_revision
    return {"revision": current.number if current else 0, "cues": arithmetic.to_rows(selectors.cues_of(track))}


class TermViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    OrganisationViewSet[GlossaryTerm],
):
    """Glossaries: how terms are heard, and what they are in other languages."""

    queryset = GlossaryTerm.objects.select_related("organisation", "webinar")
    serializer_class = TermSerializer
    filterset_class = TermFilter

    def perform_create(self, serializer: "serializers.BaseSerializer[GlossaryTerm]") -> None:
        values = dict(serializer.validated_data)
        require_organiser(self.request, values["organisation"])
        serializer.instance = services.save_term(text=values.pop("term"), user=self.user, **values)

    def perform_update(self, serializer: "serializers.BaseSerializer[GlossaryTerm]") -> None:
        row = serializer.instance
        assert row is not None
        values = {
            "webinar": row.webinar, "term": row.term, "is_kept": row.is_kept, "renderings": row.renderings,
            **serializer.validated_data, "organisation": row.organisation,
        }  # fmt: skip
        serializer.instance = services.save_term(text=values.pop("term"), term=row, user=self.user, **values)

    def perform_destroy(self, instance: GlossaryTerm) -> None:
        services.delete_term(term=instance, user=self.user)


class LanguageViewSet(viewsets.ViewSet):
    """What the configured engines can do with each language. Subtitles in any of them can be uploaded and edited."""

    permission_classes = (AllowAny,)

    @extend_schema(responses=AbilitySerializer(many=True))
    def list(self, _request: Request) -> Response:
        return Response(AbilitySerializer(selectors.abilities(), many=True).data)
