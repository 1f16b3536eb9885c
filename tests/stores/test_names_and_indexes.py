"""Whatever lies in a store or is typed as a name is read or refused, never more."""

import json
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeby.errors import BundleError
from madeby.stores.contents import Contents
from madeby.stores.index import BundleIndex
from madeby.stores.versions import newest_first, split_version, version_key

ENTRY = {"bytes": 1, "sha256": "0" * 64}
FILES = [{"path": "model.onnx", **ENTRY}, {"path": "bundle.json", **ENTRY}]


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("wild", "wild", None),
        ("wild@1.2.0", "wild", "1.2.0"),
        ("s3://bucket/models/wild@1.2.0-rc1", "s3://bucket/models/wild", "1.2.0-rc1"),
        ("https://user:word@host/models/wild", "https://user:word@host/models/wild", None),
        ("https://user@host/wild@2", "https://user@host/wild", "2"),
        ("a@b@3", "a@b", "3"),
        ("wild@", "wild@", None),
        ("@1", "@1", None),
    ],
)
def test_a_version_stands_after_the_last_at_sign(text, name, version):
    assert split_version(text) == (name, version)


def test_versions_go_by_their_numbers():
    versions = ["1.9", "1.10.0-rc1", "1.10.0", "1.10.0.1", "2", "10.0"]
    assert newest_first(versions) == versions[::-1]


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_names_of_folders_can_be_put_in_order(names):
    ordered = newest_first(names)
    assert sorted(ordered) == sorted(names)
    assert sorted(names, key=version_key, reverse=True) == ordered


@given(st.binary(max_size=200))
def test_any_bytes_are_an_index_or_refused(data):
    for kind in (BundleIndex, Contents):
        try:
            kind.from_json(data, "s3://bucket/index.json")
        except BundleError as error:
            assert "s3://bucket/index.json" in str(error)


@given(st.text(max_size=40))
def test_no_path_leads_out_of_the_bundle(path):
    index = {"schema": 1, "name": "a", "version": "1", "files": [*FILES, {"path": path, **ENTRY}]}
    try:
        read = BundleIndex.from_json(json.dumps(index).encode(), "index.json")
    except BundleError:
        return
    inside = PurePosixPath(read.files[-1].path)
    assert not inside.is_absolute()
    assert ".." not in inside.parts
    assert "\\" not in str(inside)


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a/../x", ".hidden", "a//b", "c:\\x", "a\\b", "index.json", "MODEL.onnx", "x\n"]
)
def test_paths_that_could_do_harm_are_refused(path):
    index = {"schema": 1, "name": "a", "version": "1", "files": [*FILES, {"path": path, **ENTRY}]}
    with pytest.raises(BundleError):
        BundleIndex.from_json(json.dumps(index).encode(), "index.json")
