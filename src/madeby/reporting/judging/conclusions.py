"""What was learnt, what the figures do not say, and what to do next: gathered from all the others."""

from __future__ import annotations

from pathlib import Path

from madeby.datasets.audit.findings import Severity
from madeby.reporting.judging.data import generators
from madeby.reporting.judging.judgement import Judgement
from madeby.reporting.judging.results import (
    few,
    headline,
    judge_calibration,
    judge_groups,
    judge_results,
    judge_verdicts,
)
from madeby.reporting.material import Measured, RunMaterial
from madeby.reporting.words import capital, count, listed, with_interval

ROBUSTNESS = (
    "Robustness was not measured: how the figures change when pictures are re-encoded, resized or cropped is not known."
)
ROBUSTNESS_HOW = (
    "Evaluate the run on changed pictures, as with madeby evaluate --degrade jpeg=60 -o RUN/test-jpeg-60; results in "
    "the run's folder are found, others are named with --evaluation."
)
ROBUSTNESS_UNKNOWN = (
    "Whether any of the other sets holds changed copies of the same pictures is not recorded, so how much re-encoding, "
    "resizing or cropping matters is not judged here."
)


def robustness(run: RunMaterial) -> tuple[str, ...]:
    """What can be said about changed copies of pictures, and how to learn more where none can have been measured."""
    changed = [one for one in run.evaluations if one.metrics.degradation]
    if changed:
        return tuple(_sturdiness(one, run) for one in changed)
    return (ROBUSTNESS_UNKNOWN,) if run.elsewhere else (ROBUSTNESS, ROBUSTNESS_HOW)


def is_robustness_known(run: RunMaterial) -> bool:
    """Whether any evaluation was of changed pictures."""
    return any(one.metrics.degradation for one in run.evaluations)


def _sturdiness(changed: Measured, run: RunMaterial) -> str:
    """What a change of the pictures does to the figures, set against the same pictures as they are."""
    metrics = changed.metrics
    plain = (metrics.manifest_sha256, metrics.split, "")
    same = next((one for one in run.evaluations if one.pictures == plain and one.metrics.flips == metrics.flips), None)
    after = f"After {metrics.degradation}"
    if same is None or metrics.auroc is None:
        return (
            f"{after} the AUROC is {with_interval(metrics, 'auroc')}; the same pictures unchanged were not measured, "
            "so what the change costs cannot be told."
        )
    told = [
        f"{word} is {with_interval(metrics, name)}, unchanged {with_interval(same.metrics, name)}"
        for name, word in (("accuracy", "the accuracy"), ("auroc", "the AUROC"))
    ]
    return f"{after} {'; '.join(told)}."


def learnt(run: RunMaterial) -> list[Judgement]:
    """The few sentences that a reader in a hurry needs."""
    if run.main is None:
        return [Judgement("The run was not evaluated, so how good it is on unseen pictures is not known.", "open")]
    told = [headline(run.main)]
    told += [one for one in judge_results(run.main, run)[1:] if one.tone == "bad"]
    told += [one for one in judge_verdicts(run.main, run) if one.tone in {"good", "bad"}][:1]
    told += [one for one in judge_calibration(run.main, run) if one.tone != "open"]
    told += judge_groups(run.main)[:1]
    told += [elsewhere(run, other) for other in run.elsewhere]
    for analysis in run.analyses[:1]:
        told += [Judgement(one.line) for one in analysis.record.findings if one.topic == "slices" and one.known][:1]
    for audit in run.audits[:1]:
        told += [
            Judgement(f"{capital(_about(audit.record.manifest, run) + one.line)}.", "bad")
            for one in audit.record.findings
            if one.severity in {Severity.SERIOUS, Severity.WARNING}
        ][:2]
    return told


def _about(manifest: str, run: RunMaterial) -> str:
    """Whose audit it is, where it is not that of the run's own data."""
    name = Path(manifest).name
    return "" if run.data is not None and run.data.name == name else f"In {Path(name).stem}, which was audited: "


