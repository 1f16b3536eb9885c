"""What data sets call our labels and splits, and how their names are read.

Numbers follow the usual ``is it AI?`` coding: 1 is ``ai``, 0 is ``human``. Names of our own making never depend
on alphabetical order, which turned ``FAKE, REAL`` into 0, 1 in more than one published program.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from madeby.errors import DataError
from madeby.schema import Label

LabelChoice = Label | Literal["skip"]
"""What ``--label NAME=...`` says about a name: whose pictures they are, or that they are left out."""

_HUMAN = "human humans real reals nature natural authentic genuine photo photos photograph photographs camera"
_AI = "ai aigen aigenerated generated synthetic fake fakes deepfake deepfakes diffusion gan"
_NUMBERED = {"0": Label.HUMAN, "1": Label.AI, "0real": Label.HUMAN, "1fake": Label.AI}
_WORDS: Mapping[str, Label] = MappingProxyType(
    dict.fromkeys(_HUMAN.split(), Label.HUMAN) | dict.fromkeys(_AI.split(), Label.AI) | _NUMBERED
)
_SPLITS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("train", "training"), "train"),
        **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
        **dict.fromkeys(("test", "testing"), "test"),
    }
)


def label_of(name: str) -> Label | None:
    """The label that a folder name or table value stands for in any usual spelling, or None."""
    plain = _plain(name)
    for ending in ("images", "image", "pictures", "picture"):
        plain = plain.removesuffix(ending) or plain
    return _WORDS.get(plain) or _WORDS.get(plain.removesuffix(".0"))


def is_number(name: str) -> bool:
    """Whether a name is a bare number: as a folder's name it is often no label but a shard."""
    return name.strip().isdecimal()


def split_of(name: str) -> str | None:
    """``train``, ``val`` or ``test`` for any usual spelling, or None."""
    return _SPLITS.get(_plain(name))


def parse_label_choices(pairs: Iterable[str]) -> dict[str, LabelChoice]:
    """Read ``NAME=human``, ``NAME=ai`` and ``NAME=skip``.

    Raises:
        DataError: a pair has another form, or the same name is given twice with different labels.
    """
    choices: dict[str, LabelChoice] = {}
    for pair in pairs:
        name, equals, value = pair.rpartition("=")
        value = value.strip().lower()
        if not equals or not name.strip() or value not in ("human", "ai", "skip"):
            raise DataError(f"--label {pair!r} is not understood: write NAME=human, NAME=ai or NAME=skip")
        choice: LabelChoice = "skip" if value == "skip" else Label(value)
        if choices.setdefault(name.strip(), choice) != choice:
            raise DataError(f"--label gives {name.strip()!r} two different labels")
    return choices


def chosen(choices: Mapping[str, LabelChoice], name: str) -> LabelChoice | None:
    """What the user's choices say about a name, compared without regard to case, or None."""
    wanted = name.strip().casefold()
    return next((choice for given, choice in choices.items() if given.casefold() == wanted), None)


def check_used(choices: Mapping[str, LabelChoice], found: Iterable[str], where: str) -> None:
    """Make sure that every name the user chose a label for exists, so that a typing error is not silent.

    Raises:
        DataError: a name was not found; the message suggests the nearest that was.
    """
    names = {name.strip().casefold(): name for name in found}
    for name in choices:
        if name.casefold() not in names:
            near = difflib.get_close_matches(name.casefold(), names, n=1)
            hint = f"; did you mean {names[near[0]]!r}?" if near else ""
            raise DataError(f"--label names {name!r}, which is not in {where}{hint}")


def _plain(name: str) -> str:
    return "".join(letter for letter in name.strip().casefold() if letter not in " -_")
