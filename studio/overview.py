"""Reads for organisers: how far each webinar is, and what to do next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import rules
from accounts.rules import Person
from events.models import Material, Webinar, WebinarQuerySet, WebinarState
from library.models import Recording, RecordingState
from registration.models import Registration, RegistrationState
from registration.open_points import lacking
from registration.selectors import search_registrations
from studio.models import Production, StepRow
from transcripts.models import TextTrack
from work.models import WorkState


def _count(rows: "QuerySet[Registration] | QuerySet[StepRow] | QuerySet[Material]", webinar: str) -> Coalesce:
    """The number of rows per webinar as a subquery, so that several counts do not multiply each other."""
    counted = rows.filter(**{webinar: OuterRef("pk")}).order_by().values(webinar).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


def failed_steps() -> "QuerySet[StepRow]":
    """Steps that a person should look at: failed, in a production that goes on, and in the recording's latest one."""
    newer = Production.objects.filter(
        recording=OuterRef("production__recording"), created_at__gt=OuterRef("production__created_at")
    )
    return StepRow.objects.filter(state=WorkState.FAILED, production__cancelled_at__isnull=True).exclude(Exists(newer))


def webinars_for(person: Person) -> WebinarQuerySet:
    """The person's webinars, each with its counts of registrants, failures, and its latest recording's state."""
    latest = Recording.objects.filter(webinar=OuterRef("pk")).order_by("-created_at")
    visible = cast(WebinarQuerySet, rules.visible_to(Webinar.objects.all(), person))
    return visible.annotate(
        confirmed_count=_count(Registration.objects.filter(state=RegistrationState.CONFIRMED), "webinar"),
        waitlisted_count=_count(Registration.objects.filter(state=RegistrationState.WAITLISTED), "webinar"),
        failed_steps=_count(failed_steps(), "production__recording__webinar"),
        failed_materials=_count(Material.objects.filter(state=WorkState.FAILED), "webinar"),
        recording_state=Subquery(latest.values("state")[:1]),
        recording_package=Subquery(latest.values("asset__current_package")[:1]),
    )


@dataclass(frozen=True)
class RegistrantCounts:
    confirmed: int
    waitlisted: int
    cancelled: int
    pending: int = 0
    unproved: int = 0
    declined: int = 0

    @property
    def total(self) -> int:
        return self.confirmed + self.waitlisted


def registrant_counts(webinar: Webinar) -> RegistrantCounts:
    per_state = dict(webinar.registrations.order_by().values_list("state").annotate(n=Count("pk")))
    return RegistrantCounts(
        confirmed=per_state.get(RegistrationState.CONFIRMED, 0),
        waitlisted=per_state.get(RegistrationState.WAITLISTED, 0),
        cancelled=per_state.get(RegistrationState.CANCELLED, 0),
        pending=per_state.get(RegistrationState.PENDING, 0),
        unproved=per_state.get(RegistrationState.UNPROVED, 0),
        declined=per_state.get(RegistrationState.DECLINED, 0),
    )


def registrants(
    webinar: Webinar, *, search: str = "", filters: Mapping[str, str] | None = None
) -> "QuerySet[Registration]":
    """The webinar's registrants, latest first, or the waiting list in its order (see `search_registrations`).

    With `open` among the filters, those of them that lack something.
    """
    found = search_registrations(webinar.registrations.all(), search=search, filters=filters)
    if (filters or {}).get("open"):
        found = lacking(found)
    if (filters or {}).get("state") == RegistrationState.WAITLISTED:
        return found.order_by("waitlist_position", "pk")
    return found.order_by("-created_at", "pk")


@dataclass(frozen=True)
class Task:
    """One link of the chain from schedule to follow-up.

    `state`: done; now (the next thing to do); attention (something failed); later.
    """

    title: str
    text: str
    state: str
    url: str = ""
    action: str = ""
    needs_organiser: bool = False  # the page behind `url` is not for reviewers


def tasks_of(webinar: Webinar) -> list[Task]:
    """What has been done and what comes next, in the order in which it happens."""
    recording = webinar.recordings.select_related("asset").order_by("-created_at").first()
    production = recording.productions.order_by("-created_at").first() if recording else None
    links = [
        _schedule(webinar),
        _speakers(webinar),
        _slides(webinar),
        _registrants(webinar),
        _recording(webinar, recording, production),
        _subtitles(recording),
        _publication(webinar, recording, production),
        _follow_up(production),
    ]
    return _mark_next(links)


def _mark_next(tasks: Iterable[Task]) -> list[Task]:
    """The first task that is neither done nor waiting for its time is the next one."""
    marked, found = [], False
    for task in tasks:
        if task.state == "open":
            state = "later" if found else "now"
            found = True
            task = replace(task, state=state)
        marked.append(task)
    return marked


def _before(webinar: Webinar) -> str:
    """The state of what is to be done before the session, and of no use after it or without one."""
    return "later" if webinar.is_over or webinar.state == WebinarState.CANCELLED else "open"


def _schedule(webinar: Webinar) -> Task:
    title = _("Schedule")
    edit = reverse("studio:webinar_edit", args=[webinar.pk])
    if webinar.state == WebinarState.CANCELLED:
        return Task(title, _("This webinar was cancelled."), "done")
    if webinar.state == WebinarState.DRAFT:
        text = _("It is a draft that only your organisation sees. Publish it, so that people can register.")
        return Task(title, text, "open", edit, _("Check the details"), needs_organiser=True)
    return Task(
        title, _("Published: people can find it and register."), "done", edit, _("Change"), needs_organiser=True
    )


