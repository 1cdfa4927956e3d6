"""What changes who has a place at a webinar, by subject.

    admission     who may register now: times, institutions, invitations
    registering   register, change, cancel, links again
    decisions     proof of the address, approval and refusal
    places        the counter of places and the waiting list
    invitations   personal and shared keys to a webinar that is not open to all
    groups        teams that a coordinator registers

All that touches places first locks the webinar's row (`places.lock`), so that these things happen one after the other.
"""

from registration.services.admission import require_domain, require_open
from registration.services.decisions import approve, decide, decline, prove, remove_unproved
from registration.services.groups import (
    MEMBERS_MAX,
    add_member,
    require_open_for_groups,
    start_group,
    withdraw_member,
)
from registration.services.invitations import (
    invite,
    make_shared_invitation,
    require_invitation,
    revoke_invitation,
)
from registration.services.places import promote_from_waitlist, recount, set_capacity
from registration.services.registering import (
    LINKS_AGAIN_AFTER,
    cancel_registration,
    change_registration,
    register,
    resend_links,
    send_links_again,
)

__all__ = [
    "LINKS_AGAIN_AFTER",
    "MEMBERS_MAX",
    "add_member",
    "approve",
    "cancel_registration",
    "change_registration",
    "decide",
    "decline",
    "invite",
    "make_shared_invitation",
    "promote_from_waitlist",
    "prove",
    "recount",
    "register",
    "remove_unproved",
    "require_domain",
    "require_invitation",
    "require_open",
    "require_open_for_groups",
    "resend_links",
    "revoke_invitation",
    "send_links_again",
    "set_capacity",
    "start_group",
    "withdraw_member",
]
