"""`python -m surgenas` is the command `surgenas`."""

from surgenas.cli import main

main()
