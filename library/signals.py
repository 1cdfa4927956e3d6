"""What other apps may want to know about recordings."""

from django.dispatch import Signal

# Sent after commit with `recording`.
recording_published = Signal()
recording_withdrawn = Signal()
