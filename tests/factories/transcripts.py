"""Text tracks for tests."""

from typing import Any

import factory

from tests.factories.media import AssetFactory
from transcripts import cues
from transcripts.cues import Cue
from transcripts.models import Revision, TextTrack, TrackKind, TrackOrigin

CUES = [
    Cue("c1", 500, 3_700, "Thank you for your attention, and see you next week."),
    Cue("c2", 4_800, 8_200, "Healthy food and daily exercise\nprevent many diseases."),
]


class TrackFactory(factory.django.DjangoModelFactory[TextTrack]):
    """A draft with one revision of two cues by speech recognition; `cues=[]` gives one without a revision."""

    class Meta:
        model = TextTrack
        skip_postgeneration_save = True

    asset = factory.SubFactory(AssetFactory)
    language = "en"
    kind = TrackKind.CAPTIONS

    @factory.post_generation
    def cues(self: TextTrack, create: bool, extracted: list[Cue] | None, **_kwargs: Any) -> None:
        made = CUES if extracted is None else extracted
        if create and made:
            self.current_revision = RevisionFactory(track=self, cues=cues.to_rows(made), cue_count=len(made))
            self.save(update_fields=["current_revision"])


class RevisionFactory(factory.django.DjangoModelFactory[Revision]):
    class Meta:
        model = Revision

    track = factory.SubFactory(TrackFactory, cues=[])
    number = 1
    origin = TrackOrigin.MACHINE
    cues = factory.LazyFunction(lambda: cues.to_rows(CUES))
    cue_count = len(CUES)
