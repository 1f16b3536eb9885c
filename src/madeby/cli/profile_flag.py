"""The option ``--threshold-profile`` of every command that gives verdicts."""

from __future__ import annotations

from typing import Literal

Profile = Literal["cautious", "balanced", "eager"]

PROFILE_HELP = "How readily a verdict leaves uncertain: 0.5%, 1% or 5% of photographs may be called ai."
