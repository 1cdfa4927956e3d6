"""What this app tells apps above it. The sender is always the model class.

Each is sent inside the transaction of the change it announces, so what a receiver stores (a mail to send, say) is
stored with the change or not at all. A receiver calls a service of its own app and nothing else.
"""

from django.dispatch import Signal

webinar_published = Signal()
"""A webinar became visible. Arguments: `webinar`."""

webinar_changed = Signal()
"""A webinar was changed, whatever its state. Arguments: `webinar`, `changes`: names of the changed fields, a frozenset.

Calendars must learn of it when `changes` holds one of `events.services.CALENDAR_FIELDS`; `webinar.calendar_sequence`
has then grown already.
"""

webinar_cancelled = Signal()
"""A published webinar will not take place. Arguments: `webinar`; its `calendar_sequence` has grown."""

slides_changed = Signal()
"""Pages of a webinar's slides came, changed or went. Arguments: `webinar_id`."""

speaker_invited = Signal()
"""A speaker should get the personal link by mail. Arguments: `speaker`."""
