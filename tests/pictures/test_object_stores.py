"""Pictures in object stores: the same verb, the same results, the same errors; listed as they are read."""

import os
import subprocess
import sys
import tarfile
import threading
import zipfile

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import madeby
from madeby.errors import ErrorCode, PictureError
from madeby.pictures import object_stores
from madeby.pictures.limits import Limits
from madeby.pictures.object_stores import expand_objects, read_object
from madeby.pictures.sources import SourceUnit
from madeby.pictures.sources import read_ahead as ahead

BUCKET = "pictures-of-ours"


@pytest.fixture
def s3(s3):
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture
def picture(save_picture):
    return save_picture("bright.png", low=250).read_bytes()


@pytest.fixture
def holiday(s3, picture):
    for key in ("b.png", "a.JPG", "sub/c.webp", "sub/deep/d.png", ".hidden/e.png", "notes.txt", "sub/", "sub/.f.png"):
        s3.put_object(Bucket=BUCKET, Key=f"holiday/{key}", Body=picture if not key.endswith("/") else b"")
    s3.put_object(Bucket=BUCKET, Key="holiday-2/z.png", Body=picture)
    return f"s3://{BUCKET}/holiday"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("", ["a.JPG", "b.png", "sub/c.webp", "sub/deep/d.png"]),
        ("/", ["a.JPG", "b.png", "sub/c.webp", "sub/deep/d.png"]),
        ("/sub", ["sub/c.webp", "sub/deep/d.png"]),
        ("/b.png", ["b.png"]),
        ("/none.png", ["none.png"]),
        ("/*", ["a.JPG", "b.png"]),
        ("/**", ["a.JPG", "b.png", "sub/c.webp", "sub/deep/d.png"]),
        ("/**/*.png", ["b.png", "sub/deep/d.png"]),
        ("/*.txt", ["notes.txt"]),
        ("/[a-b].???", ["a.JPG", "b.png"]),
    ],
)
def test_an_address_gives_its_pictures(source, found, holiday):
    assert list(expand_objects(holiday + source)) == [f"{holiday}/{name}" for name in found]


def test_scan_answers_as_it_does_for_files(holiday, save_picture, make_bundle):
    model = make_bundle().folder
    results = list(madeby.scan([holiday, f"{holiday}/none.png"], model=model))
    assert [result.source for result in results] == [
        *(f"{holiday}/{name}" for name in ("a.JPG", "b.png", "sub/c.webp", "sub/deep/d.png", "none.png"))
    ]
    local = next(madeby.scan(save_picture("bright.png", low=250), model=model))
    assert {result.probability for result in results[:4]} == {local.probability}
    assert results[0].picture == local.picture
    assert results[4].error.code is ErrorCode.NOT_FOUND


def test_a_listing_is_drawn_as_it_is_needed(s3, monkeypatch):
    monkeypatch.setattr(object_stores, "_KEYS_A_PAGE", 10)
    for number in range(95):
        s3.put_object(Bucket=BUCKET, Key=f"many/{number:03}.png", Body=b"x")
    asked = []
    original = object_stores._translated
    monkeypatch.setattr(
        object_stores, "_translated", lambda files, request: asked.append(request) or original(files, request)
    )
    stream = expand_objects(f"s3://{BUCKET}/many")
    assert next(stream).endswith("many/000.png")
    assert len(asked) == 1
    assert len([*stream]) == 94
    assert len(asked) == 10


def test_a_listing_that_breaks_off_is_not_taken_for_its_end(s3, monkeypatch):
    monkeypatch.setattr(object_stores, "_KEYS_A_PAGE", 2)
    for number in range(4):
        s3.put_object(Bucket=BUCKET, Key=f"many/{number}.png", Body=b"x")
    stream = expand_objects(f"s3://{BUCKET}/many")
    assert len([next(stream), next(stream)]) == 2
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": f"many/{number}.png"} for number in range(4)]})
    s3.delete_bucket(Bucket=BUCKET)
    with pytest.raises(PictureError, match="there is no bucket"):
        list(stream)


def refusal(source, limits=Limits()):
    with pytest.raises(PictureError) as told:
        read_object(next(expand_objects(source)), limits)
    assert source.rstrip("/") in told.value.message
    return told.value