def _speakers(webinar: Webinar) -> Task:
    title, url = _("Speakers"), reverse("studio:speakers", args=[webinar.pk])
    speakers = list(webinar.speakers.all())
    waiting = [speaker for speaker in speakers if speaker.email and speaker.invited_at is None]
    if not speakers:
        return Task(title, _("Add the people who present."), _before(webinar), url, _("Add speakers"))
    if waiting and _before(webinar) == "open":
        text = ngettext(
            "%(n)d speaker has no invitation yet.", "%(n)d speakers have no invitation yet.", len(waiting)
        ) % {"n": len(waiting)}
        return Task(title, text, "open", url, _("Invite"))
    names = ", ".join(speaker.name for speaker in speakers)
    return Task(title, names, "done", url, _("Change"))


def _slides(webinar: Webinar) -> Task:
    title, url = _("Slides and handouts"), reverse("studio:speakers", args=[webinar.pk]) + "#materials"
    states = list(webinar.materials.values_list("state", flat=True))
    if WorkState.FAILED in states:
        return Task(title, _("A file could not be turned into pages."), "attention", url, _("See why"))
    if not states:
        text = _("Speakers upload them at their personal link, or you do.")
        return Task(title, text, _before(webinar), url, _("Upload"))
    text = ngettext("%(n)d file", "%(n)d files", len(states)) % {"n": len(states)}
    return Task(title, text, "done", url, _("Change"))


def _registrants(webinar: Webinar) -> Task:
    counts = registrant_counts(webinar)
    text = ngettext("%(n)d person registered", "%(n)d people registered", counts.confirmed) % {"n": counts.confirmed}
    if counts.waitlisted:
        more = ngettext("%(n)d is waiting for a place", "%(n)d are waiting for a place", counts.waitlisted)
        text = f"{text}; {more % {'n': counts.waitlisted}}"
    url = reverse("studio:registrants", args=[webinar.pk])
    if counts.pending and webinar.state != WebinarState.CANCELLED and not webinar.is_over:
        wait = ngettext("%(n)d waits for your approval", "%(n)d wait for your approval", counts.pending)
        text = f"{text}; {wait % {'n': counts.pending}}"
        return Task(_("Registrants"), f"{text}.", "attention", f"{url}?state=pending", _("Decide"))
    # Nobody has to do anything here: it is done once somebody came.
    return Task(_("Registrants"), f"{text}.", "done" if counts.confirmed else "later", url, _("See the list"))


def _recording(webinar: Webinar, recording: Recording | None, production: Production | None) -> Task:
    title = _("Recording")
    if recording is None:
        url = reverse("studio:recording_upload", args=[webinar.pk])
        text = _("After the session, upload its recording here.")
        state = "open" if webinar.is_over and webinar.state != WebinarState.CANCELLED else "later"
        return Task(title, text, state, url, _("Upload"), needs_organiser=True)
    url = reverse("studio:recording", args=[recording.pk])
    if production is not None:
        url = reverse("studio:production", args=[production.pk])
        failed = production.cancelled_at is None and production.steps.filter(state=WorkState.FAILED).exists()
        if failed:
            return Task(title, _("Something went wrong while it was prepared."), "attention", url, _("See why"))
    if recording.asset.current_package_id is None:
        return Task(title, _("It is being prepared."), "open", url, _("See the progress"))
    return Task(title, recording.asset.file_name, "done", url, _("See the details"))


def _subtitles(recording: Recording | None) -> Task:
    title = _("Subtitles")
    if recording is None:
        return Task(title, _("Written and translated from the recording; you can upload your own."), "later")
    url = reverse("studio:recording", args=[recording.pk]) + "#tracks"
    count = TextTrack.objects.filter(asset=recording.asset_id, current_revision__isnull=False).count()
    if not count:
        return Task(title, _("None yet."), "later", url, _("Upload your own"))
    text = ngettext("In %(n)d language", "In %(n)d languages", count) % {"n": count}
    return Task(title, f"{text}.", "done", url, _("Read and change"))


def _publication(webinar: Webinar, recording: Recording | None, production: Production | None) -> Task:
    title = _("Publication")
    if recording is None:
        return Task(title, _("Nobody outside your organisation sees the recording before you publish it."), "later")
    if recording.state == RecordingState.PUBLISHED:
        url = reverse("library:watch", args=[webinar.slug])
        return Task(title, _("The recording is published."), "done", url, _("Open the page"))
    url = reverse("studio:recording", args=[recording.pk])
    if recording.state == RecordingState.WITHDRAWN:
        return Task(title, _("The recording was withdrawn."), "done", url, _("Publish again"))
    if production is not None and production.publish_requested_at is not None:
        return Task(title, _("It is published as soon as it is ready."), "later")
    if production is not None:
        url = reverse("studio:production", args=[production.pk])
    return Task(title, _("Look at the recording, then publish it."), "open", url, _("Look at it"))


def _follow_up(production: Production | None) -> Task:
    title = _("Follow-up")
    step = production.steps.filter(name="follow_up").first() if production else None
    if step is not None and step.state == WorkState.DONE:
        return Task(title, _("Everybody who registered was told where the recording is."), "done")
    if step is not None and step.state == WorkState.SKIPPED:
        return Task(title, _("No mail was sent, as you chose."), "done")
    return Task(title, _("Everybody who registered gets the recording's address, once it is published."), "later")
