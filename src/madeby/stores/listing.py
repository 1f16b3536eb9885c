"""The models that can be named: inside the package, pulled to this machine, or in a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from madeby.detector.bundle import SPEC_FILE, BundleSpec
from madeby.errors import BundleError
from madeby.stores.builtin import DEFAULT_BUNDLE, builtin_folder, builtin_names
from madeby.stores.cache import cached_bundles, preferred_folder
from madeby.stores.index import INDEX_FILE, INDEX_MAX_BYTES, BundleIndex
from madeby.stores.published import Published, all_published
from madeby.stores.storage import read_small

BUILT_IN, PULLED = "built-in", "pulled"


@dataclass(frozen=True)
class ListedModel:
    """A model that can be named.

    ``model`` is what to give as ``--model``, ``place`` is ``built-in``, ``pulled`` or a store's address, ``bytes``
    the size of all its files, ``default`` whether it answers where no model is named.
    """

    model: str
    spec: BundleSpec
    place: str
    bytes: int
    default: bool = False


def models_here() -> list[ListedModel]:
    """The built-in models, then those pulled to this machine; one whose description is damaged is left out."""
    listed = []
    preferred = preferred_folder()
    for name in builtin_names():
        folder = builtin_folder(name)
        if folder is not None:
            size = sum(path.stat().st_size for path in folder.iterdir())
            spec = BundleSpec.model_validate_json((folder / SPEC_FILE).read_bytes())
            listed.append(ListedModel(name, spec, BUILT_IN, size, default=name == DEFAULT_BUNDLE and preferred is None))
    for cached in cached_bundles():
        found = _read_pulled(cached.folder)
        if found is not None:
            index, spec = found
            named, default = f"{cached.name}@{cached.version}", cached.folder == preferred
            listed.append(ListedModel(named, spec, PULLED, index.total_bytes, default=default))
    return listed


def models_in(address: str, endpoint: str | None = None) -> list[ListedModel]:
    """The models of a store, each version on its own, newest first.

    Raises:
        BundleError: the store cannot be read or holds none.
    """
    return [
        ListedModel(published.named, _published_spec(published), published.place, published.index.total_bytes)
        for published in all_published(address, endpoint)
    ]


def _published_spec(published: Published) -> BundleSpec:
    where = f"{published.where}/{SPEC_FILE}"
    try:
        data = read_small(published.storage, published.path_of(SPEC_FILE), INDEX_MAX_BYTES)
        return BundleSpec.model_validate_json(data)
    except ValidationError as error:
        raise BundleError(f"{where} is not a valid bundle description: {error.errors()[0]['msg']}") from None


def _read_pulled(folder: Path) -> tuple[BundleIndex, BundleSpec] | None:
    try:
        index = BundleIndex.from_json((folder / INDEX_FILE).read_bytes(), str(folder))
        return index, BundleSpec.model_validate_json((folder / SPEC_FILE).read_bytes())
    except (BundleError, OSError, ValidationError):
        return None