def test_a_listing_that_breaks_off_is_a_result_after_what_was_found(s3, monkeypatch):
    monkeypatch.setattr(object_stores, "_KEYS_A_PAGE", 2)
    for number in range(4):
        s3.put_object(Bucket=BUCKET, Key=f"many/{number}.png", Body=b"x")
    original, pages = object_stores._translated, iter((True, False))

    def breaks(files, request):
        if next(pages):
            return original(files, request)
        raise PermissionError("the token has expired")

    monkeypatch.setattr(object_stores, "_translated", breaks)
    results = list(madeby.scan(f"s3://{BUCKET}/many", detector=False))
    assert [result.error.code for result in results] == ["unsupported", "unsupported", "not_permitted"]
    assert "the listing broke off after 2 pictures" in results[2].reason


def test_archives_tables_and_lists_are_read_where_they_lie(s3, picture, tmp_path, make_bundle):
    with tarfile.open(tmp_path / "shard-0.tar", "w") as tar, zipfile.ZipFile(tmp_path / "two.zip", "w") as packed:
        for name in ("a.png", "b.png"):
            (tmp_path / name).write_bytes(picture)
            tar.add(tmp_path / name, name)
            packed.writestr(f"inner/{name}", picture)
    rows = pa.table({"image": [{"bytes": picture, "path": None}] * 2})
    pq.write_table(rows, tmp_path / "rows.parquet")
    (tmp_path / "names.csv").write_text("path\na.png\nnone.png\n")
    (tmp_path / "list.txt").write_text(f"s3://{BUCKET}/set/b.png\n")
    for name in ("a.png", "b.png", "shard-0.tar", "two.zip", "rows.parquet", "names.csv", "list.txt"):
        s3.upload_file(str(tmp_path / name), BUCKET, f"set/{name}")
    base = f"s3://{BUCKET}/set"
    found = {
        f"{base}/shard-{{0..1}}.tar": ["shard-0.tar/a.png", "shard-0.tar/b.png", "shard-1.tar"],
        f"{base}/*.tar": ["shard-0.tar/a.png", "shard-0.tar/b.png"],
        f"{base}/two.zip": ["two.zip/inner/a.png", "two.zip/inner/b.png"],
        f"{base}/rows.parquet": ["rows.parquet#0", "rows.parquet#1"],
        f"{base}/names.csv": ["a.png", "none.png"],
        f"@{base}/list.txt": ["b.png"],
        base: ["a.png", "b.png"],
    }
    model = make_bundle().folder
    for source, names in found.items():
        results = list(madeby.scan(source, model=model))
        assert [result.source for result in results] == [f"{base}/{name}" for name in names]
        absent = [result.source for result in results if not result.ok]
        assert absent == [f"{base}/{name}" for name in names if name in ("none.png", "shard-1.tar")]
        assert {result.error.code for result in results if not result.ok} <= {ErrorCode.NOT_FOUND}


def names(count):
    return [SourceUnit(f"s3://{BUCKET}/{number}.png") for number in range(count)]


def test_pictures_are_fetched_ahead_in_their_order_and_bounded(monkeypatch):
    started, released = [], threading.Event()

    def slow(name, limits):
        started.append(name)
        assert released.wait(60)
        return name.encode()

    monkeypatch.setattr(ahead, "read_if_small", slow)
    monkeypatch.setattr(ahead, "BYTES_AHEAD", 8 * object_stores.FIRST_BYTES)
    drawn = []
    stream = ahead.read_ahead(unit for unit in names(40) if drawn.append(unit) is None)
    threading.Timer(0.2, released.set).start()
    first = next(stream)
    assert first.data == first.name.encode()
    assert len(drawn) <= 11  # eight ahead, one waiting for room, one given, one more since
    assert [unit.name for unit in stream] == [unit.name for unit in names(40)[1:]]


def test_what_is_large_or_local_or_broken_passes_as_it_is(monkeypatch, tmp_path):
    def of(name, limits):
        if name.endswith("0.png"):
            raise PictureError(ErrorCode.NOT_PERMITTED, "refused")
        return None

    monkeypatch.setattr(ahead, "read_if_small", of)
    local = SourceUnit(str(tmp_path / "a.png"))
    held = SourceUnit("s3://b/a.tar/x.png", b"held")
    units = list(ahead.read_ahead([local, *names(2), held, local]))
    assert [unit.name for unit in units] == [local.name, *(unit.name for unit in names(2)), held.name, local.name]
    assert units[1].problem.code is ErrorCode.NOT_PERMITTED
    assert [unit.data for unit in units] == [None, None, None, b"held", None]


