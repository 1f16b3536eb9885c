"""How classes, collections and groups spread over the splits."""

from __future__ import annotations

import polars as pl

from madeby.datasets.audit.findings import Balance, ClassCount, Finding, Severity
from madeby.datasets.manifest import SPLITS

_NAMED = 5


def find_balance(table: pl.DataFrame) -> Balance:
    """Count classes by split and by collection, and groups that straddle splits.

    Args:
        table: the rows that could be read.
    """
    splits = {count.value: count for count in _counts(table, "split")}
    human, ai = int((table["label"] == "human").sum()), int((table["label"] == "ai").sum())
    collections = tuple(_counts(table.filter(pl.col("collection").is_not_null()), "collection"))
    grouped = table.filter(pl.col("group").is_not_null() & pl.col("split").is_not_null())
    spread = grouped.group_by("group").agg(pl.col("split").n_unique()).sort("group")
    straddling = spread.filter(pl.col("split") > 1)["group"].to_list()
    return Balance(
        splits=tuple(splits[name] for name in (*SPLITS, "none") if name in splits),
        ratio=max(human, ai) / min(human, ai) if human and ai else None,
        collections=collections,
        one_sided=sum(not (count.human and count.ai) for count in collections),
        groups=table["group"].drop_nulls().n_unique(),
        straddling_groups=len(straddling),
        examples=tuple(straddling[:_NAMED]),
    )


def balance_findings(balance: Balance) -> list[Finding]:
    """The verdict lines."""
    found = [_classes(balance)]
    used = [split for split in balance.splits if split.value != "none"]
    for split in used:
        if balance.ratio is not None and not (split.human and split.ai):
            lacking = "human" if not split.human else "ai"
            line = f"the split {split.value} has no {lacking} picture: nothing can be learnt or measured there"
            found.append(Finding(check="balance", severity=Severity.SERIOUS, line=line, remedy="`madeby data split`"))
    if balance.straddling_groups:
        line = (
            f"{balance.straddling_groups:,} of {balance.groups:,} groups straddle splits, "
            f"{', '.join(balance.examples)}{', ...' if balance.straddling_groups > len(balance.examples) else ''}"
        )
        found.append(Finding(check="groups", severity=Severity.WARNING, line=line, remedy="`madeby data split`"))
    elif balance.groups:
        line = f"all {balance.groups:,} groups stay within one split"
        found.append(Finding(check="groups", severity=Severity.FINE, line=line))
    if balance.ratio is not None and len(balance.collections) > 1 and balance.one_sided:
        line = (
            f"{balance.one_sided:,} of {len(balance.collections):,} collections hold one class only: "
            "whatever marks a collection marks its class"
        )
        everything = balance.one_sided == len(balance.collections)
        severity = Severity.WARNING if everything else Severity.NOTE
        remedy = "judge by collections that hold both classes"
        found.append(Finding(check="collections", severity=severity, line=line, remedy=remedy))
    return found


def _classes(balance: Balance) -> Finding:
    if balance.ratio is None:
        line = "all pictures are of one class: nothing can be learnt, and only repeats and problems can be told"
        return Finding(check="balance", severity=Severity.SERIOUS, line=line, remedy="add pictures of the other class")
    if balance.ratio <= 1.5:
        line = "the classes are about equally large"
        return Finding(check="balance", severity=Severity.FINE, line=line)
    severity = Severity.WARNING if balance.ratio > 4 else Severity.NOTE
    line = f"the larger class has {balance.ratio:.1f} times the pictures of the smaller"
    return Finding(check="balance", severity=severity, line=line, remedy="judge by balanced figures (AUROC)")


def _counts(table: pl.DataFrame, column: str) -> list[ClassCount]:
    tally = (
        table.group_by(pl.col(column).fill_null("none"))
        .agg((pl.col("label") == "human").sum().alias("human"), (pl.col("label") == "ai").sum().alias("ai"))
        .sort(column)
    )
    return [ClassCount(value=value, human=human, ai=ai) for value, human, ai in tally.iter_rows()]
