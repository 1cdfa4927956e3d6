"""Mails about text tracks."""

import notifications.services
from accounts.text import without_links
from notifications.models import Message
from notifications.rendering import interface_language
from transcripts import selectors
from transcripts.models import ReviewLink

REVIEW = "review_invitation"


def send_review_invitation(*, link: ReviewLink, address: str) -> Message | None:
    """Ask a person to review one track. Each time that an organiser asks is one mail."""
    track = link.track
    language = interface_language(link.language)
    title = selectors.title_of(track, language)
    return notifications.services.send(
        purpose=REVIEW,
        about=f"review:{link.pk}",
        version=1,
        recipient_email=link.email,
        recipient_name=link.name,
        language=link.language,
        template=REVIEW,
        context={
            "title": without_links(title),
            "subtitle_language": selectors.autonym(track.language),
            "organisation_name": without_links(track.asset.organisation.name),
            "until": link.expires_at,
            "link": address,
        },
        organisation=track.asset.organisation,
    )


def is_review_wanted(message: Message) -> bool:
    """Not any more once the link was ended."""
    pk = message.about.partition(":")[2]
    return ReviewLink.objects.filter(pk=pk, revoked_at=None).exists()
