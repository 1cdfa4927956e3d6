"""The machinery of the access matrix: a world with one of everything, people who ask, and the walk over all addresses.

A row of the matrix is a line `METHOD /address/{placeholder}/ 404 404 ... 200`: one status per role, in the order of
ROLES. Placeholders are the names in `World.values`; those in `World.personal` are secrets that one role holds, and
everybody else asks with a forged one. To cover a new address, add a line for each method it takes; if it needs a row
of a new kind, make one in `build_world`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import transaction
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone
from i18nfield.strings import LazyI18nString

from accounts.models import Role
from accounts.services import create_api_token
from events import services as events_services
from events.models import Visibility, Webinar, WebinarState
from library import embeds, playback
from library.models import FormerVersion, Recording, RecordingState
from library.rules import Right
from media import uploads
from media.models import DerivativeKind, Upload
from media.storage import private_storage
from notifications.models import MailTemplate, OptOut, Suppression
from notifications.opt_outs import unsubscribe_link
from registration.calendars import feed_of
from registration.consents import write_text
from registration.links import (
    feed_link_for,
    group_token_for,
    invitation_link_for,
    join_link_for,
    proof_link_for,
    token_for,
)
from registration.models import (
    Announcement,
    AnnouncementKind,
    Answer,
    Group,
    Invitation,
    QuestionKind,
    QuestionnairePurpose,
    Registration,
    RegistrationImport,
    RegistrationState,
)
from studio import services as studio_services
from studio.models import BurnIn, Cut, Production, StepRow, WatchedFile
from tests.factories.accounts import MembershipFactory, OrganisationFactory, UserFactory
from tests.factories.events import MaterialFactory, MaterialPageFactory, SeriesFactory, SpeakerFactory, WebinarFactory
from tests.factories.library import RecordingFactory, give_track, watchable_recording
from tests.factories.media import AssetFactory, DerivativeFactory
from tests.factories.notifications import MessageFactory
from tests.factories.questions import ask, make_questionnaire
from tests.factories.registration import RegistrationFactory
from transcripts.models import GlossaryTerm, Renewal, TextTrack, TrackKind, TrackState
from transcripts.services import assign_reviewer, review_address
from work.models import WorkState

ROLES = (
    "anonymous",  # nobody in particular
    "registrant",  # opened the link from the confirmation of {closed} in this browser
    "speaker",  # holds the link to speak at {draft}, and one to review {track_id}
    "reviewer",
    "organiser",
    "owner",
    "other",  # owner of another organisation
    "administrator",
    "token_read",  # an API token of the organiser's, for reading
    "token_write",  # and one for writing
)


@dataclass
class World:
    """One organisation's rows, and who asks for them."""

    values: dict[str, Any] = field(default_factory=dict)
    personal: dict[str, tuple[str, str]] = field(default_factory=dict)  # placeholder -> (role that holds it, secret)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    def address(self, template: str, role: str) -> str:
        secrets = {
            name: secret if holder == role else forged(secret) for name, (holder, secret) in self.personal.items()
        }
        return template.format(**self.values, **secrets)

    def browser(self, role: str) -> Client:
        client = Client(raise_request_exception=False, headers=self.headers.get(role, {}))
        for name, value in self.cookies.get(role, {}).items():
            client.cookies[name] = value
        return client

    def read(self, role: str, address: str) -> str:
        """What a role is shown there."""
        return self.browser(role).get(address).content.decode()

    def ask(self, role: str, method: str, address: str, body: Any = None) -> int:
        """Ask as that role would, and undo whatever came of it."""
        client = self.browser(role)
        options: dict[str, Any] = {}
        if isinstance(body, bytes):
            options |= {"data": body, "content_type": "application/octet-stream"}
        elif address.startswith("/api/") and body is not None and "file" not in body:
            options |= {"data": body, "content_type": "application/json"}
        elif body is not None:
            options["data"] = body
        with transaction.atomic():
            response: HttpResponseBase = getattr(client, method.lower())(address, **options)
            if isinstance(response, StreamingHttpResponse):
                b"".join(response)  # read to its end, which closes the file
            transaction.set_rollback(True)
        cache.clear()
        return response.status_code


def forged(secret: str) -> str:
    """The same secret with one character changed, so that its form is right."""
    middle = len(secret) // 2
    return f"{secret[:middle]}{'A' if secret[middle] != 'A' else 'B'}{secret[middle + 1 :]}"


