"""Questions that are no run: one file a command, each a function that returns what it found."""
