"""What an analysis found, as data: ``analysis.json`` holds it and the report reads it back.

Paths of plots and galleries are relative to the folder that ``analysis.json`` lies in. Shares, rates, confidences
and probabilities lie in 0..1. A picture is *called* ``ai`` from P(ai) 0.5 up, as in the confusion matrix of
``metrics.json``; a false positive is a human picture called ``ai``, a false negative an AI picture called ``human``.
"""

from __future__ import annotations

from typing import Literal

from madeby.schema import Frozen, Label, ModelInfo

ANALYSIS_FILE = "analysis.json"

Outcome = Literal["false positive", "false negative", "called ai"]
"""What a slice has more of than the rest; ``called ai`` where the pictures carry no labels."""

Topic = Literal["pictures", "content", "classes", "errors", "slices", "map"]


class Estimate(Frozen):
    """A figure from ``n`` pictures with its 95% interval; both ends null where ``n`` is too small for one."""

    value: float
    low: float | None
    high: float | None
    n: int


class Finding(Frozen):
    """One sentence for people. ``known`` is false where it says that something cannot be told."""

    topic: Topic
    line: str
    known: bool = True


class Pictures(Frozen):
    """Which pictures the analysis is about.

    ``listed`` stand in the target; ``analysed`` of them (at most ``limit``, a seeded draw with the labels' shares
    kept) were looked at; ``unread`` of those could not be read (moved, damaged), with the first few named in
    ``unread_examples`` as (path, reason), and count only where the detector's answer alone is needed.
    ``failed`` are results of a scan that are errors, ``unscored`` analysed pictures without a probability.
    """

    listed: int
    analysed: int
    human: int
    ai: int
    unlabelled: int
    unread: int
    unread_examples: tuple[tuple[str, str], ...] = ()
    failed: int = 0
    unscored: int = 0
    limit: int | None = None
    seed: int = 0


class RankConfidence(Frozen):
    """Mean confidence of the content model's best, second and third class (``rank`` 1 to 3).

    ``difference`` is AI minus human. Null for a label without pictures; ``everything`` is all pictures together.
    Intervals are bootstrapped.
    """

    rank: int
    everything: Estimate
    human: Estimate | None
    ai: Estimate | None
    difference: Estimate | None


class ContentClass(Frozen):
    """Pictures whose best class is this one.

    ``name`` is the class's short name (``lab coat``), ``index`` its place in the content model's output.
    ``difference`` is the class's share among AI pictures minus its share among human ones (Newcombe's interval);
    ``p_adjusted`` belongs to Fisher's exact test of it, corrected for all classes tested (Benjamini-Hochberg), null
    where the class was too rare to be tested. ``confidence`` is the mean confidence in the class, ``score_human``
    and ``score_ai`` the mean P(ai) of the detector, ``error_human`` the share of human pictures called ``ai``,
    ``error_ai`` the share of AI pictures called ``human`` (Wilson's interval). ``gallery`` shows the class.
    """

    index: int
    name: str
    human: int
    ai: int
    unlabelled: int
    difference: Estimate | None = None
    p_adjusted: float | None = None
    confidence: Estimate | None = None
    score_human: Estimate | None = None
    score_ai: Estimate | None = None
    score: Estimate | None = None
    error_human: Estimate | None = None
    error_ai: Estimate | None = None
    gallery: str | None = None

    @property
    def pictures(self) -> int:
        """All pictures of the class."""
        return self.human + self.ai + self.unlabelled


class Correlation(Frozen):
    """Spearman's rank correlation, -1..1, of content confidence (best class) with P(ai), inside one label."""

    label: Label | None
    rho: Estimate


class Content(Frozen):
    """The study of what the pictures show. ``classes`` are those that occur, most pictures first.

    ``model`` is the timm name, ``weights`` where they came from, ``weights_sha256`` of that file (null from the
    hub). ``missing_classes`` were asked for and no picture shows them.
    """

    model: str
    weights: str
    weights_sha256: str | None
    pictures: int
    classes_known: int
    confidence: tuple[RankConfidence, ...]
    classes: tuple[ContentClass, ...]
    classes_tested: int
    correlations: tuple[Correlation, ...] = ()
    missing_classes: tuple[str, ...] = ()


