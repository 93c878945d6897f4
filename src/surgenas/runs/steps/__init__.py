"""The steps of a run, one file each: functions of the open run that return what they found.

A step that was interrupted goes on from its last event in the journal.
"""
