"""The page about a recording's sound: interpreters' channels, and listening whether each fits."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

import media.services
from library.models import Recording
from media.delivery import deliver
from media.models import InterpretationChannel
from studio import channels
from studio.channel_forms import ChannelLanguageForm, ChannelNameForm, OffsetForm
from studio.uploads import channel_purpose
from studio.views.access import StudioRequest, find_recording, studio_page
from studio.views.recordings import recording_context
from transcripts.selectors import autonym
from work.errors import DomainError


def channels_context(recording: Recording) -> dict[str, Any]:
    """One entry per channel, with how its work is going."""
    entries = []
    for channel in _channels_of(recording).select_related("source"):
        row = channels.latest_work(channel)
        match = channel.match or 0.0
        entries.append(
            {
                "channel": channel,
                "name": channel.name or autonym(channel.language),
                "row": row,
                "is_live": row is not None and not row.is_finished,
                "has_failed": row is not None and row.state in ("failed", "cancelled"),
                "offset_s": None if channel.offset_ms is None else channel.offset_ms / 1000,
                "percent": round(100 * match) if match >= media.services.LEAST_MATCH else None,
            }
        )
    return {"channels": entries, "is_live": any(entry["is_live"] for entry in entries)}


def _channels_of(recording: Recording) -> "QuerySet[InterpretationChannel]":
    return recording.asset.channels.order_by("language")


def _find_channel(
    request: StudioRequest, pk: UUID, channel: UUID, *, change: bool = False
) -> tuple[Recording, InterpretationChannel]:
    recording = find_recording(request, pk, change=change)
    return recording, get_object_or_404(_channels_of(recording).select_related("source", "asset"), pk=channel)


@studio_page
@require_GET
def sound(request: StudioRequest, pk: UUID) -> HttpResponse:
    """The channels; with a language chosen for one more, also where to put its file."""
    found = find_recording(request, pk)
    taken = set(_channels_of(found).values_list("language", flat=True))
    is_chosen = bool({"language", "other_language"} & set(request.GET))
    form = ChannelLanguageForm(request.GET if is_chosen else None, taken=taken)
    language = form.cleaned_data["language"] if is_chosen and form.is_valid() else ""
    package = found.asset.current_package
    context = recording_context(
        request,
        found,
        "sound",
        form=form,
        language=language,
        language_name=autonym(language) if language else "",
        purpose=channel_purpose(found, language) if language else "",
        loudness=package.loudness if package else {},
        **channels_context(found),
    )
    return render(request, "studio/recording/sound.html", context, status=400 if is_chosen and not language else 200)


@studio_page
@require_GET
def sound_state(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_recording(request, pk)
    context = recording_context(request, found, "sound", **channels_context(found))
    return render(request, "studio/includes/channels.html", context)


@studio_page
@require_POST
def channel_receive(request: StudioRequest, pk: UUID) -> HttpResponse:
    """A channel's file has arrived; the work on it began by itself."""
    find_recording(request, pk, change=True)
    messages.success(request, _("The file is stored. Its place in the recording is being looked for."))
    return redirect("studio:sound", pk=pk)


@studio_page
def channel(request: StudioRequest, pk: UUID, channel: UUID) -> HttpResponse:
    """GET: listen whether the channel fits. POST: confirm its place, or have it put elsewhere to listen there."""
    recording, row = _find_channel(request, pk, channel, change=request.method == "POST")
    if request.method != "POST":
        return _channel_page(request, recording, row, OffsetForm(initial={"offset_s": (row.offset_ms or 0) / 1000}))
    form = OffsetForm(request.POST)
    if not form.is_valid():
        return _channel_page(request, recording, row, form, status=400)
    is_move = "move" in request.POST
    change = channels.move if is_move else channels.confirm
    try:
        change(channel=row, offset_ms=form.offset_ms, user=request.user)
    except DomainError as error:
        form.add_error("offset_s", str(error))
        return _channel_page(request, recording, row, form, status=error.status)
    if is_move:
        messages.success(request, _("Excerpts for this place are being made. Come back to listen in a moment."))
    else:
        messages.success(request, _("Confirmed. Viewers can choose this channel as soon as it is ready."))
    return redirect("studio:sound", pk=pk)


def _channel_page(
    request: StudioRequest,
    recording: Recording,
    channel: InterpretationChannel,
    form: OffsetForm,
    *,
    status: int = 200,
) -> HttpResponse:
    places = [
        {
            "at_ms": excerpt.place_ms,
            "channel_ms": excerpt.channel_ms,
            "main_url": _excerpt_url(recording, channel, number, "main") if excerpt.main else "",
            "channel_url": _excerpt_url(recording, channel, number, "channel") if excerpt.channel else "",
        }
        for number, excerpt in enumerate(media.services.excerpts_of(channel))
    ]
    context = recording_context(
        request,
        recording,
        "sound",
        channel=channel,
        channel_name=channel.name or autonym(channel.language),
        form=form,
        name_form=ChannelNameForm(initial={"name": channel.name}),
        places=places,
        offset_s=(channel.offset_ms or 0) / 1000,
        row=channels.latest_work(channel),
        percent=round(100 * channel.match) if channel.match else 0,
    )
    return render(request, "studio/recording/channel.html", context, status=status)


def _excerpt_url(recording: Recording, channel: InterpretationChannel, number: int, side: str) -> str:
    return reverse("studio:channel_excerpt", args=[recording.pk, channel.pk, number, side])


@studio_page
@require_safe
def channel_excerpt(request: StudioRequest, pk: UUID, channel: UUID, number: int, side: str) -> HttpResponseBase:
    """One of the sounds to compare."""
    _recording, row = _find_channel(request, pk, channel)
    excerpts = media.services.excerpts_of(row)
    found = None
    if number < len(excerpts):
        found = excerpts[number].main if side == "main" else excerpts[number].channel
    if found is None:
        raise Http404(_("There is no such excerpt."))
    return deliver(request, found.key, content_type=found.content_type)


@studio_page
@require_POST
def channel_rename(request: StudioRequest, pk: UUID, channel: UUID) -> HttpResponse:
    _recording, row = _find_channel(request, pk, channel, change=True)
    form = ChannelNameForm(request.POST)
    if form.is_valid():
        media.services.rename_channel(channel=row, name=form.cleaned_data["name"], user=request.user)
        messages.success(request, _("Your changes were saved."))
    else:
        messages.error(request, _("This name is too long."))
    return redirect("studio:channel", pk=pk, channel=channel)


@studio_page
@require_POST
def channel_retry(request: StudioRequest, pk: UUID, channel: UUID) -> HttpResponse:
    _recording, row = _find_channel(request, pk, channel, change=True)
    try:
        channels.retry(channel=row, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("studio:sound", pk=pk)


@studio_page
@require_POST
def channel_remove(request: StudioRequest, pk: UUID, channel: UUID) -> HttpResponse:
    _recording, row = _find_channel(request, pk, channel, change=True)
    try:
        channels.remove(channel=row, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The channel was removed."))
    return redirect("studio:sound", pk=pk)
