"""Writes the tables of docs/provenance.md from the data they show: ``python tests/provenance/policy_tables.py``."""

import re
from pathlib import Path

from madeby.provenance.evidence import EVIDENCE
from madeby.provenance.source_types import SOURCE_TYPES
from madeby.provenance.watermark import MESSAGES
from madeby.verdict import CONFLICTS, PIXEL_CONFLICTS, POLICY

PAGE = Path(__file__).parents[2] / "docs" / "provenance.md"


def evidence():
    rows = [
        (name, finding, weight.points_to or "", weight.strength, weight.why)
        for name, findings in EVIDENCE.items()
        for finding, weight in findings.items()
    ]
    return table(("signal", "finding", "points to", "strength", "why"), rows)


def policy():
    rows = [(rule.provenance or "any", rule.pixels or "any", f"**{rule.verdict}**", rule.reason) for rule in POLICY]
    return table(("provenance", "pixels", "verdict", "reason"), rows)


def conflicts():
    rows = [(f"human, {human} or more", f"ai, {ai} or more", words) for human, ai, words in CONFLICTS]
    rows += [(provenance, f"pixels {pixels}", words) for (provenance, pixels), words in PIXEL_CONFLICTS.items()]
    return table(("one side", "other side", "what the warning says of it"), rows)


def source_types():
    return table(("source type", "read as"), SOURCE_TYPES.items())


def messages():
    rows = [(message.maker, len(message.bits), f"`{''.join(map(str, message.bits))}`") for message in MESSAGES]
    return table(("maker", "bits", "message"), rows)


TABLES = {
    "evidence": evidence,
    "policy": policy,
    "conflicts": conflicts,
    "source types": source_types,
    "messages": messages,
}


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def with_tables(page):
    """The page with the text between each pair of table markers written anew."""
    for name, make in TABLES.items():
        start, end = f"<!-- table: {name} -->", f"<!-- end of table: {name} -->"
        pattern = re.escape(start) + ".*?" + re.escape(end)
        page, count = re.subn(pattern, lambda _, text=f"{start}\n{make()}\n{end}": text, page, flags=re.DOTALL)
        assert count == 1, f"{PAGE.name} has no place for the table {name}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
