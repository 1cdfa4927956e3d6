"""Questions, questionnaires with their results, and consent texts over the API."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

import django_filters
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import OrganisationField, TranslatedField, UtcField, require_organiser
from accounts.api.viewsets import OrganisationViewSet
from accounts.models import Organisation
from events.models import Webinar
from registration import consents, questions, results
from registration.api.serializers import WebinarField
from registration.models import (
    ConsentKind,
    ConsentText,
    Question,
    QuestionKind,
    Questionnaire,
    QuestionnaireItem,
    QuestionnairePurpose,
)


class ChoiceSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=20, required=False, help_text="Given by the service; send it to keep it.")
    label = TranslatedField()  # type: ignore[assignment]  # a field called so, not a field's label
    is_right = serializers.BooleanField(default=False)


class QuestionSerializer(serializers.ModelSerializer[Question]):
    organisation = OrganisationField(queryset=Organisation.objects.none())
    kind = serializers.ChoiceField(choices=QuestionKind.choices)
    label = TranslatedField()  # type: ignore[assignment]  # as above
    help_text = TranslatedField(required=False)  # type: ignore[assignment]  # as above
    choices = ChoiceSerializer(many=True, required=False)

    class Meta:
        model = Question
        fields = ("id", "organisation", "kind", "label", "help_text", "choices", "minimum", "maximum", "is_retired")
        read_only_fields = ("id", "is_retired")


class QuestionFilter(django_filters.FilterSet):
    class Meta:
        model = Question
        fields = ("organisation", "kind", "is_retired")


class QuestionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[Question]):
    """The questions that an organisation asks, in whichever webinars."""

    queryset = Question.objects.select_related("organisation")
    serializer_class = QuestionSerializer
    filterset_class = QuestionFilter

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        organisation = serializer.validated_data.pop("organisation")
        require_organiser(request, organisation)
        question = questions.save_question(
            question=Question(organisation=organisation), user=self.user, **serializer.validated_data
        )
        return Response(self.get_serializer(question).data, status=status.HTTP_201_CREATED)

    def update(self, request: Request, pk: str) -> Response:
        """Change a question wherever it is asked; the organisation stays."""
        question = self.get_object()
        serializer = self.get_serializer(question, data=request.data)
        serializer.is_valid(raise_exception=True)
        values = {name: value for name, value in serializer.validated_data.items() if name != "organisation"}
        return Response(self.get_serializer(questions.save_question(question=question, user=self.user, **values)).data)

    @extend_schema(request=None, responses=QuestionSerializer)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        """Offer it no more; where it is asked it goes on being asked."""
        question = questions.retire_question(question=self.get_object(), user=self.user)
        return Response(self.get_serializer(question).data)


class ItemSerializer(serializers.ModelSerializer[QuestionnaireItem]):
    seats = serializers.SerializerMethodField()

    class Meta:
        model = QuestionnaireItem
        fields = ("id", "question", "position", "is_required", "shown_if", "shown_if_choices", "seats")

    def get_seats(self, item: QuestionnaireItem) -> dict[str, dict[str, int]]:
        return {one.choice: {"capacity": one.capacity, "taken": one.taken} for one in item.seats.all()}


class NewItemSerializer(serializers.Serializer[Any]):
    question = serializers.UUIDField()
    is_required = serializers.BooleanField(default=False)
    shown_if = serializers.UUIDField(required=False, allow_null=True, help_text="An earlier item.")
    shown_if_choices = serializers.ListField(child=serializers.CharField(max_length=20), max_length=50, default=list)
    seats = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=questions.MOST_SEATS, allow_null=True), required=False
    )


class QuestionnaireSerializer(serializers.ModelSerializer[Questionnaire]):
    webinar = WebinarField(queryset=Webinar.objects.none())
    purpose = serializers.ChoiceField(choices=QuestionnairePurpose.choices)
    introduction = TranslatedField(required=False)
    items = ItemSerializer(many=True, read_only=True)

    class Meta:
        model = Questionnaire
        fields = ("id", "webinar", "purpose", "introduction", "items")
        # One per webinar and purpose is the service's rule: a second POST answers with the first.
        validators: list[Any] = []


class QuestionnaireFilter(django_filters.FilterSet):
    webinar = django_filters.CharFilter(field_name="webinar__slug", label="the webinar's slug")

    class Meta:
        model = Questionnaire
        fields = ("webinar", "purpose")


class QuestionnaireViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[Questionnaire]):
    """What webinars ask, and what came of it."""

    queryset = Questionnaire.objects.select_related("webinar__organisation").prefetch_related(
        "items__question", "items__seats"
    )
    serializer_class = QuestionnaireSerializer
    filterset_class = QuestionnaireFilter
    organisation_path = "webinar__organisation"

    def create(self, request: Request) -> Response:
        """Begin a questionnaire, or change the introduction of the one there is."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        require_organiser(request, data["webinar"].organisation)
        made = questions.questionnaire_for(webinar=data["webinar"], purpose=data["purpose"])
        if "introduction" in data:
            questions.set_introduction(questionnaire=made, user=self.user, text=data["introduction"])
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=NewItemSerializer, responses=ItemSerializer)
    @action(detail=True, methods=["post"], url_path="items")
    def add_item(self, request: Request, pk: str) -> Response:
        """Ask a question at the end, or change how it is asked if it is asked already."""
        questionnaire = self.get_object()
        serializer = NewItemSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        own = Question.objects.filter(organisation=questionnaire.webinar.organisation)
        question = get_object_or_404(own, pk=data["question"])
        item = questionnaire.items.filter(question=question).select_related("question").first()
        if item is None:
            item = questions.add_item(questionnaire=questionnaire, question=question, user=self.user)
        shown_if = _item(questionnaire, data.get("shown_if"))
        item = questions.update_item(
            item=item,
            user=self.user,
            is_required=data["is_required"],
            shown_if=shown_if,
            shown_if_choices=data["shown_if_choices"],
            seats=data.get("seats"),
        )
        return Response(ItemSerializer(item).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={200: dict[str, Any]})
    @action(detail=True, methods=["get"])
    def results(self, request: Request, pk: str) -> Response:
        """Sums, and averages per group (`?by=country` or `profession`); of fewer than five people nothing."""
        questionnaire = self.get_object()
        found = results.results_of(questionnaire, by=request.query_params.get("by", "country"))
        answer: dict[str, Any] = {"asked": found.asked, "responses": found.responses, "questions": [], "groups": []}
        if not found.is_hidden:
            answer["average_score"] = found.average_score
            answer["questions"] = [
                {**_plain(one), "bars": [asdict(bar) for bar in one.bars]} for one in found.questions
            ]
            rated = [str(question.pk) for question in found.rated]
            answer["groups"] = [
                {"name": one.name, "responses": one.responses, "averages": dict(zip(rated, one.averages, strict=True))}
                for one in found.groups
            ]
        gains = results.knowledge_gain(questionnaire.webinar) if questionnaire.purpose in questions.QUIZZES else None
        if gains is not None and not gains.is_hidden:
            answer["gains"] = [_plain(one) for one in gains.questions]
        return Response(answer)


