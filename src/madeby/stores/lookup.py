"""Finds the bundle that a person means: a name, a bundle's or a run's folder, or an address in a store."""

from __future__ import annotations

import difflib
import logging
from pathlib import Path

from madeby.detector.bundle import SPEC_FILE, Bundle
from madeby.errors import BundleError
from madeby.stores.builtin import DEFAULT_BUNDLE, builtin_folder, builtin_names, has_preferred

RUN_BUNDLE = "bundle"
"""Name of the folder in which a finished training run keeps its bundle."""

_log = logging.getLogger("madeby")


def open_bundle(model: str | Path | None = None) -> Bundle:
    """Open and verify a bundle.

    Args:
        model: a built-in bundle's name, a pulled one's (``name`` for its newest version, or ``name@version``), a
            bundle folder, a run folder, or the URL of a bundle in a store, which is pulled first; None for the
            preferred bundle if it was pulled, else the default one.

    Raises:
        BundleError: nothing of that name or address is a sound bundle.
    """
    if model is None:
        return _open_default()
    builtin = builtin_folder(str(model))
    if builtin is not None:
        return Bundle.open(builtin)
    if isinstance(model, str):
        if "://" in model:
            return _open_url(model)
        pulled = _open_pulled(model)
        if pulled is not None:
            return pulled
    folder = Path(model)
    if (folder / RUN_BUNDLE / SPEC_FILE).is_file():
        return Bundle.open(folder / RUN_BUNDLE)
    if folder.is_dir():
        return Bundle.open(folder)
    if folder.exists():
        raise BundleError(f"{folder} is a file; name the bundle's folder")
    raise _unknown(str(model))


def _open_default() -> Bundle:
    """The preferred bundle if it was pulled, else the built-in one."""
    if has_preferred():
        from madeby.stores.cache import open_cached, passed_over, preferred_folder

        preferred = preferred_folder()
        if preferred is not None:
            try:
                return open_cached(preferred)
            except (BundleError, OSError) as error:
                raise BundleError(f"{error}; mend it with: madeby models pull {preferred.parent.name}") from None
        other = passed_over()
        if other is not None:
            _log.warning(
                "the pulled %s %s is not the one this release knows, so %s answers: `madeby models pull %s` brings "
                "that one, --model %s takes the pulled one",
                *(other.name, other.version, DEFAULT_BUNDLE, other.name, other.name),
            )
    folder = builtin_folder(DEFAULT_BUNDLE)
    if folder is None:
        raise BundleError(f"this installation lacks its model {DEFAULT_BUNDLE}: install madeby again")
    return Bundle.open(folder)


def _open_pulled(model: str) -> Bundle | None:
    """A bundle in the cache, or the built-in one whose version is named; None where there is none of that name."""
    from madeby.stores.cache import cached_bundles, open_cached
    from madeby.stores.versions import is_name, split_version

    name, version = split_version(model)
    if not is_name(name):
        return None
    for cached in cached_bundles(name):
        if version in (None, cached.version):
            try:
                return open_cached(cached.folder)
            except (BundleError, OSError) as error:
                raise BundleError(f"{error}; mend it with: madeby models pull {name}@{cached.version}") from None
    builtin = builtin_folder(name)
    bundle = Bundle.open(builtin) if builtin is not None else None
    return bundle if bundle is not None and bundle.spec.version == version else None


def _open_url(url: str) -> Bundle:
    """The bundle at an address: the store is asked, unless the address names a version that is here already."""
    from madeby.stores.cache import open_cached, origin_of
    from madeby.stores.home import home
    from madeby.stores.pull import pull
    from madeby.stores.storage import UnreachableError

    known = origin_of(url)
    if known is not None and known[0].fixed:
        try:
            return open_cached(known[1])
        except (BundleError, OSError):
            _log.warning("%s is damaged and is pulled again", known[1])
    try:
        return pull(url)
    except UnreachableError as error:
        if known is None:
            raise BundleError(
                f"{error}. The model is not in the cache ({home()}) either: pull it once while the store can be "
                f"reached, and it is there from then on"
            ) from None
        origin, folder = known
        _log.warning("%s; going on with %s %s from the cache", error, origin.name, origin.version)
        return open_cached(folder)


def _unknown(model: str) -> BundleError:
    from madeby.stores.cache import cached_bundles
    from madeby.stores.versions import split_version

    pulled = sorted({f"{each.name}@{each.version}" for each in cached_bundles()})
    names = [*builtin_names(), *pulled, *(name.partition("@")[0] for name in pulled)]
    near = difflib.get_close_matches(split_version(model)[0] if "@" not in model else model, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    here = f"; pulled: {', '.join(pulled)}" if pulled else ""
    return BundleError(
        f"no model is called {model!r} and no such folder exists; "
        f"{hint}built-in models: {', '.join(builtin_names()) or 'none'}{here}"
    )
