"""The unit of release: one folder with ``model.onnx``, ``bundle.json``, ``CARD.md`` and ``metrics.json``.

``bundle.json`` is everything needed to answer with the model: how pictures become views, how logits become
probabilities, and where the thresholds of the verdict lie. Nothing in a bundle is executed; the model is ONNX
and its checksum is verified before it is loaded. Some bundles hold ``memory.safetensors`` too, from which
``train --from`` learns what not to forget.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from madeby.errors import BundleError
from madeby.schema import Frozen, ModelInfo

BUNDLE_SCHEMA_VERSION: Literal[1] = 1
MODEL_FILE = "model.onnx"
SPEC_FILE = "bundle.json"
CARD_FILE = "CARD.md"
METRICS_FILE = "metrics.json"
MEMORY_FILE = "memory.safetensors"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


Positive = Annotated[float, Field(gt=0.0)]


class Preprocessing(Frozen):
    """How a decoded picture becomes the network's input.

    ``view`` is ``resize`` (the whole picture squeezed to ``size`` x ``size``, bilinear with antialiasing), ``centre``
    (the picture scaled until its short side is ``size``, bicubic with antialiasing, and the middle square of that),
    ``quarters`` (that, and the four quarters of the same square at twice the scale), ``quadrants`` (those four alone)
    or ``crops`` (up to ``crops`` native-resolution squares of ``size``, spread over the picture; smaller pictures are
    padded by reflection). Pixels are scaled to 0..1, then ``(x - mean) / std`` per RGB channel.
    """

    view: Literal["resize", "centre", "quarters", "quadrants", "crops"]
    size: int = Field(ge=8, le=2048)
    crops: int = Field(default=1, ge=1, le=64)
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[Positive, Positive, Positive] = (0.5, 0.5, 0.5)

    @property
    def most_views(self) -> int:
        """How many views of a picture the network looks at, at most."""
        return {"crops": self.crops, "quarters": 5, "quadrants": 4}.get(self.view, 1)


class Calibration(Frozen):
    """Platt scaling (Platt 1999): ``P(ai) = sigmoid(slope * logit + intercept)``.

    Temperature scaling (Guo et al. 2017) is the case ``intercept = 0``. ``fitted_on`` names the data and
    ``n`` counts its pictures; ``method`` is ``none`` only where there was nothing to fit on.
    """

    method: Literal["platt", "temperature", "none"] = "none"
    slope: float = Field(default=1.0, gt=0.0)
    intercept: float = 0.0
    fitted_on: str = ""
    n: int = 0


class Thresholds(Frozen):
    """Where the verdict leaves ``uncertain``.

    A probability at or above ``ai`` is called ``ai``, one at or below ``human`` is called ``human``.
    ``ai`` above 1 means never: the photographs at hand were too few, or looked AI-made too often, to promise
    ``false_alarm_target``.
    """

    ai: float = Field(default=0.5, ge=0.5, le=1.1)
    human: float = Field(default=0.5, ge=-0.1, le=0.5)
    false_alarm_target: float = 0.01
    miss_target: float = 0.05
    n_human: int = 0
    n_ai: int = 0
    set_on: str = ""


class Profile(StrEnum):
    """How readily a verdict leaves ``uncertain``; ``balanced`` is what a bundle's own thresholds are."""

    CAUTIOUS = "cautious"
    BALANCED = "balanced"
    EAGER = "eager"


class Domain(Frozen):
    """Which pictures the bundle was validated on; others are flagged and pushed towards ``uncertain``.

    Sides are in pixels; ``max_side`` 0 means no upper limit. ``max_flat_share`` is the share of the picture that may
    be one exact colour before it counts as text, a drawing or a screenshot.
    """

    min_side: int = 1
    max_side: int = 0
    max_flat_share: float = Field(default=0.5, gt=0.0, le=1.0)
    description: str = ""


class Training(Frozen):
    """What the bundle was trained on and how; for people and for repeating it.

    ``collections`` counts the pictures of ``train`` and ``val`` by the collection they came from, where one is named.
    ``earlier`` are the manifests that the models it was adapted from had learnt from, and their splits.
    """

    data: str = ""
    manifest_sha256: str = ""
    n_train: int = 0
    n_val: int = 0
    collections: dict[str, int] = Field(default_factory=dict)
    recipe: dict[str, Any] = Field(default_factory=dict)
    command: str = ""
    earlier: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def learnt(self) -> dict[str, tuple[str, ...]]:
        """Every manifest that the model is known to have learnt from, and which splits; adapting learns from both."""
        own = ("train", "val") if "from" in self.recipe else ("train",)
        return self.earlier | ({self.manifest_sha256: own} if self.manifest_sha256 else {})


