"""Identical bytes are examined once, and never answered for with what another model or option would say."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections import Counter

import pytest

import madeby
from madeby import MadebyError
from madeby.detector.bundle import Thresholds
from madeby.detector.detector import Detector
from madeby.scanning.cache import AnswerCache
from madeby.scanning.pipeline import Pipeline
from madeby.schema import Timing


def untimed(result, **changes):
    return result.model_copy(update={"timing_ms": Timing(), **changes})


@pytest.fixture
def copies(save_picture, tmp_path):
    """Twelve copies of one picture, and another picture."""
    first = save_picture("shots/00.png", low=250)
    for number in range(1, 12):
        shutil.copy(first, tmp_path / "shots" / f"{number:02}.png")
    save_picture("shots/other.png", high=5)
    return tmp_path / "shots"


def test_copies_are_examined_once_and_answered_under_their_own_names(copies, make_bundle, tmp_path, monkeypatch):
    examined = Counter()
    plain = Pipeline.answer_bytes

    def counted(self, data, source):
        examined[data] += 1
        return plain(self, data, source)

    monkeypatch.setattr(Pipeline, "answer_bytes", counted)
    options = {"model": make_bundle().folder, "workers": 4}
    without = list(madeby.scan(copies, **options))
    examined.clear()
    for _ in range(2):
        found = list(madeby.scan(copies, cache=tmp_path / "c.sqlite", **options))
        assert [untimed(result) for result in found] == [untimed(result) for result in without]
    assert sorted(examined.values()) == [1, 1]
    assert found[0].timing_ms == Timing()  # nothing was done


def test_another_model_option_or_threshold_asks_anew(copies, make_bundle, tmp_path):
    picture, cache = copies / "00.png", tmp_path / "c.sqlite"
    one, strict = make_bundle("one"), make_bundle("two", thresholds=Thresholds(ai=1.1, human=0.1))
    for model, provenance, verdict in ((one, True, "ai"), (strict, True, "uncertain"), (one, False, "ai")):
        (result,) = madeby.scan(picture, model=model.folder, provenance=provenance, cache=cache)
        assert (result.verdict, result.model.name) == (verdict, model.spec.name)
        assert (len(result.signals) == 1) is not provenance
    (marks,) = madeby.scan(picture, detector=False, cache=cache)
    assert marks.model is None


def test_errors_are_not_remembered(tmp_path, make_bundle):
    (tmp_path / "a.png").write_bytes(b"nothing")
    for _ in range(2):
        (result,) = madeby.scan(tmp_path / "a.png", detector=False, cache=tmp_path / "c.sqlite")
        assert result.error.code == "unsupported"
    with sqlite3.connect(tmp_path / "c.sqlite") as database:
        assert database.execute("SELECT count(*) FROM answers").fetchone() == (0,)
    database.close()


def test_the_oldest_answers_are_dropped(save_picture, tmp_path):
    pipeline = Pipeline(None)
    cache = AnswerCache(tmp_path / "c.sqlite", pipeline, kept=3)
    for number in range(8):
        data = save_picture(f"{number}.png", seed=number).read_bytes()
        cache.answer(data, "x", lambda data=data: pipeline.answer_bytes(data, "x"))
    (count,) = cache._database.execute("SELECT count(*) FROM answers").fetchone()
    cache.close()
    assert 3 <= count <= 5


def test_several_caches_on_one_file_at_a_time(save_picture, tmp_path, make_bundle):
    pipeline = Pipeline(Detector(make_bundle(), threads=1))
    pictures = [save_picture(f"{number}.png", seed=number).read_bytes() for number in range(12)]
    found = []

    def scan():
        cache = AnswerCache(tmp_path / "c.sqlite", pipeline)
        found.extend(cache.answer(d, "x", lambda d=d: pipeline.answer_bytes(d, "x")).probability for d in pictures)
        cache.close()

    threads = [threading.Thread(target=scan) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Counter(found) == Counter(3 * [pipeline.answer_bytes(d, "x").probability for d in pictures])


def test_scans_that_begin_the_same_file_at_the_same_moment(tmp_path):
    pipeline, begun = Pipeline(None), []
    for number in range(25):
        together = threading.Barrier(4)

        def begin(path=tmp_path / f"{number}.sqlite", together=together):
            together.wait(60)
            begun.append(AnswerCache(path, pipeline))

        threads = [threading.Thread(target=begin) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    for cache in begun:
        cache.close()
    assert len(begun) == 100


def test_a_file_of_something_else_is_left_alone(tmp_path, save_picture):
    (tmp_path / "notes.txt").write_text("mine " * 100)
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    for name in ("notes.txt", "other.sqlite", "no/such/folder.sqlite"):
        with pytest.raises(MadebyError, match="as a cache"):
            madeby.scan(save_picture("1.png"), detector=False, cache=tmp_path / name)
    assert (tmp_path / "notes.txt").read_text() == "mine " * 100
