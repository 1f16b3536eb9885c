"""A benchmark's page says what its figures say, in one file, and says so where they do not decide."""

import re
from html.parser import HTMLParser

import pytest

from madeby.evaluation.benchmarking.drawing import draw_all, plots_of
from madeby.evaluation.benchmarking.record import Benchmark, DataInfo, DetectorInfo, Failure, Figure, Row
from madeby.reporting.benchmark_page import shade, write_benchmark_page
from madeby.reporting.judging.benchmark import judge_data_set

EVIL = "<script>alert(1)</script>"


def figure(value, spread=0.05):
    return Figure(value=value, low=max(0.0, value - spread), high=min(1.0, value + spread))


def row(detector, value, auroc, degradation="", *, n_human=40, n_ai=40, scope="collection", real=0.98, drop=None):
    return Row(
        data="wild",
        scope=scope,
        value=value,
        detector=detector,
        degradation=degradation,
        n_human=n_human,
        n_ai=n_ai,
        unread=1,
        beside=None if n_human and n_ai else "all human pictures",
        auroc=None if auroc is None else figure(auroc),
        auroc_drop=None if drop is None else Figure(value=drop, low=drop - 0.03, high=drop + 0.03),
        tpr_at_fpr_1=None if auroc is None else figure(auroc / 2),
        tpr_at_fpr_5=None if auroc is None else figure(auroc / 2),
        real_accuracy=figure(real, 0.02) if n_human else None,
        found=figure(0.5) if n_ai else None,
        ece=figure(0.1) if n_human and n_ai else None,
        coverage=figure(0.4),
        accuracy_decided=figure(0.9),
    )


def benchmark(rows, *, human=80, ai=80, **changes):
    detectors = [
        DetectorInfo(name="ours", kind="bundle", version="1", median_ms=12.0),
        DetectorInfo(name="peer", kind="process", note=EVIL),
        DetectorInfo(name="file facts", kind="baseline"),
    ]
    return Benchmark(
        created="2026-01-01T00:00:00+00:00",
        madeby_version="0",
        command="madeby benchmark --data wild.parquet",
        seed=0,
        bootstrap=100,
        data=(DataInfo(name="wild", split="val", manifest_sha256="0", listed=160, human=human, ai=ai),),
        detectors=tuple(one for one in detectors if any(row.detector == one.name for row in rows)),
        degradations=tuple(dict.fromkeys(row.degradation for row in rows)),
        rows=tuple(rows),
        **changes,
    )


ROWS = [
    row("ours", "all", 0.8, scope="all", n_human=80, n_ai=80),
    row("ours", "all", 0.6, "jpeg=30", scope="all", n_human=80, n_ai=80, drop=0.2),
    row("peer", "all", 0.3, scope="all", n_human=80, n_ai=80),
    row("file facts", "all", 0.75, scope="all", n_human=80, n_ai=80),
    row("ours", "cats", 0.9, real=0.97),
    row("ours", EVIL, 0.52),
    row("peer", "cats", 0.31, real=0.7),
    row("ours", "gen-1", 0.85, scope="generator", n_human=0),
]


def said(found):
    return {one.text: one.tone for one in judge_data_set(found, found.data[0])}


def test_sentences_follow_from_the_figures():
    told = said(benchmark(ROWS))
    assert told == {
        "ours does better than guessing on all pictures and cats (AUROC 0.80 to 0.90); it cannot be told from guessing "
        f"on {EVIL} (AUROC 0.52).": "plain",
        "peer takes AI pictures for more human than human ones on both sets (AUROC 0.30 to 0.31).": "bad",
        "File facts alone, with no look at how a picture was made, reach AUROC 0.75 here, at least as much as peer: a "
        "detector may have learnt no more than that.": "bad",
        "ours calls 3.0% (1.00% to 5.0%) of the 40 human pictures of cats ai, its most among 2 collections.": "plain",
        "peer calls 30.0% (28.0% to 32.0%) of the 40 human pictures of cats ai.": "bad",
        "ours loses AUROC to jpeg=30 (20.0 points, 17.0 to 23.0).": "bad",
    }


def test_few_pictures_and_figures_without_intervals_are_not_judged():
    assert list(said(benchmark(ROWS, human=5)).values()) == ["open"]
    bare = [each.model_copy(update={"auroc": Figure(value=0.9)}) for each in ROWS[:1]]
    assert said(benchmark(bare)) == {
        "ours: whether it does better than guessing cannot be told without intervals.": "open"
    }


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.values, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.tags.append(tag)
        self.addresses += [known[name] for name in ("src", "href", "srcset") if known.get(name)]
        self.values += [float(known["data-value"])] if "data-value" in known else []

    def handle_data(self, data):
        self.words.append(data.strip())


def test_the_page_is_one_file_with_every_figure_and_nothing_from_outside_as_markup(tmp_path):
    found = benchmark(
        ROWS,
        failures=(Failure(detector="absent", degradation=None, reason="cannot be started: " + EVIL),),
        notes=("wild: the manifest names no generators",),
        unread_examples=(("ours", EVIL, "no picture"),),
    )
    draw_all(found, tmp_path)
    text = write_benchmark_page(found, tmp_path).read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)
    for each in ROWS:
        if not each.degradation:
            assert each.auroc.value in page.values
    assert "0.600" in page.words, "the figure after a degradation"
    words = " ".join(page.words)
    for wanted in ("absent did not answer", "names no generators", "12", "madeby benchmark --data"):
        assert wanted in words
    assert len(re.findall("<h2", text)) == 5


@pytest.mark.parametrize("kept", [slice(0, 1), slice(7, 8), slice(5, 6)])
def test_a_benchmark_of_little_has_a_page_too(tmp_path, kept):
    found = benchmark([each.model_copy(update={"auroc": None}) for each in ROWS[kept]])
    draw_all(found, tmp_path)
    assert write_benchmark_page(found, tmp_path).stat().st_size > 5000
    assert not any(plot.is_grid for plot in plots_of(found))


def test_cells_are_shaded_by_their_distance_from_chance():
    assert shade(None) == ""
    strengths = [int(re.search(r"(\d+)%", shade(row("ours", "x", auroc)))[1]) for auroc in (0.5, 0.7, 0.95)]
    assert strengths == sorted(strengths)
    assert strengths[0] == 0
    assert "--ai" in shade(row("ours", "x", 0.2))
