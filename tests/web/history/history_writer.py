"""A process of its own that writes to a history: ``history_writer.py DATABASE PICTURES NAME COUNT``.

Prints the id of each record once it is written; COUNT 0 writes until it is killed.
"""

import itertools
import sys
from pathlib import Path

from answers import record

from madeby.web.history.store import History


def main(database: str, pictures: str, name: str, count: int) -> None:
    history = History.open(database, Path(pictures), retention_count=10**6)
    for place in range(count) if count else itertools.count():
        data = f"{place}".encode()
        written = record(f"{name}-{place}", data=data)
        history.add([written], {written.id: data})
        print(written.id, flush=True)
        if place % 10 == 9:
            history.prune()


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