def _plain(result: results.QuestionResult | results.Gain) -> dict[str, Any]:
    """A result with the question's id in the place of the question."""
    values = {name: getattr(result, name) for name in result.__dataclass_fields__ if name not in ("question", "bars")}
    return {"question": str(result.question.pk), "label": str(result.question.label), **values}


def _item(questionnaire: Questionnaire, pk: UUID | None) -> QuestionnaireItem | None:
    if pk is None:
        return None
    return get_object_or_404(questionnaire.items.select_related("question"), pk=pk)


class ConsentTextSerializer(serializers.ModelSerializer[ConsentText]):
    organisation = OrganisationField(queryset=Organisation.objects.none())
    kind = serializers.ChoiceField(choices=ConsentKind.choices)
    text = TranslatedField()
    created_at = UtcField(read_only=True)

    class Meta:
        model = ConsentText
        fields = ("id", "organisation", "kind", "version", "text", "is_required", "created_at")
        read_only_fields = ("id", "version")
        validators: list[Any] = []


class ConsentTextViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[ConsentText]):
    """All versions of what people agree to. A change is a new one."""

    queryset = ConsentText.objects.select_related("organisation")
    serializer_class = ConsentTextSerializer

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        require_organiser(request, data["organisation"])
        made = consents.write_text(user=self.user, **data)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)