def build_world() -> World:
    """Make one of everything. Names: {public}, {closed}, {internal} and {draft} are webinars by who may see them."""
    world = World()
    organisation = OrganisationFactory.create(name="Health Programme")
    world.values["organisation_id"] = organisation.pk
    people = {
        "reviewer": MembershipFactory(organisation=organisation, role=Role.REVIEWER).user,
        "organiser": MembershipFactory(organisation=organisation, role=Role.ORGANISER).user,
        "owner": MembershipFactory(organisation=organisation, role=Role.OWNER).user,
        "other": MembershipFactory(role=Role.OWNER).user,
        "administrator": UserFactory(is_staff=True, is_superuser=True),
    }
    for role, user in people.items():
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        world.cookies[role] = {name: morsel.value for name, morsel in client.cookies.items()}
    for role, can_write in (("token_read", False), ("token_write", True)):
        row, token = create_api_token(
            organisation=organisation, created_by=people["organiser"], name=role, can_write=can_write
        )
        world.headers[role] = {"Authorization": f"Bearer {token}"}
        world.values["token_id"] = row.pk

    series = SeriesFactory.create(organisation=organisation)
    hidden_series = SeriesFactory.create(organisation=organisation, is_public=False)
    world.values |= {"series": series.slug, "series_id": series.pk, "hidden_series": hidden_series.slug}
    webinars = {
        "public": WebinarFactory.create(organisation=organisation, series=series),
        "closed": WebinarFactory.create(organisation=organisation, visibility=Visibility.REGISTERED),
        "internal": WebinarFactory.create(organisation=organisation, visibility=Visibility.ORGANISATION),
        "draft": WebinarFactory.create(organisation=organisation, state=WebinarState.DRAFT),
        "empty_draft": WebinarFactory.create(organisation=organisation, state=WebinarState.DRAFT),
    }
    for name, webinar in webinars.items():
        world.values |= {name: webinar.slug, f"{name}_id": webinar.pk}
    _add_recordings(world, webinars)
    _add_channel_of(world)
    _add_people_of(world, webinars)
    _add_questions_of(world, webinars["closed"])
    _add_uploads(world, webinars["draft"], people["organiser"])
    return world


def _add_recordings(world: World, webinars: dict[str, Webinar]) -> None:
    for name, visibility in (("public", Visibility.PUBLIC), ("closed", Visibility.REGISTERED)):
        recording = watchable_recording(webinar=webinars[name], visibility=visibility)
        material = MaterialFactory.create(webinar=webinars[name])
        world.values |= {f"{name}_recording_id": recording.pk, f"{name}_material_id": material.pk}
    page = MaterialPageFactory.create(material__webinar=webinars["public"])
    public = Recording.objects.get(pk=world.values["public_recording_id"])
    slide = public.slide_intervals.create(page=page, start_ms=0, end_ms=5000, certainty=0.9)
    world.values["slide_id"] = slide.pk
    draft = RecordingFactory.create(webinar=webinars["draft"], state=RecordingState.DRAFT)
    track = give_track(draft.asset, "fr", ["Bonjour."], kind=TrackKind.SUBTITLES, state=TrackState.DRAFT)
    review = assign_reviewer(track=TextTrack.objects.get(pk=track.pk), email="reviewer@example.org", user=None)
    world.personal["review"] = ("speaker", review_address(review).rpartition("/review/")[2].strip("/"))
    world.values |= {"review_link_id": review.pk, "renewal_id": Renewal.objects.create(track=track).pk}
    production: Production = studio_services.start_production(
        recording=draft, user=None, spoken_language="en", subtitle_languages=["fr"]
    )
    step = production.steps.get(name="inspect")
    StepRow.objects.filter(pk=step.pk).update(state=WorkState.FAILED, tries_left=0)
    _add_versions_of(world)
    world.values |= {
        "draft_recording_id": draft.pk,
        "asset_id": draft.asset_id,
        "track_id": track.pk,
        "term_id": GlossaryTerm.objects.create(organisation=draft.webinar.organisation, term="EU").pk,
        "production_id": production.pk,
        "step_id": step.pk,
    }


def _add_versions_of(world: World) -> None:
    """A cut that is done, a video that is wanted, and a former file of the {public} recording."""
    recording = Recording.objects.select_related("asset__current_package").get(pk=world.values["public_recording_id"])
    package, revision = recording.asset.current_package, recording.asset.tracks.all()[0].current_revision
    assert package is not None
    assert revision is not None
    cut = Cut.objects.create(recording=recording, asset=recording.asset, start_ms=0, state=WorkState.DONE)
    burn_in = BurnIn.objects.create(recording=recording, language="en", package=package, revision=revision)
    former = AssetFactory.create(organisation=recording.webinar.organisation)
    version = FormerVersion.objects.create(recording=recording, asset=former, delete_after=timezone.now())
    world.values |= {"cut_id": cut.pk, "burn_in_id": burn_in.pk, "version_id": version.pk}


