"""Webinars, speakers and materials for tests."""

import hashlib
from datetime import timedelta

import factory
from django.core.files.base import ContentFile
from django.utils import timezone

from events.models import Material, MaterialKind, MaterialPage, Series, Speaker, Webinar, WebinarState
from tests.factories.accounts import OrganisationFactory

# The smallest PDF that names itself one; enough for rows, not for drawing pages.
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


class SeriesFactory(factory.django.DjangoModelFactory[Series]):
    """A series shown in the catalogue."""

    class Meta:
        model = Series

    organisation = factory.SubFactory(OrganisationFactory)
    slug = factory.Sequence(lambda n: f"series-{n}")
    title = factory.Sequence(lambda n: f"Series {n}")
    is_public = True


class WebinarFactory(factory.django.DjangoModelFactory[Webinar]):
    """A published, public webinar: tomorrow, one hour long, organised from Brussels."""

    class Meta:
        model = Webinar

    organisation = factory.SubFactory(OrganisationFactory)
    slug = factory.Sequence(lambda n: f"webinar-{n}")
    title = factory.Sequence(lambda n: f"Webinar {n}")
    spoken_language = "en"
    subtitle_languages: list[str] = []
    starts_at = factory.LazyFunction(lambda: (timezone.now() + timedelta(days=1)).replace(microsecond=0))
    ends_at = factory.LazyAttribute(lambda o: o.starts_at + timedelta(hours=1))
    time_zone = "Europe/Brussels"
    join_url = "https://room.example.org/j/123"
    state = WebinarState.PUBLISHED
    published_at = factory.LazyFunction(timezone.now)


class SpeakerFactory(factory.django.DjangoModelFactory[Speaker]):
    class Meta:
        model = Speaker

    webinar = factory.SubFactory(WebinarFactory)
    name = factory.Sequence(lambda n: f"Speaker {n}")
    email = factory.Sequence(lambda n: f"speaker{n}@example.org")
    language = "en"


class MaterialFactory(factory.django.DjangoModelFactory[Material]):
    """A finished PDF of slides, stored in the private storage."""

    class Meta:
        model = Material

    webinar = factory.SubFactory(WebinarFactory)
    kind = MaterialKind.SLIDES
    title = factory.Sequence(lambda n: f"Slides {n}")
    file_name = "slides.pdf"
    file = factory.LazyAttribute(lambda o: ContentFile(PDF, name=o.file_name))
    content_type = "application/pdf"
    size = len(PDF)
    sha256 = hashlib.sha256(PDF).hexdigest()
    page_count = 1
    state = Material.State.DONE


class MaterialPageFactory(factory.django.DjangoModelFactory[MaterialPage]):
    class Meta:
        model = MaterialPage

    material = factory.SubFactory(MaterialFactory)
    number = factory.Sequence(lambda n: n + 1)
    image = factory.django.ImageField(width=32, height=18, format="PNG")
    text = "Words on the page"
