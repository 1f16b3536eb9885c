"""A run's bundle as a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from madeby.detector.bundle import SPEC_FILE, Bundle
from madeby.errors import BundleError
from madeby.training.fit import bundle_of_best
from madeby.training.preparation import decode_parts, read_parts
from madeby.training.progress import Progress, Silent
from madeby.training.recipe_files import load_recipe
from madeby.training.run import RunFolder


def models_export(
    run: str | Path,
    output: str | Path,
    *,
    description: str | None = None,
    licence: str | None = None,
    progress: Progress | None = None,
) -> Bundle:
    """Copy a run's bundle to ``output``; an unfinished run's is first made from its best checkpoint so far.

    Args:
        run: the run's folder.
        output: the bundle's folder; an older bundle there is replaced.
        description: what `madeby models list` says of it; None keeps what the run's bundle says.
        licence: under which the model may be used, likewise.
        progress: who watches.

    Raises:
        BundleError: the folder holds no run, no epoch of it is done yet, or ``output`` holds something else.
        DataError: an unfinished run's manifest or pictures are gone.
    """
    folder = RunFolder(Path(run))
    if not folder.started:
        raise BundleError(f"{folder.path} is not a run's folder: give the -o of `madeby train`")
    output = Path(output)
    if output.exists() and not (output / SPEC_FILE).is_file() and (output.is_file() or any(output.iterdir())):
        raise BundleError(f"{output} exists and is not a bundle: choose another output folder")
    if not folder.finished:
        if not folder.best.is_file():
            raise BundleError(f"{folder.path} has no finished epoch to export: go on with `madeby train --resume`")
        recipe = load_recipe(folder.config)
        parts = read_parts(Path(str(folder.read_json(folder.manifest).get("path"))))
        watcher = progress or Silent()
        decoded = decode_parts(parts, recipe, progress=watcher.stage)
        bundle_of_best(folder, recipe, parts, decoded, watcher)
    bundle = Bundle.open(folder.bundle)
    try:
        output.mkdir(parents=True, exist_ok=True)
        for file in folder.bundle.iterdir():
            shutil.copyfile(file, output / file.name)
    except OSError as error:
        raise BundleError(f"{output} cannot be written: {error.strerror or error}") from None
    exported = Bundle(output, bundle.spec)
    said = {"description": description, "licence": licence}
    if changes := {name: text for name, text in said.items() if text is not None}:
        exported = Bundle(output, bundle.spec.model_copy(update=changes))
        exported.write_spec()
    return exported