def _add_channel_of(world: World) -> None:
    """An interpreter's channel of the {public} recording that waits for being heard, and what there is to hear."""
    recording = Recording.objects.select_related("asset__current_package").get(pk=world.values["public_recording_id"])
    source = AssetFactory.create(organisation=recording.webinar.organisation, has_audio=True)
    channel = recording.asset.channels.create(source=source, language="fr", offset_ms=500, match=0.2)
    package = recording.asset.current_package
    assert package is not None
    key = private_storage().save(f"{package.prefix}/excerpt.m4a", ContentFile(b"sound"))
    facts = {"place_ms": 0, "channel_ms": 0}
    DerivativeFactory.create(
        package=package,
        kind=DerivativeKind.EXCERPT,
        name="fr:0:channel",
        key=key,
        content_type="audio/mp4",
        facts=facts,
    )
    world.values["channel_id"] = channel.pk


def _add_people_of(world: World, webinars: dict[str, Webinar]) -> None:
    speaker = SpeakerFactory.create(webinar=webinars["draft"])
    own_material = MaterialFactory.create(webinar=webinars["draft"], speaker=speaker)
    world.values |= {"speaker_id": speaker.pk, "draft_material_id": own_material.pk}
    world.personal["speak"] = ("speaker", events_services.speaker_link(speaker).split("/")[-2])

    registration: Registration = RegistrationFactory.create(webinar=webinars["closed"])
    own = token_for(registration)
    world.values["registration_id"] = registration.pk
    world.personal["own"] = ("registrant", own)
    unproved = RegistrationFactory.create(webinar=webinars["closed"], state=RegistrationState.UNPROVED)
    invitation = Invitation.objects.create(webinar=webinars["closed"])
    group = Group.objects.create(webinar=webinars["closed"], name="Ward", coordinator_email="c@example.org")
    member = RegistrationFactory.create(webinar=webinars["closed"], group=group)
    rows = [{"line": 2, "values": {"name": "A", "email": "a@example.org"}, "outcome": "new", "error": ""}]
    imported = RegistrationImport.objects.create(webinar=webinars["closed"], rows=rows, file_name="a.csv")
    team_import = RegistrationImport.objects.create(webinar=webinars["closed"], rows=rows, group=group)
    world.values |= {
        "invitation_id": invitation.pk,
        "member_id": member.pk,
        "import_id": imported.pk,
        "team_import_id": team_import.pk,
    }
    world.personal["proof"] = ("registrant", proof_link_for(unproved).split("/")[-2])
    world.personal["invitation"] = ("registrant", invitation_link_for(invitation).split("/")[-2])
    world.personal["team"] = ("registrant", group_token_for(group))
    world.personal["join"] = ("registrant", join_link_for(registration).rstrip("/").split("/")[-1])
    world.values["suppression_id"] = Suppression.objects.create(email="gone@example.org", reason="gone").pk
    organisation = registration.webinar.organisation
    mail_text = MailTemplate.objects.create(
        organisation=organisation, template="pending", language="en", subject="Wait", text="Please wait."
    )
    opt_out = OptOut.objects.create(organisation=organisation, email="no@example.org", scope="news")
    world.values |= {"team_id": group.pk, "mail_text_id": mail_text.pk, "opt_out_id": opt_out.pk}
    words = {"en": "Before {title}"}
    announcement = Announcement.objects.create(
        webinar=webinars["closed"],
        kind=AnnouncementKind.MESSAGE,
        version=0,
        segment="confirmed",
        recipients=[str(registration.pk)],
        subject=LazyI18nString(words),
        text=LazyI18nString(words),
    )
    world.values["message_id"] = announcement.pk
    mail = MessageFactory.create(
        recipient_email=registration.email, is_optional=True, organisation=registration.webinar.organisation
    )
    world.personal["unsubscribe"] = ("registrant", unsubscribe_link(mail.pk.hex).split("/")[-3])
    world.personal["feed"] = ("registrant", feed_link_for(feed_of(registration)).split("/")[-2])
    browser = Client()
    browser.get(f"/registrations/{own}/")
    world.cookies["registrant"] = {name: morsel.value for name, morsel in browser.cookies.items()}

    key = private_storage().save("certificates/one.pdf", ContentFile(b"%PDF-"))
    certificate = registration.certificates.create(number="2027-ABCD-2345", language="en", key=key)
    world.values |= {"certificate_id": certificate.pk, "certificate_code": certificate.code}
    report = webinars["closed"].attendance_imports.create(system="zoom", file_name="report.csv")
    batch = webinars["closed"].certificate_batches.create(state=WorkState.FAILED)
    world.values |= {"attendance_report_id": report.pk, "certificate_batch_id": batch.pk}

    recording = Recording.objects.select_related("asset__current_package").get(pk=world.values["closed_recording_id"])
    package = recording.asset.current_package
    assert package is not None
    right = Right("registration", str(registration.pk))
    world.personal["grant"] = ("registrant", playback.make_grant(recording=recording, package=package, right=right))
    link = embeds.create_embed_link(
        recording=recording,
        name="Intranet",
        sites=["https://intranet.example.org"],
        ends_at=timezone.now() + timedelta(days=30),
    )
    world.values |= {"embed_link_id": link.pk, "embed_query": embeds.embed_url(recording, link).partition("?")[2]}
    file_address = private_storage().signed_url(package.renditions.all()[0].key, content_type="video/mp4")
    world.personal["file"] = ("registrant", file_address.split("/")[-1])


