"""``/models``: what answers here, and its card."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

import madeby
from madeby.schema import Frozen
from madeby.web.refusal import RefusalError, refusals
from madeby.web.server import Server, TheServer
from madeby.web.shelf import Shelf

router = APIRouter(prefix="/models", tags=["models"], responses=refusals(401, 429))


class ModelSummary(Frozen):
    """A model that can be named in a request; ``default`` is the one that answers where none is named."""

    name: str
    version: str
    description: str
    licence: str
    network: str
    parameters: int
    default: bool


class Models(Frozen):
    """The models at hand, the default first."""

    models: tuple[ModelSummary, ...]


class ModelDetails(Frozen):
    """A model's description and its card (Markdown).

    ``threshold_profile`` is the profile by which this server gives verdicts where a request names none.
    """

    spec: madeby.BundleSpec
    card: str
    default: bool
    threshold_profile: str


@router.get("")
def list_models(server: TheServer) -> Models:
    """The models at hand."""
    serving = server.live.detector.bundle.spec
    others = {each.spec.name: each.spec for each in reversed(madeby.models_list())}
    others.pop(serving.name, None)
    rest = (_summary(spec, default=False) for _, spec in sorted(others.items()))
    return Models(models=(_summary(serving, default=True), *rest))


@router.get("/{name}", responses=refusals(404, 422))
def show_model(name: Annotated[str, Path(max_length=200, examples=["wild-lite"])], server: TheServer) -> ModelDetails:
    """A model's description and its card: what it reaches, and where it is no better than chance."""
    bundle = _bundle(server, name)
    return ModelDetails(
        spec=bundle.spec,
        card=bundle.card,
        default=bundle is server.live.detector.bundle,
        threshold_profile=server.settings.threshold_profile,
    )


def _bundle(server: Server, name: str) -> madeby.Bundle | madeby.ShownModel:
    serving = server.live.detector.bundle
    if name == serving.spec.name:
        return serving
    listed = Shelf.listed(name)
    if listed is None:
        raise RefusalError(404, "unknown_model", f"no model {name[:80]!r} is at hand; GET /api/v1/models lists them")
    return madeby.models_show(listed.model)


def _summary(spec: madeby.BundleSpec, *, default: bool) -> ModelSummary:
    return ModelSummary(
        name=spec.name,
        version=spec.version,
        description=spec.description,
        licence=spec.licence,
        network=spec.network,
        parameters=spec.parameters,
        default=default,
    )
