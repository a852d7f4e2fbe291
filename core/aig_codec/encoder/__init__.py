"""From pixels to a file; `pipeline` is the way from top to bottom."""
