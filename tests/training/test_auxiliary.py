"""Another column is learnt beside the label: it moves the network, and leaves no trace in the bundle."""

import polars as pl
import pytest
import torch

from madeby.datasets.manifest import read_manifest, write_manifest
from madeby.errors import DataError
from madeby.networks import build_network
from madeby.training.auxiliary import UNKNOWN, AuxiliaryTask, auxiliary_classes
from madeby.training.fit import train

QUICK = {"network": "residual", "network_options": {"stem": 8, "width": 8}, "epochs": 1, "batch_size": 8}


def test_classes_are_numbered_by_name_and_what_is_not_said_is_unknown():
    rows = pl.DataFrame({"shows": ["ship", None, "cat", "ship"]})
    assert auxiliary_classes(rows, "shows").tolist() == [1, UNKNOWN, 0, 1]


@pytest.mark.parametrize(
    ("column", "told"),
    [("cifar_class", "no column 'cifar_class'.*--auxiliary none"), ("format", "1 different values"), ("path", "2,000")],
)
def test_a_column_that_cannot_be_learnt_is_told_before_training(column, told):
    rows = pl.DataFrame({"path": [f"{number}.png" for number in range(2000)], "format": ["PNG"] * 2000})
    with pytest.raises(DataError, match=told):
        auxiliary_classes(rows, column)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("residual", {"stem": 8, "width": 8}),
        ("pyramid", {"width": 16}),
        ("cifake_cnn", {}),
        ("backbone", {"model": "resnet10t"}),
    ],
)
def test_the_second_task_teaches_the_network(name, options):
    torch.manual_seed(0)
    network = build_network(name, options, 32).train()
    task = AuxiliaryTask(network, 3)
    optimizer = torch.optim.Adam([*network.parameters(), *task.parameters()], 3e-3)
    first = next(network.parameters()).detach().clone()
    for _ in range(60):
        classes = torch.randint(3, (16,))
        views = torch.randn(16, 3, 32, 32) * 0.1
        views[torch.arange(16), classes] += 1.0  # red, green and blue pictures
        network(views)
        losses = task.losses(classes)
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
    assert losses.mean() < 0.6  # 1.1 by chance, 0.4 at best with smoothing
    assert not torch.equal(first, next(network.parameters()))


def test_unknown_classes_teach_nothing():
    network = build_network("residual", {"stem": 8, "width": 8}, 32)
    task = AuxiliaryTask(network, 3)
    network(torch.randn(2, 3, 32, 32))
    assert task.losses(torch.tensor([UNKNOWN, 1]))[0] == 0


def test_the_bundle_is_that_of_the_network_alone(make_manifest, tmp_path):
    manifest = make_manifest()
    alone = train(manifest, tmp_path / "alone", overrides=QUICK)
    both = train(manifest, tmp_path / "both", overrides=QUICK | {"auxiliary": "collection", "auxiliary_weight": 1.0})
    assert both.parameters == alone.parameters
    assert "- auxiliary: collection" in (both.bundle / "CARD.md").read_text()
    with pytest.raises(DataError, match="cifar_class"):
        train(manifest, tmp_path / "cifake", overrides=QUICK | {"auxiliary": "cifar_class"})


def test_rows_that_say_nothing_do_not_stop_a_run(make_manifest, tmp_path):
    manifest = make_manifest()
    table = read_manifest(manifest).with_columns(
        pl.when(pl.int_range(pl.len()) % 4 > 0).then(pl.col("collection")).alias("shows")
    )
    write_manifest(table, manifest)
    assert train(manifest, tmp_path / "run", overrides=QUICK | {"auxiliary": "shows"}).epochs == 1
