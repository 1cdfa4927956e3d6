"""What this app tells the apps above it."""

from django.dispatch import Signal

# Sent with `upload` and `asset` in the transaction that stores the asset: receivers' rows are committed with it, or
# not at all. Sender: the Upload model.
upload_completed = Signal()
