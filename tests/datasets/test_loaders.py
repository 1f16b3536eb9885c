import shutil

import polars as pl
import pytest

from madeby.datasets.importing import data_import
from madeby.datasets.loaders import LoaderOptions, loader_entry, loader_names
from madeby.datasets.loaders.registry import LISTED
from madeby.datasets.manifest import COLUMNS, PUBLISHED, read_manifest
from madeby.datasets.names import label_of, parse_label_choices, split_of
from madeby.errors import DataError
from madeby.schema import Label


def class_folders(save, root):
    for label in ("REAL", "FAKE"):
        for number in range(6):
            save(f"set/{label}/{number}.png", 24, 16, seed=number + 10 * (label == "FAKE"))
    return root / "set"


def a_table(save, root):
    lines = ["file_name,label"]
    for number in range(12):
        save(f"set/pictures/{number}.jpg", 24, 16, seed=number)
        lines.append(f"pictures/{number}.jpg,{number % 2}")
    (root / "set" / "train.csv").write_text("\n".join(lines))
    return root / "set" / "train.csv"


def cifake(save, root):
    for at, (split, label) in enumerate([(s, n) for s in ("train", "test") for n in ("REAL", "FAKE")]):
        for number in range(6):
            suffix = "" if number == 0 else f" ({number + 1})"
            save(f"set/{split}/{label}/0012{suffix}.jpg", 32, 32, seed=100 * at + number)
    return root / "set"


def kaggle_ai_vs_human(save, root):
    lines = [",file_name,label"]
    for number in range(12):
        save(f"set/train_data/{number}.jpg", 24, 16, seed=number)
        lines.append(f"{number},train_data/{number}.jpg,{number % 2}")
    (root / "set" / "train.csv").write_text("\n".join(lines))
    (root / "set" / "test.csv").write_text("id\ntest_data_v2/0.jpg\n")
    return root / "set"


EXAMPLES = {maker.__name__: maker for maker in (cifake, kaggle_ai_vs_human)} | {
    "folders": class_folders,
    "table": a_table,
}
"""A small data set of each layout, with both labels; a new loader adds its own here."""


@pytest.mark.parametrize("name", loader_names())
def test_every_loader_lists_and_imports(name, save_picture, tmp_path):
    path = EXAMPLES[name](save_picture, tmp_path)
    listing = loader_entry(name).load(path).table
    assert list(listing.schema.items())[: len(LISTED)] == list(LISTED.items())
    before = sorted(tmp_path.rglob("*"))
    summary = data_import(name, path, output=tmp_path / "m.parquet")
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "m.parquet"])
    table = read_manifest(tmp_path / "m.parquet")
    assert list(table.schema.items())[: len(COLUMNS)] == list(COLUMNS.items())
    assert len(table) == summary.counts.total == len(listing)
    assert summary.counts.human == summary.counts.ai
    assert {split.split for split in summary.counts.splits} == {"train", "val", "test"}
    required = ("path", "label", "split", "width", "height", "format", "bytes", "sha256", "perceptual_hash")
    assert table.select(required).null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize("name", loader_names())
def test_every_loader_refuses_what_is_not_its_data_set(name, tmp_path, monkeypatch):
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "no cache"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        loader_entry(name).load(tmp_path / "empty")
    (tmp_path / "file.bin").write_bytes(b"\0\1\2")
    with pytest.raises(DataError):
        loader_entry(name).load(tmp_path / "file.bin")


def test_an_unknown_loader_or_an_option_of_another_is_refused(tmp_path):
    with pytest.raises(DataError, match="no loader is called 'folder'; did you mean 'folders'"):
        loader_entry("folder")
    with pytest.raises(DataError, match="the loader folders does not take --path-column"):
        loader_entry("folders").load(tmp_path, LoaderOptions(path_column="x"))


def listed(path, *labels, loader="folders", **options):
    table = loader_entry(loader).load(path, LoaderOptions(parse_label_choices(labels), **options)).table
    return {
        row["path"].removeprefix(f"{path.resolve()}/"): (row["label"], row["split"], row["collection"])
        for row in table.iter_rows(named=True)
    }


