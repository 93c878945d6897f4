"""A run is a folder: its configuration, its journal, its steps, and how it is resumed."""
