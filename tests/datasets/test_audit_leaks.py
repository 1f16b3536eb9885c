import numpy as np
import polars as pl
import pytest
from PIL import Image
from planted import Planted, scene, softened

from madeby import data_audit
from madeby.datasets.audit.findings import Audit, Severity
from madeby.datasets.audit.near_duplicates import DISTANCE, linked, near_pairs
from madeby.errors import DataError


def copies(audit, kind):
    return next(found for found in audit.copies if found.kind == kind)


def finding(audit, check):
    return next(found for found in audit.findings if found.check == check)


def leak(audit, kind, split="test", seen_in="train"):
    return next((one for one in audit.leaks if (one.kind, one.split, one.seen_in) == (kind, split, seen_in)), None)


@pytest.fixture
def planted(tmp_path):
    return Planted(tmp_path)


def test_a_clean_set_raises_no_alarm(planted):
    audit = data_audit(planted.fill(60).manifest())
    assert audit.worst is Severity.FINE, [found for found in audit.findings if found.severity is not Severity.FINE]
    assert audit.pictures == 120 and audit.human == audit.ai == 60
    assert audit.leaks == () and audit.conflicts.clusters == 0
    assert all(found.clusters == 0 for found in audit.copies)


def test_identical_pictures_are_found_through_other_files(planted):
    planted.fill(10)
    planted.add("train.png", scene(500), "ai", "train")
    planted.add("again.png", scene(500), "ai", "test")
    planted.add("other.png", scene(500), "ai", "test", compress_level=0)
    audit = data_audit(planted.manifest())
    assert (copies(audit, "bytes").pictures, copies(audit, "bytes").surplus) == (2, 1)
    pixels = copies(audit, "pixels")
    assert (pixels.pictures, pixels.clusters, pixels.surplus, pixels.across_splits) == (3, 1, 2, 1)
    assert {copy.split for copy in pixels.examples[0]} == {"train", "test"}
    found = leak(audit, "pixels")
    assert (found.pictures, found.same_label, found.other_label, found.pairs) == (2, 2, 0, 2)
    assert found.share == pytest.approx(2 / found.total)
    assert finding(audit, "leak: pixels").severity is Severity.SERIOUS
    assert "also stand in train" in finding(audit, "leak: pixels").line


def test_look_alikes_are_found_and_counted_apart_from_copies(planted):
    planted.fill(10)
    planted.add("one.jpg", scene(600), "human", "train", quality=95)
    planted.add("two.png", softened(scene(600)), "human", "test")
    planted.add("three.png", softened(scene(600)), "ai", "val")
    audit = data_audit(planted.manifest())
    near = copies(audit, "near")
    assert (near.pictures, near.clusters, near.across_splits, near.across_labels) == (3, 1, 1, 1)
    assert near.surplus == 1  # two.png and three.png are one picture, one.jpg another
    assert leak(audit, "near").same_label == 1 and leak(audit, "near", "val").other_label == 1
    assert audit.conflicts.pictures == 2


def test_plain_pictures_are_not_all_alike(planted):
    planted.fill(10)
    slope = np.linspace(0, 1, 64)[:, None, None]
    for number in range(12):  # skies: one hash, different pictures
        low, high = np.random.default_rng(number).integers(60, 200, (2, 3))
        sky = (low + (high - low) * slope + np.zeros((64, 96, 3))).astype(np.uint8)
        planted.add(f"sky{number}.png", Image.fromarray(sky), "human", "train" if number % 2 else "test")
        planted.add(f"flat{number}.png", Image.new("RGB", (64, 64), (10 * number, 90, 90)), "ai", "train")
    audit = data_audit(planted.manifest())
    assert copies(audit, "near").clusters == 0
    assert audit.problems.constant == 12


def test_identical_pictures_with_both_labels_are_conflicts(planted):
    planted.fill(20)
    planted.add("a.png", scene(700), "human", "train")
    planted.add("b.png", scene(700), "ai", "train")
    audit = data_audit(planted.manifest())
    assert (audit.conflicts.pictures, audit.conflicts.clusters) == (2, 1)
    assert {copy.label for copy in audit.conflicts.examples[0]} == {"human", "ai"}
    assert finding(audit, "label conflicts").severity is Severity.SERIOUS


def test_groups_that_straddle_splits_and_one_sided_collections_are_named(planted):
    planted.fill(20)
    planted.add("a.png", scene(800), "human", "train", group="holiday")
    planted.add("b.png", scene(801), "human", "test", group="holiday")
    audit = data_audit(planted.manifest())
    assert (audit.balance.groups, audit.balance.straddling_groups) == (1, 1)
    assert "holiday" in finding(audit, "groups").line


