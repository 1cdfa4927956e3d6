"""What this app asks of apps above it."""

from django.dispatch import Signal

# Sent with `track` and `window` when a transcript is written as a page. Whoever knows what was recorded answers with
# what stands around the words (formats.Surroundings), the times in the window's; others answer None.
surroundings_wanted = Signal()
