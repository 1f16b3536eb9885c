"""Verbs about models: list, show, pull, push, and which is newest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from madeby.detector.bundle import Bundle, BundleSpec
    from madeby.stores.listing import ListedModel
    from madeby.stores.published import PublishedModel
    from madeby.stores.push import PushedModel


@dataclass(frozen=True)
class ShownModel:
    """A bundle's description, its card (Markdown) and where it lies."""

    spec: BundleSpec
    card: str
    folder: Path


def models_list(url: str | None = None, *, endpoint: str | None = None) -> list[ListedModel]:
    """The models at hand, built-in and pulled, or those of the store at ``url``.

    Args:
        url: a store: a folder, ``https://``, ``s3://bucket/prefix`` or another URL that fsspec knows.
        endpoint: address of the S3 service, for those that are not AWS.

    Raises:
        BundleError: the store cannot be read or holds no models.
        MissingExtraError: what reads such URLs is not installed.
    """
    from madeby.stores.listing import models_here, models_in

    return models_here() if url is None else models_in(url, endpoint)


def models_pull(
    model: str, *, endpoint: str | None = None, progress: Callable[[int, int], None] | None = None
) -> Bundle:
    """Fetch a model from a store into the local cache, verified, and open it; nothing is fetched twice.

    Args:
        model: the address of a model (its newest version) or of one version in a store, ``.../name@version`` too;
            or the name of a model that the package knows where to get, or that was pulled before.
        endpoint: address of the S3 service, for those that are not AWS.
        progress: called with (bytes that are here, their count).

    Raises:
        BundleError: there is no such model, or it is damaged; the message names the file.
        MissingExtraError: what reads such URLs is not installed.
    """
    from madeby.stores.pull import pull

    return pull(model, endpoint=endpoint, progress=progress)


def models_push(
    model: str | Path,
    url: str,
    *,
    version: str | None = None,
    endpoint: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PushedModel:
    """Publish a model in a store, as ``NAME/VERSION/`` below its address.

    Args:
        model: anything that :func:`scan` takes as its model.
        url: the store: a folder, ``s3://bucket/prefix`` or another URL that fsspec can write to.
        version: publish it as this version, instead of the bundle's own.
        endpoint: address of the S3 service, for those that are not AWS.
        progress: called with (bytes written, their count).

    Raises:
        BundleError: the store cannot be written, or holds another bundle of this name and version.
        MissingExtraError: what reads such URLs is not installed.
    """
    from madeby.stores import open_bundle
    from madeby.stores.push import push

    return push(open_bundle(model), url, version=version, endpoint=endpoint, progress=progress)


def models_newest(url: str, *, endpoint: str | None = None) -> PublishedModel:
    """Which bundle an address in a store leads to now; nothing is fetched but its index.

    Raises:
        BundleError: the store cannot be read or holds no such model.
        MissingExtraError: what reads such URLs is not installed.
    """
    from madeby.stores.published import find_published

    return find_published(url, endpoint).summary


def models_show(model: str | Path) -> ShownModel:
    """A model's description and card.

    Raises:
        BundleError: the model cannot be found.
    """
    from madeby.stores import open_bundle

    bundle = open_bundle(model)
    return ShownModel(bundle.spec, bundle.card, bundle.folder)