def test_pictures_that_teach_nothing_are_counted_and_named(planted):
    planted.fill(10)
    planted.add("tiny.png", scene(1, 96, 12), "ai", "train")
    planted.add("one_colour.png", Image.new("RGB", (64, 64), "red"), "ai", "train")
    faint = np.full((64, 64, 3), 200, np.uint8) + np.random.default_rng(0).integers(0, 3, (64, 64, 1), np.uint8)
    planted.add("blank.png", Image.fromarray(faint), "human", "train")
    planted.add("broken.jpg", b"\xff\xd8\xff\xe0 not a picture", "human")
    gone = planted.add("gone.png", scene(2), "human", "train")
    changed = planted.add("changed.png", scene(3), "human", "train")
    manifest = planted.manifest()
    gone.unlink()
    scene(4).save(changed)
    problems = data_audit(manifest).problems
    assert (problems.unreadable, problems.missing, problems.tiny) == (2, 1, 1)
    assert (problems.constant, problems.blank, problems.changed) == (1, 1, 1)
    assert {name.path.rpartition("/")[2] for name in problems.examples} == {
        "tiny.png", "one_colour.png", "blank.png", "broken.jpg", "gone.png", "changed.png",
    }  # fmt: skip


def test_json_reads_back_as_the_audit(planted, tmp_path):
    audit = data_audit(planted.fill(4).manifest(), json=tmp_path / "deep" / "audit.json")
    assert Audit.from_json((tmp_path / "deep" / "audit.json").read_bytes()) == audit


def test_three_pictures_without_any_column_but_path_and_label(planted, tmp_path):
    for number, label in enumerate(("human", "ai", "ai")):
        planted.add(f"{number}.png", scene(number), label)
    table = tmp_path / "bare.csv"
    pl.read_csv(planted.table()).select("path", "label").write_csv(table)
    audit = data_audit(table)
    assert audit.pictures == 3
    assert "no picture has a split" in finding(audit, "leaks").line
    assert all(test.auroc is None and "needed" in test.not_run for test in audit.shortcuts)


def test_one_class_only_is_said_and_the_rest_still_found(planted):
    for number in range(12):
        planted.add(f"{number}.png", scene(number), "human", "train")
    planted.add("again.png", scene(0), "human", "test")
    table = planted.table()
    pictures = pl.read_csv(table)
    pictures.write_csv(table)
    audit = data_audit(table)
    assert finding(audit, "balance").severity is Severity.SERIOUS
    assert leak(audit, "pixels").pictures == 1
    assert all(test.not_run == "one class only" for test in audit.shortcuts)


def test_a_table_that_cannot_be_audited_says_why(planted, tmp_path):
    manifest = planted.fill(3).manifest()
    with pytest.raises(DataError, match="no manifest"):
        data_audit(tmp_path / "none.parquet")
    for column in ("path", "label"):
        pl.read_parquet(manifest).drop(column).write_parquet(tmp_path / "lacks.parquet")
        with pytest.raises(DataError, match=f"lacks {column}"):
            data_audit(tmp_path / "lacks.parquet")
    pl.read_parquet(manifest).head(0).write_parquet(tmp_path / "empty.parquet")
    with pytest.raises(DataError, match="lists no picture"):
        data_audit(tmp_path / "empty.parquet")
    for row in planted.rows:
        (tmp_path / row["path"]).unlink()
    with pytest.raises(DataError, match="put the pictures back or import the data set again"):
        data_audit(manifest)


def test_every_close_pair_of_hashes_is_found_once():
    generator = np.random.default_rng(0)
    thumbnail = generator.integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    base = generator.integers(0, 2**63, 40, dtype=np.uint64)
    hashes = base.copy()
    for row in range(1, 40, 2):  # every second hash is its neighbour with up to 9 bits turned
        turned = generator.choice(64, row % 10, replace=False).astype(np.uint64)
        hashes[row] = hashes[row - 1] ^ np.bitwise_or.reduce(np.uint64(1) << turned, initial=np.uint64(0))
    pairs, complete = near_pairs(hashes, np.repeat(thumbnail, 40, axis=0))
    wanted = {(a, b) for a in range(40) for b in range(a + 1, 40) if int(hashes[a] ^ hashes[b]).bit_count() <= DISTANCE}
    assert complete and len(wanted) >= 10
    assert sorted(map(tuple, pairs.tolist())) == sorted(wanted)


def test_chains_link_their_ends():
    labels = linked(np.asarray([[0, 1], [1, 2], [4, 5]]), 6)
    assert labels[0] == labels[2] and labels[4] == labels[5] and len(set(labels.tolist())) == 3
    assert len(set(linked(np.empty((0, 2), np.int64), 3).tolist())) == 3