def elsewhere(run: RunMaterial, other: Measured) -> Judgement:
    """How the detector does on other pictures, set against the main evaluation."""
    main = run.main.metrics.intervals.get("auroc") if run.main and not few(run.main.metrics) else None
    title, words, ends = other.title, with_interval(other.metrics, "auroc"), other.metrics.intervals.get("auroc")
    if run.own(other) and other.metrics.split != "test":
        part = "learnt from" if other.metrics.split == "train" else "learnt from or was chosen by"
        return Judgement(f"On {title}, which the run {part}, the AUROC is {words}: that flatters.", "open")
    if other.metrics.auroc is not None and few(other.metrics):
        held = f"{count(other.metrics.n_human)} human and {count(other.metrics.n_ai)} AI pictures"
        return Judgement(f"On {title} the AUROC is {words}; {held} are too few to compare.", "open")
    if ends is None:
        return Judgement(f"On {title} the AUROC is {words}; without an interval it cannot be compared.", "open")
    if ends[0] <= 0.5 <= ends[1]:
        return Judgement(f"On {title} it cannot be told from guessing: AUROC {words}.", "bad")
    if main is None:
        return Judgement(f"On {title} the AUROC is {words}; there is nothing to compare it with.", "open")
    if ends[1] < main[0]:
        return Judgement(f"On {title} it does worse: AUROC {words}.", "bad")
    if ends[0] > main[1]:
        return Judgement(f"On {title} it does better: AUROC {words}.", "good")
    return Judgement(f"On {title} the AUROC is {words}: no different from the main evaluation by more than chance.")


def limits(run: RunMaterial) -> list[Judgement]:
    """What the figures do not say."""
    told = []
    if run.main is None:
        told.append(Judgement("Not evaluated: validation figures were chosen by and flatter.", "open"))
    else:
        names = generators(run.main)
        if len(names) == 1:
            told.append(
                Judgement(
                    f"All AI pictures measured come from {names[0]}: nothing is known of other generators.", "open"
                )
            )
        elif not names and run.main.metrics.n_ai:
            told.append(
                Judgement(
                    "Not all AI pictures measured name their generator: of which kinds they are cannot be told.", "open"
                )
            )
        if not run.elsewhere:
            told.append(Judgement("Measured on one set of pictures only: how far it carries is not known.", "open"))
    if not run.audits:
        told.append(Judgement("The data was not audited: leaks and shortcuts may flatter the figures.", "open"))
    elif run.audits[0].record.worst in {Severity.SERIOUS, Severity.WARNING}:
        carried = [one.name for one in run.audits[0].record.shortcuts if one.low is not None and one.low > 0.6]
        if carried:
            told.append(
                Judgement(
                    f"The classes differ in {listed(carried)} besides how they were made; how much of the result rests "
                    "on that cannot be told from these figures.",
                    "open",
                )
            )
    told.append(Judgement(f"One training with seed {run.recipe.seed}: the spread between seeds is not known.", "open"))
    if run.recipe.view == "resize":
        told.append(
            Judgement(
                f"The network sees pictures squeezed to {run.recipe.size} × {run.recipe.size} pixels; much larger "
                "pictures lose most of their traces.",
                "plain",
            )
        )
    if not is_robustness_known(run):
        told.append(Judgement(robustness(run)[0], "open"))
    return told


def next_steps(run: RunMaterial) -> list[str]:
    """What would settle most of what is open."""
    steps = []
    if run.main is None:
        steps.append(
            f"Measure it: madeby evaluate {run.folder.name} --data MANIFEST --split test -o {run.folder.name}/test"
        )
    if run.main is not None and len(generators(run.main)) <= 1:
        steps.append("Measure on generators that the training has not seen")
    if not run.elsewhere:
        steps.append("Measure on a matched set: the same subjects, sizes and encodings in both classes")
    if not run.audits:
        steps.append("Audit the data before trusting the figures: madeby data audit")
    elif any(leak.kind == "pixels" and leak.split == "test" for leak in run.audits[0].record.leaks):
        steps.append("Train and measure on the manifest without leaks: madeby data clean")
    if run.main is not None and not run.analyses:
        steps.append("Find what the mistakes share: madeby analyze")
    if not run.tunings:
        steps.append("Search over learning rate and batch size: madeby tune --search notebook-grid")
    steps.append("Repeat with other seeds, and report the mean and the spread")
    steps.append("Measure re-encoded, resized and cropped copies of the test pictures")
    return steps
