"""``python -m madeby``."""

from madeby.cli import main

main()