@pytest.mark.parametrize(
    ("human", "ai"),
    [
        ("REAL", "FAKE"),
        ("0", "1"),
        ("human", "ai"),
        ("real", "fake"),
        ("nature", "ai"),
        ("0_real", "1_fake"),
        ("Real Images", "AI-generated images"),
        ("photos", "synthetic"),
    ],
)
def test_class_folders_in_their_usual_spellings(human, ai, save_picture, tmp_path):
    save_picture(f"set/{human}/a.png")
    save_picture(f"set/{ai}/b.png")
    assert listed(tmp_path / "set") == {
        f"{human}/a.png": ("human", None, None),
        f"{ai}/b.png": ("ai", None, None),
    }


def test_published_split_folders_above_or_below_the_class_folders(save_picture, tmp_path):
    for name in ("train/REAL/a.png", "Validation/FAKE/b.png", "FAKE/test/c.png", "real/valid/d.png"):
        save_picture(f"set/{name}")
    splits = {name: split for name, (_, split, _) in listed(tmp_path / "set").items()}
    assert splits == {
        "train/REAL/a.png": "train",
        "Validation/FAKE/b.png": "val",
        "FAKE/test/c.png": "test",
        "real/valid/d.png": "val",
    }


def test_folders_above_name_the_collection_and_numbers_below_are_shards(save_picture, tmp_path):
    save_picture("set/progan/cat/0_real/a.png")
    save_picture("set/glide/train/ai/1/b.png")
    save_picture("set/glide/train/nature/0/c.png")
    assert listed(tmp_path / "set") == {
        "progan/cat/0_real/a.png": ("human", None, "progan/cat"),
        "glide/train/ai/1/b.png": ("ai", "train", "glide"),
        "glide/train/nature/0/c.png": ("human", "train", "glide"),
    }


def test_unknown_folders_are_listed_with_the_flag_that_helps(save_picture, tmp_path):
    for name in ("cats/a.png", "flux/b.png", "flux/c.png", "real/d.png", "masks/e.png"):
        save_picture(f"set/{name}")
    with pytest.raises(DataError, match=r"cats \(1\), flux \(2\), masks \(1\); .*--label 'cats'=human, =ai or =skip"):
        listed(tmp_path / "set")
    found = listed(tmp_path / "set", "cats=human", "FLUX=ai", "masks=skip")
    assert {name: label for name, (label, _, _) in found.items()} == {
        "cats/a.png": "human",
        "flux/b.png": "ai",
        "flux/c.png": "ai",
        "real/d.png": "human",
    }
    with pytest.raises(DataError, match=r"'fluxx', which is not in .*did you mean 'flux'"):
        listed(tmp_path / "set", "fluxx=ai")


def test_contradicting_folders_and_loose_pictures_are_refused(save_picture, tmp_path):
    save_picture("set/real/fake/a.png")
    with pytest.raises(DataError, match="real/fake"):
        listed(tmp_path / "set")
    save_picture("loose/a.png")
    with pytest.raises(DataError, match=r"the folder itself.*sort them into folders called human and ai"):
        listed(tmp_path / "loose")


def test_other_files_hidden_files_and_link_loops_are_passed_over(save_picture, tmp_path):
    save_picture("set/real/a.png")
    save_picture("set/__MACOSX/real/a.png")
    save_picture("set/real/.hidden.png")
    (tmp_path / "set" / "real" / "notes.txt").write_text("not a picture")
    (tmp_path / "set" / "real" / "loop").symlink_to(tmp_path / "set")
    assert list(listed(tmp_path / "set")) == ["real/a.png"]


@pytest.mark.parametrize("pair", ["cats", "cats=dog", "=ai", ""])
def test_labels_of_another_form_are_refused(pair):
    with pytest.raises(DataError, match="write NAME=human, NAME=ai or NAME=skip"):
        parse_label_choices([pair])


def test_names_are_understood_in_any_case_and_only_when_they_are_clear():
    assert [label_of(name) for name in ("Fake", " AI ", "1", "1.0")] == [Label.AI] * 4
    assert [label_of(name) for name in ("REAL", "Human", "0", "0.0")] == [Label.HUMAN] * 4
    assert [label_of(name) for name in ("", "images", "2", "cat", "10", "true")] == [None] * 6
    assert [split_of(name) for name in ("Training", "VALID", "test", "other")] == ["train", "val", "test", None]


def write_table(path, columns):
    table = pl.DataFrame(columns)
    if path.suffix == ".parquet":
        table.write_parquet(path)
    else:
        table.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet"])