def test_what_is_ready_is_given_while_the_source_has_nothing_new(monkeypatch):
    monkeypatch.setattr(ahead, "read_if_small", lambda name, limits: b"x")
    more = threading.Event()

    def slowly():
        yield names(1)[0]
        assert more.wait(60)
        yield names(2)[1]

    stream = ahead.read_ahead(slowly())
    assert next(stream).data == b"x"
    more.set()
    assert len(list(stream)) == 1


def test_a_defect_while_drawing_reaches_the_reader(monkeypatch):
    monkeypatch.setattr(ahead, "read_if_small", lambda name, limits: b"x")

    def broken():
        yield names(1)[0]
        raise RuntimeError("a defect")

    stream = ahead.read_ahead(broken())
    assert next(stream).data == b"x"
    with pytest.raises(RuntimeError, match="a defect"):
        next(stream)


def test_what_is_not_there_is_told_apart(s3, holiday):
    assert "there is no s3://" in refusal(f"{holiday}/none.png").message
    assert "there is no s3://" in refusal(f"s3://{BUCKET}/nothing/").message
    assert "there is no bucket 'nothing-there'" in refusal("s3://nothing-there/x/").message
    assert "there is no bucket 'nothing-there'" in refusal("s3://nothing-there/x.png").message
    assert "no picture matches" in refusal(f"{holiday}/*.gif").message
    s3.put_object(Bucket=BUCKET, Key="texts/a.txt", Body=b"x")
    assert "holds no pictures" in refusal(f"s3://{BUCKET}/texts").message


def test_without_credentials_it_says_what_to_set(s3, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for source in (f"s3://{BUCKET}/x", f"s3://{BUCKET}/x.png"):
        error = refusal(source)
        assert error.code is ErrorCode.NOT_PERMITTED
        assert "AWS_ACCESS_KEY_ID" in error.message


def test_size_is_limited_and_large_and_empty_objects_are_read(s3):
    s3.put_object(Bucket=BUCKET, Key="empty.png", Body=b"")
    assert read_object(f"s3://{BUCKET}/empty.png") == b""
    large = os.urandom(9 << 20)
    s3.put_object(Bucket=BUCKET, Key="large.png", Body=large)
    assert read_object(f"s3://{BUCKET}/large.png") == large
    for limit in (10 << 10, 9 << 20):
        error = refusal_or_none(f"s3://{BUCKET}/large.png", Limits(max_bytes=limit))
        assert error is (None if limit >= len(large) else ErrorCode.TOO_LARGE)


def refusal_or_none(source, limits):
    try:
        read_object(source, limits)
    except PictureError as error:
        return error.code
    return None


def test_other_stores_are_walked_the_same(picture):
    files = fsspec.filesystem("memory")
    for key in ("b.png", "sub/a.png", "notes.txt"):
        files.pipe_file(f"/walked/{key}", picture)
    found = list(expand_objects("memory://walked"))
    assert found == ["memory://walked/b.png", "memory://walked/sub/a.png"]
    assert read_object(found[0]) == picture
    assert refusal("memory://nowhere").code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    ("scheme", "package", "extra"),
    [("gs", "gcsfs", "gs"), ("az", "adlfs", "azure"), ("abfs", "adlfs", "azure"), ("hf", "huggingface_hub", "hf")],
)
def test_a_store_without_its_package_is_an_error_of_that_picture(scheme, package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    object_stores._files.cache_clear()
    error = refusal(f"{scheme}://bucket/a.png")
    assert error.code is ErrorCode.UNSUPPORTED
    assert f"pip install 'madeby[{extra}]'" in error.message


def test_without_the_extra_it_says_how_to_install_it(tmp_path):
    code = (
        "import sys; sys.modules['s3fs'] = None; import madeby\n"
        "for r in madeby.scan(['s3://bucket/x', 's3://bucket/a.png'], detector=False): print(r.error.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.count("pip install 'madeby[s3]'") == 2, done.stdout + done.stderr