class Errors(Frozen):
    """How often the detector is wrong at P(ai) 0.5; null for a label without scored pictures."""

    false_positives: int
    false_negatives: int
    false_positive_rate: Estimate | None
    false_negative_rate: Estimate | None


class Condition(Frozen):
    """One side of a slice: a characteristic and the range or value of it that belongs to the slice.

    A number lies in ``low`` <= x <= ``high`` (null: open), a category equals ``value``. ``words`` says it for
    people: ``sharpness in the lowest fifth (up to 3.1)``.
    """

    characteristic: str
    words: str
    low: float | None = None
    high: float | None = None
    value: str | None = None


class Slice(Frozen):
    """Pictures with a shared characteristic (one or two conditions) among which the outcome is more frequent.

    ``inside`` and ``outside`` are the outcome's rates (Wilson's intervals), ``difference`` inside minus outside
    (Newcombe's interval), ``ratio`` inside over outside (null where outside has none). ``hits`` of the outcome lie
    inside, ``hit_share`` of all. ``p`` is Fisher's exact one-sided; for two conditions the largest of the p-values
    against the rest of each part and against everything outside, so that a pair counts only if it is worse than
    either alone. ``p_adjusted`` is corrected for all looks. ``resembles`` is the place, in the same tuple, of an
    earlier slice that shares most of the smaller one's pictures, as a part, a whole or a likeness of it.
    """

    outcome: Outcome
    conditions: tuple[Condition, ...]
    words: str
    pictures: int
    hits: int
    hit_share: float
    inside: Estimate
    outside: Estimate
    difference: Estimate
    ratio: float | None
    p: float
    p_adjusted: float
    resembles: int | None = None
    gallery: str | None = None


class SliceSearch(Frozen):
    """Where slices of one outcome were looked for, and those found, clearest first.

    ``tested`` single and ``tested_pairs`` double conditions had at least ``least_pictures`` inside and outside.
    ``level`` bounds the expected share of false finds (Benjamini-Hochberg, half of it for singles, half for pairs).
    ``found`` slices stand out; where they are very many, ``slices`` holds the first. ``not_run`` says why nothing
    could be searched.
    """

    outcome: Outcome
    pictures: int
    hits: int
    characteristics: tuple[str, ...]
    tested: int
    tested_pairs: int
    least_pictures: int
    level: float
    found: int = 0
    slices: tuple[Slice, ...] = ()
    not_run: str | None = None


class EmbeddingMap(Frozen):
    """The map of pictures by likeness of content: ``points`` pictures, a seeded draw, placed by ``method``."""

    points: int
    method: str
    html: str


class Plot(Frozen):
    """A picture file beside ``analysis.json``; ``shows`` describes it for those who cannot see it."""

    file: str
    title: str
    shows: str


class Stage(Frozen):
    """How long a part of the work took, seconds."""

    name: str
    seconds: float


class Analysis(Frozen):
    """All that an analysis found; ``findings`` are its sentences, most important first.

    ``data`` is the manifest that gave labels and columns, null without one. ``model`` is the detector that
    answered, null where the target does not name it. ``content``, ``errors`` and ``map`` are null where they could
    not be had; ``notes`` say why.
    """

    analysis_version: Literal[1] = 1
    madeby: str
    command: str
    target: str
    kind: Literal["evaluation", "scan", "manifest"]
    data: str | None
    model: ModelInfo | None
    pictures: Pictures
    content: Content | None
    errors: Errors | None
    searches: tuple[SliceSearch, ...]
    map: EmbeddingMap | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    galleries: tuple[Plot, ...] = ()
    stages: tuple[Stage, ...] = ()

    def to_json(self) -> str:
        """The analysis as indented JSON; floats in full."""
        return self.model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str | bytes) -> Analysis:
        """Read back what :meth:`to_json` wrote.

        Raises:
            pydantic.ValidationError: the text is not an analysis of this version.
        """
        return cls.model_validate_json(text)
