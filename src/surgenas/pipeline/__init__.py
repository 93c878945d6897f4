"""The stages from images to an exported network, the run folder they write, and how a run is resumed."""
