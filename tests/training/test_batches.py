import numpy as np
import pytest

from madeby.training.augment import Augmentation
from madeby.training.batches import Examples, TrainingBatches, ValidationBatches, drawing_order


def examples(labels, collection=None, side=8):
    labels = np.asarray(labels, np.int8)
    count = len(labels)
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, side, side, 3), np.uint8)
    return Examples(
        pixels=pixels,
        labels=labels,
        picture=np.arange(count),
        collection=np.zeros(count, np.int64) if collection is None else np.asarray(collection),
        auxiliary=np.full(count, -1),
    )


def test_without_balance_each_entry_comes_once():
    order = drawing_order(examples([0] * 30 + [1] * 10), "none", np.random.default_rng(0))
    assert sorted(order) == list(range(40))


def test_label_balance_draws_both_alike_and_none_much_oftener_than_another():
    given = examples([0] * 30 + [1] * 10)
    order = drawing_order(given, "label", np.random.default_rng(0))
    assert (given.labels[order] == 1).sum() == 20
    counts = np.bincount(order, minlength=40)
    assert set(counts[30:]) == {2}
    assert counts[:30].max() == 1


def test_collection_balance_lifts_small_collections_by_the_root_of_their_size():
    given = examples([0] * 90 + [0] * 10 + [1] * 100, [0] * 90 + [1] * 10 + [2] * 100)
    order = drawing_order(given, "collection", np.random.default_rng(0))
    drawn = np.bincount(given.collection[order])
    assert abs(drawn[0] / drawn[1] - 3) < 0.2
    assert drawn[2] == 100


def test_batches_are_full_carry_their_own_labels_and_repeat_with_the_seed():
    given = examples([0, 1] * 11)
    one, two = (TrainingBatches(given, Augmentation(["noise=5"], 8), 4, seed=1, epoch=3, threads=3) for _ in range(2))
    for first, second in zip(one, two, strict=True):
        assert first.views.shape == (4, 8, 8, 3)
        assert first.labels.tolist() == given.labels[first.entries.numpy()].tolist()
        assert first.views.equal(second.views)
        assert first.seed == second.seed
    assert len(one) == 5
    other = TrainingBatches(given, Augmentation([], 8), 4, seed=1, epoch=4)
    assert [batch.entries.tolist() for batch in other] != [batch.entries.tolist() for batch in one]


def test_processes_share_an_epoch_and_see_no_entry_twice():
    given = examples([0, 1] * 16)
    seen = [
        entry
        for rank in range(2)
        for batch in TrainingBatches(given, Augmentation([], 8), 8, rank=rank, processes=2)
        for entry in batch.entries.tolist()
    ]
    assert sorted(seen) == list(range(32))


def test_a_set_smaller_than_a_batch_repeats_itself():
    (batch,) = TrainingBatches(examples([0, 1, 1]), Augmentation([], 8), 8)
    assert len(batch.labels) == 8
    assert set(batch.entries.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_validation_covers_everything_in_equal_shares(processes):
    given = examples([0, 1, 0, 1, 1])
    shares = [
        [
            entry
            for batch in ValidationBatches(given, 2, rank=rank, processes=processes)
            for entry in batch.entries.tolist()
        ]
        for rank in range(processes)
    ]
    assert len({len(share) for share in shares}) == 1
    assert {entry for share in shares for entry in share} == set(range(5))


def test_entries_without_weight_are_left_out_and_the_others_carry_theirs():
    weights = np.array([0, 1, 4, 0, 4, 1], np.float32)
    given = examples([0, 1, 0, 1, 0, 1])
    batches = list(TrainingBatches(given, Augmentation([], 8), 2, weights=weights))
    assert sorted(entry for batch in batches for entry in batch.entries.tolist()) == [1, 2, 4, 5]
    for batch in batches:
        assert batch.weights.tolist() == weights[batch.entries.numpy()].tolist()
