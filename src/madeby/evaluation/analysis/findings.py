"""What an analysis comes to, in sentences; every number is computed, and where nothing can be told they say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from madeby.evaluation.analysis.drawing.content import SIGNIFICANT
from madeby.evaluation.analysis.record import (
    Content,
    ContentClass,
    Errors,
    Estimate,
    Finding,
    Outcome,
    Pictures,
    Slice,
    SliceSearch,
)

MOST_SLICES = 3
MOST_CLASSES = 3

SMALL = 0.1
"""A rank correlation up to this is not worth a word."""

FEW = 200
"""Pictures below which only large differences between slices would be seen."""

WHO = {
    "false positive": ("human pictures", "taken for ai"),
    "false negative": ("AI pictures", "taken for human"),
    "called ai": ("pictures", "called ai"),
}


def findings_of(
    pictures: Pictures, content: Content | None, errors: Errors | None, searches: Sequence[SliceSearch]
) -> tuple[Finding, ...]:
    """All sentences, most important first."""
    return (
        *_about_errors(errors, pictures),
        *(one for search in searches for one in _about_search(search)),
        *(_about_content(content, pictures) if content else ()),
    )


def _about_errors(errors: Errors | None, pictures: Pictures) -> Iterator[Finding]:
    if errors is None:
        if pictures.unscored == pictures.analysed:
            line = "There is no detector's answer about these pictures, so nothing can be said about its mistakes."
        else:
            line = "The pictures have no labels, so nothing can be said about mistakes: give a manifest with --data."
        yield Finding(topic="errors", line=line, known=False)
        return
    for hits, share, who, taken in (
        (errors.false_positives, errors.false_positive_rate, "human", "ai"),
        (errors.false_negatives, errors.false_negative_rate, "AI", "human"),
    ):
        if share is None:
            line = f"There are no {who} pictures with a score, so how often they are taken for {taken} cannot be told."
            yield Finding(topic="errors", line=line, known=False)
        else:
            line = f"{hits:,} of {share.n:,} {who} pictures are taken for {taken}: {_share(share)}."
            yield Finding(topic="errors", line=line)


def _about_search(search: SliceSearch) -> Iterator[Finding]:
    who, taken = WHO[search.outcome]
    if search.not_run:
        yield Finding(
            topic="slices",
            line=f"What {who} {taken} have in common cannot be told: {search.not_run}.",
            known=False,
        )
        return
    looks = f"{search.tested + search.tested_pairs:,} slices by {len(search.characteristics)} characteristics"
    leading = [one for one in search.slices if one.resembles is None]
    if not leading:
        few = f" ({search.pictures} pictures would show only large differences)" if search.pictures < FEW else ""
        line = f"No slice stands out among {who} {taken}: of {looks} none differs by more than chance explains{few}."
        yield Finding(topic="slices", line=line)
        return
    for one in leading[:MOST_SLICES]:
        yield Finding(topic="slices", line=_slice_line(one, search.outcome))
    line = (
        f"Of {looks} compared, {search.found:,} stand out among {who} {taken}; "
        f"the clearest {len(search.slices):,} come to {len(leading):,} that hardly overlap."
        if search.found > len(search.slices)
        else f"Of {looks} compared, {search.found:,} stand out among {who} {taken}, "
        f"{len(leading):,} of them without much overlap."
    )
    yield Finding(topic="slices", line=line)


def _slice_line(one: Slice, outcome: Outcome) -> str:
    who, taken = WHO[outcome]
    times = f", {one.ratio:.1f} times as often" if one.ratio is not None else ""
    return (
        f"{who[0].upper()}{who[1:]} with {one.words} are {taken} in {one.inside.value:.1%} of cases "
        f"({one.hits:,} of {one.pictures:,}) against {one.outside.value:.1%} of the others{times}; "
        f"they hold {one.hit_share:.0%} of all {who} {taken}."
    )


def _about_content(content: Content, pictures: Pictures) -> Iterator[Finding]:
    both = bool(pictures.human and pictures.ai)
    first = content.confidence[0]
    if not both:
        yield Finding(
            topic="content",
            line=f"The content model is {_share(first.everything)} sure on average of what a picture shows.",
        )
        line = "Human and AI pictures cannot be compared: only one kind, or no label, is there."
        yield Finding(topic="content", line=line, known=False)
    elif first.human and first.ai and first.difference:
        yield _confidence_finding(first.human, first.ai, first.difference)
        yield from _about_classes(content)
    yield from _about_scores(content)
    for name in content.missing_classes:
        yield Finding(topic="classes", line=f"No picture is seen as {name.replace('_', ' ')}.")


def _confidence_finding(human: Estimate, ai: Estimate, difference: Estimate) -> Finding:
    if difference.low is None or difference.high is None:
        line = (
            f"The content model is {human.value:.1%} sure of human and {ai.value:.1%} of AI pictures on average, "
            "but these are too few to tell whether that differs."
        )
        return Finding(topic="content", line=line, known=False)
    spread = f"{_points(difference.low)} to {_points(difference.high)} points"
    if difference.low <= 0 <= difference.high:
        line = (
            f"The content model is about as sure of AI pictures ({ai.value:.1%} on average) as of human ones "
            f"({human.value:.1%}): the difference of {_points(difference.value)} points ({spread}) may be chance."
        )
        return Finding(topic="content", line=line)
    more = "surer" if difference.value > 0 else "less sure"
    line = (
        f"The content model is {more} of what AI pictures show: {ai.value:.1%} on average against {human.value:.1%} "
        f"for human ones, a difference of {_points(difference.value)} points ({spread})."
    )
    return Finding(topic="content", line=line)


def _about_classes(content: Content) -> Iterator[Finding]:
    differ = [one for one in content.classes if one.p_adjusted is not None and one.p_adjusted <= SIGNIFICANT]
    if not content.classes_tested:
        line = "No content is seen in enough pictures to compare how often human and AI pictures show it."
        yield Finding(topic="classes", line=line, known=False)
        return
    if not differ:
        line = (
            f"Human and AI pictures show the same things as often, as far as {content.classes_tested} contents with "
            "enough pictures can tell."
        )
        yield Finding(topic="classes", line=line)
        return
    for kind, sign in (("AI", 1), ("human", -1)):
        most = sorted((one for one in differ if _difference(one) * sign > 0), key=lambda one: -abs(_difference(one)))
        if most:
            named = ", ".join(f"{one.name} ({one.ai:,} AI, {one.human:,} human)" for one in most[:MOST_CLASSES])
            yield Finding(topic="classes", line=f"Seen more often in {kind} pictures: {named}.")
    line = (
        f"{len(differ)} of {content.classes_tested} contents with enough pictures are shown more often by one kind "
        "than chance explains: content alone tells part of the labels."
    )
    yield Finding(topic="classes", line=line)


def _about_scores(content: Content) -> Iterator[Finding]:
    for one in content.correlations:
        who = f"{'AI' if one.label == 'ai' else 'human'} pictures" if one.label else "pictures"
        low, high = one.rho.low, one.rho.high
        if low is None or high is None:
            continue
        spread = f"rank correlation {one.rho.value:+.2f}, {low:+.2f} to {high:+.2f}"
        if max(abs(low), abs(high)) <= SMALL:
            line = f"How sure the content of {who} is has next to nothing to do with the detector's score ({spread})."
        elif low <= 0 <= high:
            line = f"Whether the score of {who} goes with how sure their content is cannot be told ({spread})."
            yield Finding(topic="content", line=line, known=False)
            continue
        else:
            way = "more" if one.rho.value > 0 else "less"
            line = f"The surer the content of {who}, the {way} they look made by AI to the detector ({spread})."
        yield Finding(topic="content", line=line)


def _difference(one: ContentClass) -> float:
    return one.difference.value if one.difference else 0.0


def _share(one: Estimate) -> str:
    spread = "" if one.low is None or one.high is None else f" (95% interval {one.low:.1%} to {one.high:.1%})"
    return f"{one.value:.1%}{spread}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"