class BundleSpec(Frozen):
    """The contents of ``bundle.json``.

    ``memory_sha256`` is that of ``memory.safetensors``, which ``train --from`` needs to forget little; empty where the
    bundle has none.
    """

    schema_version: Literal[1] = Field(default=BUNDLE_SCHEMA_VERSION, alias="schema")
    name: str = Field(pattern=NAME_PATTERN)
    version: str = "0.1.0"
    description: str = ""
    licence: str = ""
    network: str
    parameters: int = 0
    labels: tuple[Literal["human"], Literal["ai"]] = ("human", "ai")
    onnx_opset: int
    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    memory_sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    preprocessing: Preprocessing
    aggregation: Literal["mean"] = "mean"
    calibration: Calibration = Calibration()
    thresholds: Thresholds = Thresholds()
    profiles: dict[Literal[Profile.CAUTIOUS, Profile.EAGER], Thresholds] = Field(default_factory=dict)
    domain: Domain = Domain()
    training: Training = Training()
    created: str = ""
    madeby_version: str = ""

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> BundleSpec:
        for thresholds in (self.thresholds, *self.profiles.values()):
            if thresholds.human > thresholds.ai:
                raise ValueError("thresholds.human must not lie above thresholds.ai")
        return self

    def with_profiles(self, fitted: Mapping[Profile, Thresholds]) -> BundleSpec:
        """The same with other thresholds: ``balanced`` become its own, the rest stand beside them."""
        rest = {profile: thresholds for profile, thresholds in fitted.items() if profile is not Profile.BALANCED}
        return self.model_copy(update={"thresholds": fitted[Profile.BALANCED], "profiles": rest})


@dataclass(frozen=True)
class Bundle:
    """A bundle folder whose spec is valid and whose model matches its checksum."""

    folder: Path
    spec: BundleSpec

    @property
    def model_path(self) -> Path:
        """Path of the ONNX file."""
        return self.folder / MODEL_FILE

    @property
    def card(self) -> str:
        """The model card, Markdown; empty if the bundle has none."""
        path = self.folder / CARD_FILE
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    @property
    def info(self) -> ModelInfo:
        """The bundle as results name it."""
        return ModelInfo(name=self.spec.name, version=self.spec.version, sha256=self.spec.model_sha256)

    def verified_memory(self) -> Path | None:
        """The file of what the bundle remembers, read whole and checked; None if it remembers nothing.

        Raises:
            BundleError: the file is missing, cannot be read, or is another than ``bundle.json`` tells of.
        """
        if not self.spec.memory_sha256:
            return None
        path = self.folder / MEMORY_FILE
        if not path.is_file():
            raise BundleError(f"{path} is missing: fetch the bundle again")
        try:
            actual = sha256_of(path)
        except OSError as problem:
            raise BundleError(f"{path} cannot be read: {problem.strerror or problem}") from None
        if actual != self.spec.memory_sha256:
            raise BundleError(f"{path} does not match its checksum in {SPEC_FILE}: fetch the bundle again")
        return path

    def with_profile(self, profile: Profile) -> Bundle:
        """The bundle with another profile's thresholds as its own.

        Raises:
            BundleError: it has none for this profile.
        """
        if profile is Profile.BALANCED:
            return self
        thresholds = self.spec.profiles.get(profile)
        if thresholds is None:
            raise BundleError(
                f"{self.spec.name} {self.spec.version} has no thresholds for the profile {profile}: "
                "`madeby calibrate` sets them on photographs of yours"
            )
        return Bundle(self.folder, self.spec.model_copy(update={"thresholds": thresholds}))

    @classmethod
    def open(cls, folder: Path) -> Bundle:
        """Read and verify a bundle folder.

        Raises:
            BundleError: a file is missing, the spec is invalid or the checksum differs.
        """
        spec_path, model_path = folder / SPEC_FILE, folder / MODEL_FILE
        for path in (spec_path, model_path):
            if not path.is_file():
                raise BundleError(f"{folder} is not a model bundle: {path.name} is missing")
        try:
            spec = BundleSpec.model_validate_json(spec_path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise BundleError(f"{spec_path} is not a valid bundle description: {where}: {first['msg']}") from None
        actual = sha256_of(model_path)
        if actual != spec.model_sha256:
            raise BundleError(
                f"{model_path} does not match its checksum in {SPEC_FILE} "
                f"(expected {spec.model_sha256[:12]}…, found {actual[:12]}…): fetch or export the bundle again"
            )
        return cls(folder=folder, spec=spec)

    def write_spec(self) -> None:
        """Write ``bundle.json`` beside the model, readable by people."""
        text = self.spec.model_dump_json(by_alias=True, indent=2)
        (self.folder / SPEC_FILE).write_text(text + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
