"""What this app tells the apps above it."""

from django.dispatch import Signal

# Sent with `upload` and `asset` in the transaction that stores the asset: receivers' rows are committed with it, or
# not at all. Sender: the Upload model.
upload_completed = Signal()

# Sent with `package` in the transaction that completes a whole version of a recording that is cut: it is shown once it
# is cut, too. Sender: the Package model.
whole_version_ready = Signal()
