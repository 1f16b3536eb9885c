"""The types of an answer, shared by the terminal, Python, REST and Parquet.

Every model is frozen and forbids unknown fields, so that what one face writes any other can read back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from madeby.errors import ErrorCode

SCHEMA_VERSION: Literal[1] = 1


class Label(StrEnum):
    """Who made a picture. ``human`` is class 0 and ``ai`` class 1 (the positive class), everywhere."""

    HUMAN = "human"
    AI = "ai"


class Verdict(StrEnum):
    """The answer about one picture."""

    AI = "ai"
    HUMAN = "human"
    UNCERTAIN = "uncertain"


class Strength(StrEnum):
    """How much a signal weighs, strongest first: the order of the members is the order of strength."""

    CONCLUSIVE = "conclusive"
    STRONG = "strong"
    WEAK = "weak"
    NONE = "none"


class Frozen(BaseModel):
    """Base of all answer types: immutable, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class PictureFacts(Frozen):
    """What the file itself says, before any judgement.

    ``width`` and ``height`` are pixels after the EXIF orientation is applied. ``jpeg_quality`` is an
    estimate from the quantisation tables (1 to 100) and ``chroma_subsampling`` such as ``4:2:0``; both
    are null where they have no meaning. ``perceptual_hash`` is 64 bits as 16 hexadecimal digits.
    """

    format: str
    width: int
    height: int
    bytes: int
    sha256: str
    jpeg_quality: int | None = None
    chroma_subsampling: str | None = None
    perceptual_hash: str | None = None


class Signal(Frozen):
    """One piece of evidence about one picture.

    ``points_to`` is the label the evidence speaks for, or null where it speaks for neither. ``detail``
    holds what the signal found, by names that the signal documents.
    """

    name: str
    points_to: Label | None = None
    strength: Strength = Strength.NONE
    reason: str = ""
    detail: dict[str, Any] = Field(default_factory=dict)


class ErrorInfo(Frozen):
    """Why there is no verdict: a code of the closed set and a message that says what to do."""

    code: ErrorCode
    message: str


class ModelInfo(Frozen):
    """Which bundle answered."""

    name: str
    version: str
    sha256: str


class Timing(Frozen):
    """Milliseconds spent on one picture, by stage; null for a stage that did not run."""

    decode: float | None = None
    provenance: float | None = None
    detector: float | None = None


class Result(Frozen):
    """The answer about one picture, or the error that prevented it.

    ``probability`` is the detector's calibrated P(ai), null where no detector ran.
    """

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, alias="schema")
    source: str
    status: Literal["ok", "error"] = "ok"
    error: ErrorInfo | None = None
    picture: PictureFacts | None = None
    verdict: Verdict | None = None
    probability: float | None = Field(default=None, ge=0.0, le=1.0)
    reason: str = ""
    signals: tuple[Signal, ...] = ()
    warnings: tuple[str, ...] = ()
    model: ModelInfo | None = None
    timing_ms: Timing = Timing()

    @property
    def ok(self) -> bool:
        """Whether the picture was read and answered about."""
        return self.status == "ok"

    def to_json(self) -> str:
        """The result as one line of JSON, keys in schema order."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, line: str | bytes) -> Result:
        """Read back what :meth:`to_json` wrote.

        Raises:
            pydantic.ValidationError: the text is not a result of this schema version.
        """
        return cls.model_validate_json(line)
