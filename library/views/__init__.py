"""Pages of the viewer's side."""
