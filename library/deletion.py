"""Deleting a recording: everything that was ever made of it, at once and for good. Only a person asks for it (D3)."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from library.errors import LibraryError
from library.models import Recording
from library.versions import delete_asset_with_channels
from media.models import Asset, Derivative, InterpretationChannel, Rendition


class NotConfirmed(LibraryError):
    """What was typed is not the name of the file."""

    code = "not_confirmed"


@dataclass(frozen=True)
class WhatGoes:
    """What deleting takes. Sizes are bytes in the store."""

    files: int
    size: int
    former_versions: int
    text_tracks: int
    viewings: int


def what_goes(recording: Recording) -> WhatGoes:
    assets = assets_of(recording)
    stored = [
        model.objects.filter(package__asset__in=assets).aggregate(total=Sum("size"))["total"] or 0
        for model in (Rendition, Derivative)
    ]
    counts = [model.objects.filter(package__asset__in=assets).count() for model in (Rendition, Derivative)]
    return WhatGoes(
        files=len(assets) + sum(counts),
        size=sum(asset.size for asset in assets) + sum(stored),
        former_versions=recording.former_versions.count(),
        text_tracks=sum(asset.tracks.count() for asset in assets),
        viewings=recording.viewings.count(),
    )


def assets_of(recording: Recording) -> list[Asset]:
    """The recording's file, the former ones, and the interpreters' of each."""
    own = [recording.asset, *(version.asset for version in recording.former_versions.select_related("asset"))]
    channels = InterpretationChannel.objects.filter(asset__in=own).select_related("source")
    return [*own, *(channel.source for channel in channels)]


def confirm_by_name(recording: Recording, typed: str) -> None:
    """Raise NotConfirmed unless the file's name was typed; case and blanks around it do not matter."""
    if typed.strip().casefold() != recording.asset.file_name.strip().casefold():
        raise NotConfirmed(_("Type the name of the file exactly as it is shown."), field="confirmation")


def delete_recording(*, recording: Recording, user: User | None) -> None:
    """Delete a recording with its files, former versions, subtitles, chapters, statistics and everything in the making.

    Pages, lists, feeds and grants end with the commit; files are deleted right after it, and looked for once more
    when no worker can still be writing. Workers notice within seconds that their rows are gone.
    """
    with transaction.atomic():
        recording = (
            Recording.objects.select_for_update(of=("self",))
            .select_related("webinar__organisation", "asset")
            .get(pk=recording.pk)
        )
        organisation = recording.webinar.organisation
        own = [recording.asset, *(version.asset for version in recording.former_versions.select_related("asset"))]
        own += _files_in_the_making(recording, own)
        record_action(
            action="recording_deleted",
            target=recording,
            organisation=organisation,
            user=user,
            webinar=recording.webinar.slug,
            file_name=recording.asset.file_name,
            sha256=recording.asset.sha256,
            state=recording.state,
        )
        recording.delete()
        for asset in own:
            delete_asset_with_channels(asset=asset, user=user)


def _files_in_the_making(recording: Recording, known: list[Asset]) -> list[Asset]:
    """Files that arrived to replace this recording's, or to be a channel of it, and were not used (yet)."""
    arrived = Asset.objects.filter(
        uploads__purpose__contains=f":{recording.pk}", organisation=recording.webinar.organisation
    )
    unused = arrived.filter(recording__isnull=True, former_version__isnull=True, channel__isnull=True)
    return list(unused.exclude(pk__in=[asset.pk for asset in known]).distinct())
