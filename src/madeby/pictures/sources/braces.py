"""Braces in names, as shards are written: ``shard-{000..127}.tar``, ``{train,test}/*.jpg``."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_BRACES = 8
"""In one name; one with more is no name of shards, and is taken as it is."""

_BRACES = re.compile(r"\{(?:(\d{1,12})\.\.(\d{1,12})|([^{},]*(?:,[^{},]*)+))\}")


def without_braces(name: str) -> Iterator[str]:
    """Every name that a name with braces stands for, one at a time and in order; a name without them, itself.

    ``{000..127}`` counts with the width of its first number, ``{a,b}`` lists; several in one name multiply.
    """
    found = _BRACES.search(name)
    if found is None or len(_BRACES.findall(name)) > MOST_BRACES:
        yield name
        return
    first, last, listed = found.groups()
    if listed is not None:
        choices: Iterator[str] = iter(listed.split(","))
    else:
        step = 1 if int(last) >= int(first) else -1
        choices = (f"{number:0{len(first)}}" for number in range(int(first), int(last) + step, step))
    for choice in choices:
        for rest in without_braces(name[found.end() :]):
            yield name[: found.start()] + choice + rest
