"""The stages of a run, one file each: a function of the open run that records what it found in the journal.

A stage that is asked again after it is done does nothing; one that was interrupted goes on from its last event.
"""
