from collections.abc import Sequence

import pytest

from tests.factories.accounts import OrganisationFactory, UserFactory
from tests.factories.events import WebinarFactory
from tests.factories.library import RecordingFactory
from transcripts import glossary, selectors, services
from transcripts.errors import LanguageUnknown
from transcripts.glossary import Rendered, Term
from transcripts.models import GlossaryTerm
from transcripts.services.glossary import TermInvalid

WHO = Term("WHO", {"fr": "OMS"})
CARE = Term("primary care", {"fr": "soins primaires"})


def test_terms_are_found_as_whole_words_and_the_longer_first() -> None:
    terms = [Term("care"), CARE, WHO]
    assert glossary.found_in("Primary  care, says the WHO.", terms) == [CARE, WHO]
    assert glossary.found_in("Those who care", terms) == [terms[0]]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"The WHO says so.": "L'OMS le dit."}, Rendered("L'OMS le dit.")),
        ({"The WHO says so.": "La WHO le dit.", "WHO": "WHO"}, Rendered("La OMS le dit.")),
        (
            {"The WHO says so.": "Il le dit.", "WHO": "Qui", "The X1X says so.": "La X1X le dit."},
            Rendered("La OMS le dit."),
        ),
        ({"The WHO says so.": "Il le dit.", "WHO": "Qui", "The X1X says so.": "Il."}, Rendered("Il le dit.", ("WHO",))),
    ],
)
def test_term_is_rendered_or_said_to_be_lost(answers: dict[str, str], expected: Rendered) -> None:
    made = glossary.translate(
        ["The WHO says so."], [WHO], target="fr", ask=lambda sentences: [answers[one] for one in sentences]
    )
    assert made == [expected]


def test_a_term_without_a_rendering_is_left_to_the_translator() -> None:
    asked: list[str] = []

    def ask(sentences: Sequence[str]) -> list[str]:
        asked.extend(sentences)
        return ["x"] * len(sentences)

    glossary.translate(["Primary care."], [CARE], target="de", ask=ask)
    assert asked == ["Primary care."]
    assert Term("Rostrum", is_kept=True).rendering("de") == "Rostrum"


@pytest.mark.django_db
def test_the_webinars_own_term_comes_before_the_organisations() -> None:
    recording = RecordingFactory()
    organisation, webinar = recording.webinar.organisation, recording.webinar
    recording.asset.organisation = organisation
    recording.asset.save()
    user = UserFactory()
    services.save_term(organisation=organisation, text="WHO", renderings={"fr": "OMS"}, user=user)
    services.save_term(organisation=organisation, text=" Primary  care ", renderings={"fr": "soins primaires"})
    services.save_term(organisation=organisation, webinar=webinar, text="WHO", is_kept=True)
    services.save_term(organisation=organisation, webinar=WebinarFactory(organisation=organisation), text="other")
    services.save_term(organisation=OrganisationFactory(), text="stranger")
    found = {term.text: (term.rendering("fr"), term.is_kept) for term in selectors.glossary_of(recording.asset)}
    assert found == {"WHO": ("WHO", True), "Primary care": ("soins primaires", False)}


@pytest.mark.django_db
def test_term_that_cannot_be_kept_is_refused() -> None:
    organisation = OrganisationFactory()
    services.save_term(organisation=organisation, text="WHO")
    for text in ("WHO", "  ", "x" * 121):
        with pytest.raises(TermInvalid):
            services.save_term(organisation=organisation, text=text)
    with pytest.raises(LanguageUnknown):
        services.save_term(organisation=organisation, text="EU", renderings={"xx": "EU"})
    with pytest.raises(TermInvalid):
        services.save_term(organisation=organisation, text="EU", webinar=WebinarFactory())
    services.delete_term(term=GlossaryTerm.objects.get())
    assert not GlossaryTerm.objects.exists()
