"""Several processes on one history, and processes that die."""

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from answers import record

from madeby.schema import Label
from madeby.web.history.filters import Filter
from madeby.web.history.store import History

WRITER = Path(__file__).with_name("history_writer.py")


def writer(database, tmp_path, name, count):
    command = [sys.executable, str(WRITER), database, str(tmp_path / "pictures"), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_that_write_the_same_pictures_lose_nothing(database, tmp_path, open_history):
    both = [writer(database, tmp_path, name, 60) for name in ("one", "two")]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    history = open_history()
    found = list(history.export(Filter()))
    assert {kept.result.source for kept in found} == {f"{name}-{i}" for name in ("one", "two") for i in range(60)}
    for kept in found:
        data = history.picture(kept.id).path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == kept.result.picture.sha256
    assert len(list((tmp_path / "pictures").glob("??/*"))) == 60


def test_a_killed_writer_loses_no_record_that_it_reported(database, tmp_path, open_history):
    process = writer(database, tmp_path, "doomed", 0)
    reported = [process.stdout.readline().strip() for _ in range(40)]
    process.kill()
    rest, _ = process.communicate(timeout=60)
    reported += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    assert process.returncode == -9
    history = open_history()
    for id_ in reported:
        kept = history.get(id_.strip())
        assert kept is not None
        assert history.picture(kept.id) is not None
    history.add([record("afterwards")])
    assert history.find(Filter(text="afterwards")).total == 1


def test_threads_write_read_and_prune_side_by_side(open_history):
    history = open_history(retention_count=10_000)
    failures = []

    def work(name):
        try:
            for i in range(15):
                data = f"{i}".encode()
                kept = record(f"{name}-{i}", data=data)
                history.add([kept], {kept.id: data})
                history.set_feedback(kept.id, Label.AI)
                history.find(Filter(text=name))
                history.prune()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert history.find(Filter(feedback="ai")).total == 90


def test_a_history_that_cannot_be_written_is_not_ready(tmp_path):
    import sqlite3

    path = tmp_path / "history.sqlite"
    history = History.open(path)
    assert history.ready()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE madeby_version RENAME TO gone")
    connection.close()
    assert not history.ready()
    history.close()


@pytest.mark.parametrize("count", [1, 700])
def test_a_batch_is_written_whole(open_history, count):
    history = open_history(keep_pictures=False)
    history.add([record(f"{i}") for i in range(count)])
    assert history.find(Filter(), limit=1).total == count
