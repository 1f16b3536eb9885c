"""Everything a user can name is found, or answered for."""

from __future__ import annotations

import io
import itertools
import json
import os
import sys
from pathlib import Path

import pytest

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.limits import Limits
from madeby.pictures.sources import expand, printable, read


def touch(path, content: bytes = b"picture"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


def names(sources, **options) -> list[str]:
    return [unit.name for unit in expand(sources, **options)]


def refusal(source, **options) -> PictureError:
    with pytest.raises(PictureError) as refused:
        read(str(source), **options)
    return refused.value


@pytest.fixture
def album(tmp_path):
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.png", "sub/deep/c.webp", "sub/d.heic", ".git/e.png"):
        touch(tmp_path / name)
    return tmp_path


def relative(album, sources) -> list[str]:
    return [os.path.relpath(source, album) for source in names(sources)]


def test_a_folder_gives_its_pictures_and_then_its_folders_pictures(album):
    assert relative(album, [str(album)]) == ["a.png", "b.JPG", "sub/d.heic", "sub/deep/c.webp"]


def test_a_file_given_by_name_is_taken_whatever_its_suffix(album):
    assert relative(album, [str(album / "notes.txt"), str(album / ".hidden.png")]) == ["notes.txt", ".hidden.png"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["a.png"]),
        ("*", ["a.png", "b.JPG"]),
        ("**", ["a.png", "b.JPG", "sub/d.heic", "sub/deep/c.webp"]),
        ("**/*.webp", ["sub/deep/c.webp"]),
        ("sub/**/*", ["sub/d.heic", "sub/deep/c.webp"]),
        ("[ab].*", ["a.png", "b.JPG"]),
        ("?.png", ["a.png"]),
        ("*.txt", ["notes.txt"]),
        (".hidden*", [".hidden.png"]),
    ],
)
def test_patterns(album, pattern, expected):
    assert relative(album, [str(album / pattern)]) == expected


def test_relative_patterns_and_folders(album, monkeypatch):
    monkeypatch.chdir(album)
    assert names(["sub/*.heic", "sub"]) == ["sub/d.heic", "sub/d.heic", "sub/deep/c.webp"]
    assert names(["**/c.*"]) == ["sub/deep/c.webp"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    name = touch(tmp_path / "holiday [1].jpg")
    assert names([name]) == [name]


def test_links_that_lead_round_in_circles_end(album):
    (album / "sub" / "loop").symlink_to(album, target_is_directory=True)
    (album / "sub" / "loop2").symlink_to(album / "sub", target_is_directory=True)
    assert len(relative(album, [str(album)])) == 4
    assert len(relative(album, [str(album / "**")])) == 4


def test_links_to_pictures_and_folders_are_followed(album, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    touch(elsewhere / "x.png")
    (album / "z").symlink_to(elsewhere, target_is_directory=True)
    (album / "broken.png").symlink_to(album / "nowhere")
    assert relative(album, [str(album)])[-1] == "z/x.png"
    assert "broken.png" in relative(album, [str(album)])


def test_standard_input_gives_one_source_a_line(album):
    lines = io.StringIO(f"{album}/a.png\n\n{album}/sub\r\nhttp://example.org/a b.jpg")
    assert names(["-", "x.png"], standard_input=lines) == [
        f"{album}/a.png",
        f"{album}/sub/d.heic",
        f"{album}/sub/deep/c.webp",
        "http://example.org/a b.jpg",
        "x.png",
    ]


def test_the_process_standard_input_may_hold_names_of_any_bytes(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9.png\nb.png\n"), encoding="utf-8"))
    assert [os.fsencode(source) for source in names(["-"])] == [b"caf\xe9.png", b"b.png"]


def test_sources_stream(album):
    endless = (str(album / "a.png") for _ in itertools.count())
    assert len(list(itertools.islice(expand(endless), 5))) == 5


def test_what_does_not_exist_stays_and_is_not_found(tmp_path):
    missing = str(tmp_path / "missing.png")
    assert names([missing]) == [missing]
    error = refusal(missing)
    assert error.code is ErrorCode.NOT_FOUND
    assert missing in error.message


def test_a_folder_or_pattern_without_pictures_is_answered_for(tmp_path):
    (tmp_path / "empty").mkdir()
    for source, words in (
        (str(tmp_path / "empty"), "holds no pictures"),
        (str(tmp_path / "*.png"), "no picture matches"),
    ):
        assert names([source]) == [source]
        error = refusal(source)
        assert error.code is ErrorCode.NOT_FOUND
        assert words in error.message


def test_a_name_that_no_file_can_have_is_not_found(tmp_path):
    for name in ("nul\0.png", "x" * 5000, str(tmp_path / "a.png" / "b.png"), ""):
        assert refusal(name).code is ErrorCode.NOT_FOUND
        assert names([name]) == [name]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are not bytes there")
def test_names_that_are_not_text_are_read_and_can_be_printed(tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    touch(tmp_path / "x").encode()
    with Path(name).open("wb") as file:
        file.write(b"picture")
    (tmp_path / "x").unlink()
    assert names([str(tmp_path)]) == [name]
    assert read(name) == b"picture"
    assert printable(name).endswith("caf\\xe9.png")
    json.dumps(printable(name)).encode()
    assert printable("naïve 日本.png") == "naïve 日本.png"
    refusal(name + "x").message.encode()


def test_a_file_is_refused_by_its_size_before_it_is_read(tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(10**12)
    assert refusal(path).code is ErrorCode.TOO_LARGE
    assert refusal(touch(tmp_path / "b.png", b"12345"), limits=Limits(max_bytes=4)).code is ErrorCode.TOO_LARGE
    assert read(touch(tmp_path / "b.png", b"12345"), Limits(max_bytes=5)) == b"12345"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this file system")
def test_pipes_and_devices_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert refusal(tmp_path / "pipe.png").code is ErrorCode.UNSUPPORTED
    assert refusal(os.devnull).code is ErrorCode.UNSUPPORTED


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
def test_what_is_closed_to_us_is_not_permitted(tmp_path):
    closed = tmp_path / "closed.png"
    closed.write_bytes(b"x")
    closed.chmod(0)
    assert refusal(closed).code is ErrorCode.NOT_PERMITTED


def test_other_schemes_are_forbidden():
    assert names(["ftp://example.org/a.jpg"]) == ["ftp://example.org/a.jpg"]
    for url in ("ftp://example.org/a.jpg", "file:///etc/passwd", "gopher://x/"):
        assert refusal(url).code is ErrorCode.FORBIDDEN_ADDRESS
