"""The command line: one file a verb, each presenting what the public API gives."""

from __future__ import annotations

import os
import sys

from madeby.errors import MadebyError

EXIT_OK, EXIT_SOME_UNREAD, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


def main() -> None:
    """Entry point of the ``madeby`` command: errors of ours become one line on standard error and exit code 2."""
    from madeby.cli.app import app

    try:
        app()
    except MadebyError as error:
        sys.stderr.write(f"madeby: {error}\n")
        sys.exit(EXIT_USAGE)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader of our output went away, as `| head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(EXIT_OK)
        named = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"madeby: {named}{error.strerror or error}\n")
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.stderr.write("madeby: interrupted\n")
        sys.exit(EXIT_INTERRUPTED)