def _add_questions_of(world: World, webinar: Webinar) -> None:
    """A question that the {closed} webinar asks at registration, and a file that was the answer to another."""
    questionnaire = make_questionnaire(webinar, QuestionnairePurpose.REGISTRATION)
    item, file_item = ask(questionnaire), ask(questionnaire, QuestionKind.FILE)
    response = questionnaire.responses.create(registration_id=world.values["registration_id"])
    facts = {"name": "cv.pdf", "size": 4, "content_type": "application/pdf"}
    key = private_storage().save("answers/cv.pdf", ContentFile(b"%PDF"))
    file = Answer.objects.create(response=response, item=file_item, value=facts, file_key=key)
    text = write_text(organisation=webinar.organisation, kind="contact", text="We write to you.")
    world.values |= {"question_id": item.question_id, "item_id": item.pk, "answer_id": file.pk}
    world.values |= {"questionnaire_id": questionnaire.pk, "consent_text_id": text.pk}


def _add_uploads(world: World, webinar: Webinar, user: Any) -> None:
    """One that still takes parts, and one that is complete."""
    facts = {"organisation": webinar.organisation, "user": user, "size": 4, "purpose": f"recording:{webinar.pk}"}
    upload, done = (uploads.start_upload(file_name=name, **facts) for name in ("a.mp4", "b.mp4"))
    asset = AssetFactory.create(organisation=webinar.organisation)
    Upload.objects.filter(pk=done.pk).update(state=WorkState.DONE, asset=asset)
    world.values |= {"upload_id": upload.pk, "done_upload_id": done.pk}
    watched = WatchedFile.objects.create(
        path=f"{webinar.organisation.slug}/{webinar.slug}/talk.mp4",
        size=4,
        modified_at=timezone.now(),
        state=WorkState.FAILED,
    )
    world.values["watched_id"] = watched.pk
    part = uploads.part_address(upload=upload, number=1)
    world.personal["part"] = ("organiser", part.url.split("/")[-1])


# --- Addresses -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """What every role gets from one method of one address."""

    method: str
    address: str
    expected: dict[str, int]

    def __str__(self) -> str:
        return f"{self.method:6} {self.address}"


def parse(table: str, roles: Iterable[str]) -> list[Row]:
    """Read rows from lines; empty lines and those that begin with # are skipped."""
    rows = []
    names = list(roles)
    for line in table.strip().splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        method, address, *statuses = words
        assert len(statuses) == len(names), f"{line!r} needs {len(names)} statuses"
        rows.append(Row(method, address, dict(zip(names, map(int, statuses), strict=True))))
    return rows


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address there is, as Django writes its route."""
    for entry in (resolver or get_resolver()).url_patterns:
        part = str(entry.pattern)
        route = prefix + (part.removeprefix("^") if prefix else part)  # as ResolverMatch.route joins them
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route, entry


def doors() -> set[tuple[str, str]]:
    """Every (method, route): each method that an API resource takes; "" where the view alone knows its methods."""
    found = set()
    for route, entry in routes():
        methods = [m.upper() for m in getattr(entry.callback, "actions", None) or {} if m != "head"]
        found |= {(method, route) for method in methods or [""]}
    return found


def door_of(method: str, address: str) -> tuple[str, str] | None:
    """The (method, route) that an address leads to, in the form of `doors`."""
    try:
        match = resolve(address.partition("?")[0])
    except Resolver404:
        return None
    return (method if getattr(match.func, "actions", None) else "", match.route)


def new_times() -> dict[str, str]:
    """When a new webinar might take place."""
    starts_at = timezone.now() + timedelta(days=3)
    return {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "time_zone": "Europe/Brussels",
    }