@pytest.mark.parametrize(
    ("values", "choices"),
    [
        ([0, 1], ()),
        ([0.0, 1.0], ()),
        (["real", "fake"], ()),
        (["Human", "AI"], ()),
        ([False, True], ("true=ai", "false=human")),
    ],
)
def test_tables_in_every_format_and_coding(name, values, choices, save_picture, tmp_path):
    save_picture("a.png"), save_picture("b.png")
    table = write_table(tmp_path / name, {"Filename": ["a.png", str(tmp_path / "b.png")], "Class": values})
    result = loader_entry("table").load(table, LoaderOptions(parse_label_choices(choices))).table
    assert result["path"].to_list() == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert result["label"].to_list() == ["human", "ai"]


def test_a_table_carries_what_it_knows_and_other_columns_as_extras(save_picture, tmp_path):
    save_picture("a.png")
    columns = {
        "path": ["a.png", "gone.png", None],
        "label": ["ai", "human", "human"],
        "split": ["validation", None, None],
        "generator": ["flux", None, None],
        "group": [7, 8, 9],
        "kind": ["photo", "art", "art"],
        "width": [9999, 1, 1],
        "sha256": ["wrong", "", ""],
    }
    table = write_table(tmp_path / "t.parquet", columns)
    listing = loader_entry("table").load(table)
    assert listing.table.columns == [*LISTED, "kind"]
    assert listing.table.row(0)[1:] == ("ai", "val", "flux", None, "7", "photo")
    assert listing.notes == ("left out 1 rows of t.parquet without a path",)
    data_import("table", table, output=tmp_path / "m.parquet", validation=0)
    manifest = read_manifest(tmp_path / "m.parquet")
    assert manifest["width"].to_list() == [64, None]
    assert manifest["problem"].to_list() == [None, "not_found: no such file"]
    assert manifest[PUBLISHED].to_list() == ["val", None]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"picture_id": ["a"], "label": [1]}, {}, "holds the path; it has picture_id, label: use --path-column"),
        ({"path": ["a"], "made_by": [1]}, {}, "holds the label; .*use --label-column"),
        ({"path": ["a"], "label": [1]}, {"path_column": "file"}, "no column 'file'; it has path, label"),
        ({"path": ["a"], "label": ["cat"]}, {}, "unknown label in column label of t.csv: 'cat'; use --label"),
        ({"path": ["a"], "label": [2]}, {}, "unknown label .*'2'"),
        ({"path": ["a", "b"], "label": [1, None]}, {}, "1 rows of t.csv have no label"),
        ({"path": ["a"], "label": [1], "split": ["fold 3"]}, {}, "unknown split in t.csv: 'fold 3'"),
        ({"path": ["gone.png"], "label": [1]}, {}, "none of the 1 pictures .*gone.png: say with --root"),
    ],
)
def test_tables_that_are_not_understood_say_which_flag_helps(columns, options, message, save_picture, tmp_path):
    save_picture("a.png").rename(tmp_path / "a")
    table = write_table(tmp_path / "t.csv", columns)
    with pytest.raises(DataError, match=message):
        loader_entry("table").load(table, LoaderOptions(**options))


def test_root_and_columns_can_be_given(save_picture, tmp_path):
    save_picture("elsewhere/a.png")
    table = write_table(tmp_path / "t.csv", {"picture_id": ["a.png"], "made_by": ["robot"]})
    found = listed(
        table, "robot=ai", loader="table", root=tmp_path / "elsewhere", path_column="picture_id", label_column="made_by"
    )
    assert found == {str(tmp_path / "elsewhere" / "a.png"): ("ai", None, None)}


def test_cifake_names_carry_the_class_and_fakes_their_generator(save_picture, tmp_path):
    root = cifake(save_picture, tmp_path)
    table = loader_entry("cifake").load(root).table
    classes = dict(
        table.filter(pl.col("split") == "test", pl.col("label") == "ai").select("path", "cifar_class").rows()
    )
    assert {path.rpartition("/")[2]: name for path, name in classes.items()} == {
        "0012.jpg": "airplane",
        "0012 (2).jpg": "automobile",
        "0012 (3).jpg": "bird",
        "0012 (4).jpg": "cat",
        "0012 (5).jpg": "deer",
        "0012 (6).jpg": "dog",
    }
    assert set(table.select("label", "generator").rows()) == {("human", None), ("ai", "Stable Diffusion 1.4")}
    shutil.rmtree(root / "test" / "FAKE")
    with pytest.raises(DataError, match="there is no folder test/FAKE"):
        loader_entry("cifake").load(root)
