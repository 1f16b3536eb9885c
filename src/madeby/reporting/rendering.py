"""Templates to pages: one HTML file each, style and pictures inside."""

from __future__ import annotations

import datetime
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from madeby.reporting import words
from madeby.version import __version__


def render(template: str, **content: Any) -> str:
    """Fill a template of this room; numbers are worded by its filters, everything from outside is escaped."""
    environment = Environment(
        loader=PackageLoader("madeby.reporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"number": _number, "percent": words.percent, "count": words.count}
    environment.filters |= {"duration": words.duration, "capital": words.capital}
    style = (resources.files("madeby.reporting") / "templates" / "style.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(
        words=words,
        style=Markup(style),  # noqa: S704  # our own file
        made=datetime.datetime.now(datetime.UTC).strftime("%d %B %Y"),
        version=__version__,
        **content,
    )


def _number(value: float | None, name: str) -> str:
    return words.number(name, value)
