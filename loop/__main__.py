"""`python -P -m loop`: the same as the console script."""

from loop.cli import main

main()
