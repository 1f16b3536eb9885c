"""Archives, shards and tables give their pictures one at a time, whatever is wrong with them."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import pickle
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.limits import Limits
from madeby.pictures.sources import SourceUnit, expand

PNG = b"\x89PNG\r\n\x1a\n and so on"
JPEG = b"\xff\xd8\xff\xe0 and so on"


def units(*sources, **options) -> list[SourceUnit]:
    return list(expand([str(source) for source in sources], **options))


def told(found: list[SourceUnit], root) -> list[tuple[str, bytes | ErrorCode | None]]:
    """Name below the root, and the data or the code of what went wrong."""
    return [(unit.name.removeprefix(f"{root}/"), unit.problem.code if unit.problem else unit.data) for unit in found]


def write_zip(path: Path, members: dict[str, bytes], **options) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tar_bytes(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            info = data if isinstance(data, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(data, bytes):
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data) if isinstance(data, bytes) else None)
    return file.getvalue()


def write_tar(path: Path, members) -> Path:
    path.write_bytes(tar_bytes(members))
    return path


MIXED = {
    "b.png": PNG,
    "notes.txt": b"no",
    "deep/a.JPG": JPEG,
    ".hidden.png": PNG,
    "__MACOSX/b.png": b"no",
    "data.json": b"{}",
}


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".TAR.GZ"])
def test_an_archive_gives_its_pictures_in_its_own_order(tmp_path, suffix):
    path = tmp_path / f"album{suffix}"
    if suffix == ".zip":
        write_zip(path, MIXED)
    else:
        packed = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": pa.Codec("zstd").compress}
        kind = suffix.lower().rpartition(".")[2].replace("tgz", "gz")
        data = tar_bytes(MIXED)
        path.write_bytes(bytes(packed[kind](data)) if kind in packed else data)
    assert told(units(path), tmp_path) == [(f"{path.name}/b.png", PNG), (f"{path.name}/deep/a.JPG", JPEG)]


def test_a_picture_or_folder_inside_an_archive_is_a_source_too(tmp_path):
    for path in (write_zip(tmp_path / "a.zip", MIXED), write_tar(tmp_path / "a.tar", MIXED)):
        assert [unit.data for unit in units(path / "deep")] == [JPEG]
        assert [unit.data for unit in units(path / "deep" / "a.JPG")] == [JPEG]
        assert [unit.data for unit in units(path / "notes.txt")] == [b"no"]
        (missing,) = units(path / "none.png")
        assert missing.problem.code is ErrorCode.NOT_FOUND


def test_shards_are_named_by_patterns_braces_and_lists(tmp_path):
    for number in range(3):
        write_tar(tmp_path / f"shard-{number:03}.tar", {f"{number}.png": PNG, f"{number}.cls": b"1"})
    expected = [(f"shard-{number:03}.tar/{number}.png", PNG) for number in range(3)]
    assert told(units(tmp_path / "shard-*.tar"), tmp_path) == expected
    assert told(units(tmp_path / "shard-{000..002}.tar"), tmp_path) == expected
    assert told(units(tmp_path / "shard-{000,001,002}.tar"), tmp_path) == expected
    (tmp_path / "shards.txt").write_text(f"{tmp_path}/shard-{{000..001}}.tar\n\n{tmp_path}/shard-002.tar\n")
    assert told(units(f"@{tmp_path}/shards.txt"), tmp_path) == expected
    missing = told(units(tmp_path / "shard-{003..004}.tar"), tmp_path)
    assert missing == [(f"shard-00{number}.tar", ErrorCode.NOT_FOUND) for number in (3, 4)]


def test_braces_stand_for_addresses_too_and_are_not_written_out_first():
    names = (unit.name for unit in expand(["https://example.org/{8..10}-{a,b}.jpg", "x{000000..999999999}"]))
    assert list(itertools.islice(names, 7)) == [
        *(f"https://example.org/{number}-{letter}.jpg" for number in (8, 9, 10) for letter in "ab"),
        "x000000",
    ]


def test_braces_that_mean_nothing_are_part_of_the_name():
    for name in ("{1..2}" * 3000, "{0.." + "9" * 5000 + "}", "{}", "{a}", "{1..}", "a{b"):
        assert [unit.name for unit in expand([name])] == [name]


def test_a_list_that_is_not_there_and_a_file_that_is_called_like_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (missing,) = units("@none.txt")
    assert (missing.name, missing.problem.code) == ("@none.txt", ErrorCode.NOT_FOUND)
    Path("@odd.png").write_bytes(PNG)
    assert [unit.name for unit in units("@odd.png")] == ["@odd.png"]


def test_names_that_lead_out_of_an_archive_stay_in_it_and_nothing_is_written(tmp_path):
    names = ["../../up.png", "/etc/root.png", "a/../../b.png", "./c.png"]
    members = dict.fromkeys(names, PNG)
    (tmp_path / "in").mkdir()
    for path in (write_zip(tmp_path / "in" / "x.zip", members), write_tar(tmp_path / "in" / "x.tar", members)):
        inner = [unit.name.removeprefix(f"{path}/") for unit in units(path)]
        assert inner == ["up.png", "etc/root.png", "a/b.png", "c.png"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["x.tar", "x.zip"]


def test_an_encrypted_member_is_answered_for_and_stops_nothing(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.png": PNG, "b.png": PNG})
    data = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 1
    path.write_bytes(data)
    assert told(units(path), tmp_path) == [("a.zip/a.png", ErrorCode.UNREADABLE), ("a.zip/b.png", PNG)]


def test_a_damaged_member_of_a_zip_leaves_the_others_readable(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.png": PNG * 9, "b.png": PNG}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    data[data.index(b"a.png") + 12] ^= 0xFF
    path.write_bytes(data)
    first, second = units(path)
    assert first.problem.code is ErrorCode.UNREADABLE
    assert second.data == PNG


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst"])
def test_a_cut_archive_gives_what_is_whole_and_says_that_it_is_cut(tmp_path, suffix):
    noise = b"".join(struct.pack("<I", number * 2654435761 % 2**32) for number in range(5000))
    members = {f"{number}.png": PNG + noise for number in range(6)}
    packed = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": pa.Codec("zstd").compress}
    path = tmp_path / f"a{suffix}"
    if suffix == ".zip":
        write_zip(path, members)
    else:
        data = tar_bytes(members)
        path.write_bytes(bytes(packed[path.suffix](data)) if path.suffix in packed else data)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    *whole, last = units(path)
    assert (last.name, last.problem.code) == (str(path), ErrorCode.UNREADABLE)
    assert all(unit.data == members[Path(unit.name).name] for unit in whole)
    assert len(whole) >= (2 if suffix == ".tar" else 0)


@pytest.mark.parametrize("cut", [0, 512, 1024, 1025, 1536, 2047, 2048])
def test_no_cut_of_a_tar_goes_unnoticed(tmp_path, cut):
    (tmp_path / "a.tar").write_bytes(tar_bytes({"a.png": PNG, "b.png": PNG})[:cut])
    assert units(tmp_path / "a.tar")[-1].problem.code is ErrorCode.UNREADABLE


def test_a_tar_damaged_in_its_middle_says_so(tmp_path):
    data = bytearray(tar_bytes({"a.png": PNG, "b.png": PNG, "c.png": PNG}))
    data[1024:1030] = b"\xff" * 6
    (tmp_path / "a.tar").write_bytes(data)
    first, last = units(tmp_path / "a.tar")
    assert first.data == PNG
    assert last.problem.code is ErrorCode.UNREADABLE


def test_links_and_devices_in_a_tar_are_not_followed(tmp_path):
    link, device = tarfile.TarInfo("link.png"), tarfile.TarInfo("device.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device.type = tarfile.CHRTYPE
    path = write_tar(tmp_path / "a.tar", {"1": link, "2": device, "a.png": PNG})
    codes = [unit.problem.code if unit.problem else unit.data for unit in units(path)]
    assert codes == [ErrorCode.UNSUPPORTED, ErrorCode.UNSUPPORTED, PNG]


def test_bombs_are_refused_without_being_unpacked(tmp_path):
    big = b"\0" * (64 << 20)
    path = write_zip(
        tmp_path / "a.zip",
        {"claims.png": PNG + big, "no picture.png": big, "a.png": PNG},
        compression=zipfile.ZIP_DEFLATED,
    )
    lying = bytearray(path.read_bytes())
    at = lying.index(b"PK\x01\x02")
    lying[at + 24 : at + 28] = struct.pack("<I", 10)  # the directory says that the first has 10 bytes
    lied = tmp_path / "lies.zip"
    lied.write_bytes(lying)
    long_name = tarfile.TarInfo("x" * (8 << 20) + ".png")
    names = io.BytesIO()
    with tarfile.open(fileobj=names, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(long_name)
    (tmp_path / "names.tar.gz").write_bytes(gzip.compress(names.getvalue()))
    del big, names
    tracemalloc.start()
    limits = Limits(max_bytes=1 << 20)
    claims, no_picture, good = units(path, limits=limits)
    assert claims.problem.code is ErrorCode.TOO_LARGE
    assert no_picture.problem.code is ErrorCode.TOO_LARGE
    assert good.data == PNG
    assert units(lied, limits=limits)[0].problem is not None
    (refused,) = units(tmp_path / "names.tar.gz", limits=limits)
    assert refused.problem.code is ErrorCode.UNREADABLE
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_an_archive_without_pictures_is_answered_for(tmp_path):
    for path in (write_zip(tmp_path / "a.zip", {"a.txt": b"x"}), write_tar(tmp_path / "a.tar", {"a.txt": b"x"})):
        assert told(units(path), tmp_path) == [(path.name, ErrorCode.NOT_FOUND)]
    (tmp_path / "b.zip").write_bytes(PNG)
    (tmp_path / "b.tar").write_bytes(PNG)
    assert [unit.problem.code for unit in units(tmp_path / "b.zip", tmp_path / "b.tar")] == [ErrorCode.UNREADABLE] * 2
    (missing,) = units(tmp_path / "none.zip")
    assert missing.problem.code is ErrorCode.NOT_FOUND


def test_a_tar_is_drawn_from_as_it_is_needed(tmp_path):
    data = tar_bytes({f"{number}.png": PNG * 1000 for number in range(200)})
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    stream = expand([str(path)])
    assert next(stream).name.endswith("0.png")
    path.write_bytes(data[:512])  # the rest of it has not been asked for
    stream.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["a.zip", "a.tar"]), at=st.integers(0, 4000), mask=st.integers(1, 255))
def test_no_flipped_bits_in_an_archive_raise(tmp_path, kind, at, mask):
    path = tmp_path / kind
    members = {"a.png": PNG, "b.png": PNG}
    data = bytearray(write_zip(path, members).read_bytes() if kind == "a.zip" else tar_bytes(members))
    data[at % len(data)] ^= mask
    path.write_bytes(data)
    found = units(path)
    assert found
    assert all(unit.problem or unit.data is not None for unit in found)


TABLE = {"path": ["a.png", "deep/b.png", None, "https://example.org/c.png"], "label": [0, 1, 0, 1]}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_names_pictures_from_its_own_folder_on(tmp_path, suffix):
    path = tmp_path / f"list{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table(TABLE), path)
    else:
        separator = "," if suffix == ".csv" else "\t"
        rows = [list(TABLE), *zip(*TABLE.values(), strict=True)]
        path.write_text("".join(separator.join(str(cell or "") for cell in row) + "\n" for row in rows))
    assert told(units(path), tmp_path) == [
        ("a.png", None),
        ("deep/b.png", None),
        (f"{path.name}#2", ErrorCode.NOT_FOUND),
        ("https://example.org/c.png", None),
    ]


def test_pictures_in_the_cells_of_a_parquet_table_are_called_after_their_rows(tmp_path):
    plain, hub = tmp_path / "plain.parquet", tmp_path / "hub.parquet"
    pq.write_table(pa.table({"picture": [PNG, JPEG], "path": ["x", "y"]}), plain)
    pq.write_table(pa.table({"image": [{"bytes": PNG, "path": "x.png"}, {"bytes": None, "path": "y.png"}]}), hub)
    assert told(units(plain, hub), tmp_path) == [
        ("plain.parquet#0", PNG),
        ("plain.parquet#1", JPEG),
        ("hub.parquet#0", PNG),
        ("y.png", None),
    ]
    assert told(units(plain, limits=Limits(max_bytes=3)), tmp_path)[0][1] is ErrorCode.TOO_LARGE


def test_the_column_is_found_only_where_one_can_be_meant(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("url,image_path,note\nhttps://example.org/a.png,a.png,b.png\n")
    (refused,) = units(path)
    assert refused.problem.code is ErrorCode.UNSUPPORTED
    assert "--column" in refused.problem.message
    assert told(units(path, column="note"), tmp_path) == [("b.png", None)]
    (wrong,) = units(path, column="none")
    assert "url, image_path, note" in wrong.problem.message
    (tmp_path / "one.csv").write_text("anything\na.png\n")
    assert told(units(tmp_path / "one.csv"), tmp_path) == [("a.png", None)]


def test_what_is_no_table_is_answered_for(tmp_path):
    (tmp_path / "a.parquet").write_bytes(PNG)
    (tmp_path / "b.csv").write_bytes(b"")
    (tmp_path / "c.csv").write_bytes(b"path\n")
    pq.write_table(pa.table({"path": [1, 2]}), tmp_path / "d.parquet")
    found = units(*(tmp_path / name for name in ("a.parquet", "b.csv", "c.csv", "d.parquet")))
    assert [unit.problem.code for unit in found] == [
        ErrorCode.UNREADABLE,
        ErrorCode.UNSUPPORTED,
        ErrorCode.NOT_FOUND,
        ErrorCode.UNSUPPORTED,
    ]


def test_a_unit_is_plain_data_that_can_travel():
    broken = SourceUnit.broken("x", ErrorCode.TIMEOUT, "late")
    for unit in (SourceUnit("a.png", PNG), broken):
        copy = pickle.loads(pickle.dumps(unit))
        assert (copy.name, copy.data, copy.problem) == (unit.name, unit.data, unit.problem)
    with pytest.raises(PictureError, match="late"):
        broken.read()
