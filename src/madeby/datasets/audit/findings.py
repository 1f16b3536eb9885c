"""What an audit finds, as data: one typed record a check, and a line of plain words for each finding."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from madeby.schema import Frozen, Label


class Severity(StrEnum):
    """How much a finding matters, mildest first."""

    FINE = "fine"  # looked for and not found
    NOTE = "note"  # good to know, figures stay trustworthy
    WARNING = "warning"  # figures measured on this data set may flatter
    SERIOUS = "serious"  # figures measured on this data set mean little until it is mended

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return tuple(Severity).index(self)


class Finding(Frozen):
    """One verdict line. ``remedy`` says what to do about it, empty where there is nothing to do."""

    check: str
    severity: Severity
    line: str
    remedy: str = ""


class Named(Frozen):
    """A picture by its path and what is to be said about it."""

    path: str
    what: str


class Problems(Frozen):
    """Pictures that teach nothing.

    ``unreadable`` includes ``missing`` files. ``tiny`` have a shorter side below the audit's limit, ``constant``
    one single colour, ``blank`` next to no contrast without being constant. ``changed`` files are not those the
    manifest was made from. ``examples`` names the first of each kind.
    """

    unreadable: int
    missing: int
    tiny: int
    constant: int
    blank: int
    changed: int
    examples: tuple[Named, ...] = ()


class Copy(Frozen):
    """One picture of a cluster of copies."""

    path: str
    label: Label
    split: str | None


class Copies(Frozen):
    """Pictures that occur more than once, in one sense of "the same".

    ``kind``: ``bytes`` for identical files, ``pixels`` for identical decoded pictures (identical files
    included), ``near`` for look-alikes that are not identical. ``pictures`` stand in ``clusters``;
    ``surplus`` could go without a picture being lost. ``across_splits`` and ``across_labels`` count the
    clusters that reach over several.
    """

    kind: Literal["bytes", "pixels", "near"]
    pictures: int
    clusters: int
    surplus: int
    largest: int
    across_splits: int
    across_labels: int
    examples: tuple[tuple[Copy, ...], ...] = ()


class Leak(Frozen):
    """Pictures of one split that a model has already seen in another.

    ``pictures`` of the ``total`` in ``split`` have a twin in ``seen_in`` (``share`` of them, 0..1):
    ``same_label`` with their own label, which memory alone gets right, ``other_label`` with the other one,
    which it gets wrong; a picture can have both. ``pairs`` counts the straddling pairs.
    """

    kind: Literal["pixels", "near"]
    split: str
    seen_in: str
    pictures: int
    total: int
    share: float
    same_label: int
    other_label: int
    pairs: int


class Conflicts(Frozen):
    """Identical pictures that carry both labels: ``pictures`` in ``clusters``."""

    pictures: int
    clusters: int
    examples: tuple[tuple[Copy, ...], ...] = ()


class ClassCount(Frozen):
    """Pictures by label under one value of a column (a split, a collection, a generator)."""

    value: str
    human: int
    ai: int


class Balance(Frozen):
    """How the classes spread. ``ratio`` is the larger class over the smaller, null where one is empty.

    ``one_sided`` counts the collections that hold one class only; ``groups`` of pictures that belong together,
    ``straddling_groups`` of them lie in more than one split.
    """

    splits: tuple[ClassCount, ...]
    ratio: float | None
    collections: tuple[ClassCount, ...] = ()
    one_sided: int = 0
    groups: int = 0
    straddling_groups: int = 0
    examples: tuple[str, ...] = ()


class Carrier(Frozen):
    """A fact's part in a shortcut.

    ``alone`` is the AUROC of a classifier that sees nothing else; ``drop`` what the full classifier's AUROC
    loses when the fact is shuffled (permutation importance). Facts that say the same replace each other, so
    ``drop`` can be small where ``alone`` is high.
    """

    fact: str
    alone: float
    drop: float


class ShortcutTest(Frozen):
    """How well a small classifier tells the classes apart without looking at traces of their making.

    ``auroc`` is cross-validated with the bootstrap 95% interval ``low`` to ``high`` (whole groups resampled);
    null where the test could not be run, and ``not_run`` says why. Chance gives 0.5 and stays below
    ``chance_high`` 97.5% of the time. Where the data set names groups, whole groups are held out (``grouped``), and
    ``inside_groups`` is the AUROC with groups divided: what a model can learn by heart about the groups it trains
    on, which flatters it on their other pictures. ``carriers`` are the facts that carry it, strongest first.
    """

    name: Literal["file facts", "content", "colour"]
    sees: str
    auroc: float | None = Field(default=None, ge=0, le=1)
    low: float | None = None
    high: float | None = None
    chance: float = 0.5
    chance_high: float | None = None
    pictures: int = 0
    folds: int = 0
    grouped: bool = False
    inside_groups: float | None = None
    carriers: tuple[Carrier, ...] = ()
    not_run: str | None = None


class Audit(Frozen):
    """All that an audit found; ``findings`` are the verdict lines, gravest first."""

    audit_version: Literal[1] = 1
    manifest: str
    pictures: int
    human: int
    ai: int
    problems: Problems
    copies: tuple[Copies, ...]
    leaks: tuple[Leak, ...]
    conflicts: Conflicts
    balance: Balance
    shortcuts: tuple[ShortcutTest, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def worst(self) -> Severity:
        """The gravest severity among the findings."""
        return max((finding.severity for finding in self.findings), key=lambda found: found.rank)

    def to_json(self) -> str:
        """The audit as indented JSON; floats in full."""
        return self.model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str | bytes) -> Audit:
        """Read back what :meth:`to_json` wrote.

        Raises:
            pydantic.ValidationError: the text is not an audit of this version.
        """
        return cls.model_validate_json(text)
