"""A run's bundle as a folder of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from madeby.detector.bundle import CARD_FILE, MEMORY_FILE, NAME_PATTERN, SPEC_FILE, Bundle
from madeby.errors import BundleError, RecipeError
from madeby.training.fit import bundle_of_best
from madeby.training.preparation import ManifestParts, decode_parts, read_parts
from madeby.training.progress import Progress, Silent
from madeby.training.recipe_files import load_recipe
from madeby.training.run import RunFolder


def models_export(
    run: str | Path,
    output: str | Path,
    *,
    crops: int | None = None,
    name: str | None = None,
    description: str | None = None,
    licence: str | None = None,
    version: str | None = None,
    progress: Progress | None = None,
) -> Bundle:
    """Copy a run's bundle to ``output``; an unfinished run's is first made from its best checkpoint so far.

    With ``crops`` the bundle is made anew, to look at that many squares of each picture: fewer are quicker, more see
    more. Probabilities and thresholds are calibrated for it on the run's validation pictures, which must be there.

    Args:
        run: the run's folder.
        output: the bundle's folder; an older bundle there is replaced.
        crops: native-resolution squares a picture when answering, 1 to 64; None keeps the run's.
        name: what the bundle is called; None keeps what the run's bundle says.
        description: what `madeby models list` says of it, likewise.
        licence: under which the model may be used, likewise.
        version: of the bundle, likewise; 0.1.0 at first.
        progress: who watches.

    Raises:
        BundleError: the folder holds no run, no epoch of it is done yet, ``output`` holds something else, or ``name``
            is none for a bundle.
        DataError: the manifest or the pictures are needed and gone.
        RecipeError: the run's network takes whole pictures, of which there are no squares, or was adapted.
    """
    folder = RunFolder(Path(run))
    if not (folder.started or folder.adapted):
        raise BundleError(f"{folder.path} is not a run's folder: give the -o of `madeby train`")
    if name is not None and not re.fullmatch(NAME_PATTERN, name):
        raise BundleError(
            f"{name!r} names no bundle: use letters, digits, '.', '_' and '-', the first a letter or digit"
        )
    output = Path(output)
    if output.exists() and not (output / SPEC_FILE).is_file() and (output.is_file() or any(output.iterdir())):
        raise BundleError(f"{output} exists and is not a bundle: choose another output folder")
    if crops is not None and folder.adapted:
        raise RecipeError(f"{folder.path}: an adapted model looks at as many squares as before; leave --crops out")
    if crops is not None:
        bundle = _with_crops(folder, crops, output, progress or Silent())
    else:
        if not (folder.finished or folder.adapted):
            _finish(folder, progress or Silent())
        bundle = Bundle.open(folder.bundle)
        bundle.verified_memory()  # before an older bundle is written over
        try:
            output.mkdir(parents=True, exist_ok=True)
            for file in folder.bundle.iterdir():
                shutil.copyfile(file, output / file.name)
        except OSError as error:
            raise BundleError(f"{output} cannot be written: {error.strerror or error}") from None
    exported = Bundle(output, bundle.spec)
    if not bundle.spec.memory_sha256:
        (output / MEMORY_FILE).unlink(missing_ok=True)  # that of an older bundle there
    said = {"name": name, "description": description, "licence": licence, "version": version}
    if changes := {field: text for field, text in said.items() if text is not None}:
        exported = Bundle(output, bundle.spec.model_copy(update=changes))
        exported.write_spec()
        _retitle(exported, f"# {bundle.spec.name} {bundle.spec.version}\n")
    return exported


def _retitle(bundle: Bundle, title: str) -> None:
    """Let the card's first line name the version that the bundle has now."""
    if bundle.card.startswith(title):
        rest = bundle.card.removeprefix(title)
        (bundle.folder / CARD_FILE).write_text(f"# {bundle.spec.name} {bundle.spec.version}\n{rest}", encoding="utf-8")


def _finish(run: RunFolder, progress: Progress) -> None:
    """Make the bundle of a run that was interrupted."""
    recipe = load_recipe(run.config)
    parts = _parts(run)
    bundle_of_best(run, recipe, parts, decode_parts(parts, recipe, progress=progress.stage), progress)


def _with_crops(run: RunFolder, crops: int, output: Path, progress: Progress) -> Bundle:
    """Make a bundle in ``output`` that looks at another number of squares."""
    recipe = load_recipe(run.config)
    if recipe.view != "crops":
        raise RecipeError(f"{run.path}: its network looks at whole pictures (view: {recipe.view}); leave --crops out")
    recipe = load_recipe(run.config, {"crops": crops})
    parts = _parts(run)
    decoded = decode_parts(parts, recipe, progress=progress.stage)
    return bundle_of_best(run, recipe, parts, decoded, progress, folder=output).bundle


def _parts(run: RunFolder) -> ManifestParts:
    if not run.best.is_file():
        raise BundleError(f"{run.path} has no finished epoch to export: go on with `madeby train --resume`")
    return read_parts(Path(str(run.read_json(run.manifest).get("path"))))
