"""The deck as a PowerPoint file."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from madeby.reporting.judging.results import headline
from madeby.reporting.material import RunMaterial
from madeby.reporting.slides.layout import Deck
from madeby.reporting.slides.several import tell_several
from madeby.reporting.slides.single import tell_one
from madeby.reporting.words import listed
from madeby.version import __version__


def write_deck(runs: Sequence[RunMaterial], out: Path) -> None:
    """Write 10 to 14 slides about one run, or about several side by side."""
    names = listed([run.name for run in runs], 4)
    deck = Deck(f"{names}, made with madeby {__version__}")
    today = datetime.datetime.now(datetime.UTC).strftime("%d %B %Y")
    lead = "Detectors that tell AI-made pictures from human ones"
    if len(runs) == 1 and runs[0].main:
        lead = headline(runs[0].main).text
    lines = [lead, f"{today}, madeby {__version__}; intervals are 95%"]
    if len(runs) == 1:
        tell_one(deck, runs[0], lines)
    else:
        tell_several(deck, runs, lines)
    deck.save(out)
