"""What other apps may want to know about recordings."""

from django.dispatch import Signal

# Sent after commit with `recording`.
recording_published = Signal()
recording_withdrawn = Signal()

# Sent with `recording` and `former` (an asset) in the transaction that shows another file, or goes back to one.
recording_file_changed = Signal()
