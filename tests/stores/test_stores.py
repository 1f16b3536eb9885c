"""Publishing, listing and pulling: what is in a store, what an address means, what stays when it fails."""

import json
import shutil

import pytest

import madeby
from madeby.errors import BundleError
from madeby.stores import builtin_names


def test_a_store_is_folders_that_people_can_read(store):
    assert sorted(path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()) == [
        *(f"big/0.1.0/{name}" for name in ("CARD.md", "bundle.json", "index.json", "model.onnx", "weights.bin")),
        *(f"big/0.2.0/{name}" for name in ("CARD.md", "bundle.json", "index.json", "model.onnx", "weights.bin")),
        "models.json",
    ]
    index = json.loads((store / "big/0.2.0/index.json").read_text())
    assert index["version"] == "0.2.0"
    assert [set(entry) for entry in index["files"]] == [{"path", "bytes", "sha256"}] * 4
    assert json.loads((store / "models.json").read_text())["models"] == {"big": ["0.2.0", "0.1.0"]}


@pytest.mark.parametrize("kind", ["folder", "file", "web"])
@pytest.mark.parametrize(
    ("suffix", "version"),
    [("", "0.2.0"), ("/big", "0.2.0"), ("/big@0.1.0", "0.1.0"), ("/big/0.1.0", "0.1.0"), ("/big/0.1.0/", "0.1.0")],
)
def test_an_address_means_a_store_a_model_or_a_version(kind, suffix, version, store, web, big_bundle):
    base = {"folder": str(store), "file": store.as_uri(), "web": web.url}[kind]
    bundle = madeby.models_pull(base + suffix)
    assert (bundle.spec.name, bundle.spec.version) == ("big", version)
    assert (bundle.folder / "weights.bin").read_bytes() == (big_bundle.folder / "weights.bin").read_bytes()


def test_newest_is_by_number_not_by_letter(store, big_bundle):
    for version in ("0.10.0-rc1", "0.9.0"):
        madeby.models_push(big_bundle.folder, str(store), version=version)
    assert madeby.models_newest(str(store / "big")).version == "0.10.0-rc1"
    madeby.models_push(big_bundle.folder, str(store), version="0.10.0")
    assert [listed.spec.version for listed in madeby.models_list(str(store))] == [
        "0.10.0",
        "0.10.0-rc1",
        "0.9.0",
        "0.2.0",
        "0.1.0",
    ]


def test_what_is_listed_can_be_named(store, web, tmp_path):
    for address in (str(store), store.as_uri(), web.url):
        listed = madeby.models_list(address)
        assert [madeby.models_pull(each.model).spec for each in listed] == [each.spec for each in listed]
    here = {each.model: each.place for each in madeby.models_list()}
    assert here == dict.fromkeys(builtin_names(), "built-in") | {"big@0.2.0": "pulled", "big@0.1.0": "pulled"}
    assert madeby.models_show("big").spec.version == "0.2.0"
    assert madeby.models_show("big@0.1.0").spec.version == "0.1.0"


def test_pulled_models_answer_wherever_a_model_is_named(web, save_picture):
    picture = save_picture("bright.png", low=250)
    by_url = next(madeby.scan(picture, model=f"{web.url}/big"))
    by_name = next(madeby.scan(picture, model="big"))
    assert by_url.model.version == by_name.model.version == "0.2.0"
    assert by_url.probability == by_name.probability > 0.9


def test_pushing_again_changes_nothing_and_another_bundle_needs_a_new_version(store, big_bundle, make_bundle):
    assert madeby.models_push(big_bundle.folder, str(store)).already_there
    (big_bundle.folder / "CARD.md").write_text("another card")
    with pytest.raises(BundleError, match=r"big/0\.1\.0 is published already with other files.*--version"):
        madeby.models_push(big_bundle.folder, str(store))
    assert not madeby.models_push(big_bundle.folder, str(store), version="0.3.0").already_there


def test_a_push_that_was_broken_off_is_not_seen(store):
    shutil.copytree(store / "big/0.2.0", store / "big/0.3.0")
    (store / "big/0.3.0/index.json").unlink()
    assert madeby.models_newest(str(store)).version == "0.2.0"


def test_several_models_in_a_store_must_be_told_apart(store, make_bundle):
    madeby.models_push(make_bundle("small").folder, str(store))
    with pytest.raises(BundleError, match=r"several models \(big, small\): name one, as .*/big"):
        madeby.models_pull(str(store))
    assert madeby.models_pull(str(store / "small")).spec.name == "small"


def test_a_pulled_bundle_can_be_pushed_on(web, tmp_path):
    madeby.models_pull(f"{web.url}/big")
    madeby.models_push("big", str(tmp_path / "mirror"))
    assert madeby.models_newest(str(tmp_path / "mirror")).identity == madeby.models_newest(f"{web.url}/big").identity


def test_a_second_pull_fetches_only_the_index(web):
    madeby.models_pull(f"{web.url}/big")
    web.asked.clear()
    madeby.models_pull(f"{web.url}/big")
    assert {path.rpartition("/")[2] for path, _ in web.asked} == {"index.json", "models.json"}


@pytest.mark.parametrize("damage", ["exchanged", "short", "long", "gone"])
def test_a_file_that_is_not_the_published_one_is_named_and_nothing_is_left_that_opens(damage, store, web):
    path = store / "big/0.2.0/weights.bin"
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"exchanged": data[:-1] + b"\0", "short": data[:-9], "long": data + b"more"}[damage])
    told = "there is no" if damage == "gone" else "does not match its checksum|broke off"
    with pytest.raises(BundleError, match=rf"{web.url}/big/0\.2\.0/weights\.bin.*({told})|{told} {web.url}"):
        madeby.models_pull(f"{web.url}/big")
    assert [each.model for each in madeby.models_list()] == builtin_names()
    with pytest.raises(BundleError, match="no model is called 'big'"):
        madeby.models_show("big")
    path.write_bytes(data)
    assert madeby.models_pull(f"{web.url}/big").spec.version == "0.2.0"


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ("not json", "is not the index of a model bundle"),
        ('{"schema": 1, "name": "big", "version": "1", "files": []}', "must list model.onnx and bundle.json"),
        ('{"schema": 1, "name": "../big", "version": "1", "files": []}', "name"),
        ("evil path", "path"),
        ("evil version", "version"),
        ("other name", "its index is of other"),
        ("x" * 2_000_000, "has more than"),
    ],
)
def test_an_index_that_is_none_is_refused(index, told, store, home):
    path = store / "big/0.2.0/index.json"
    good = json.loads(path.read_text())
    if index == "evil path":
        good["files"][0]["path"] = "../../../outside"
    elif index == "evil version":
        good["version"] = "../../x"
    elif index == "other name":
        good["name"] = "other"
    path.write_text(index if len(index) > 20 or index == "not json" else json.dumps(good))
    with pytest.raises(BundleError, match=told):
        madeby.models_pull(str(store / "big@0.2.0"))
    assert not list((home / "models").rglob("index.json"))


def test_what_holds_no_bundle_says_what_to_do(tmp_path, make_bundle, web):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=r"empty holds no model bundle.*madeby models push"):
        madeby.models_pull(str(tmp_path / "empty"))
    with pytest.raises(BundleError, match=r"cannot be verified.*madeby models push"):
        madeby.models_pull(str(make_bundle("bare").folder))
    with pytest.raises(BundleError, match=r"has no version 9; it has 0\.2\.0, 0\.1\.0"):
        madeby.models_pull(f"{web.url}/big@9")
    with pytest.raises(BundleError, match="cannot be written to"):
        madeby.models_push("wild-lite", web.url)
    with pytest.raises(BundleError, match="nobody told where to pull 'nowhere' from"):
        madeby.models_pull("nowhere")
    with pytest.raises(BundleError, match="Protocol not known: zz"):
        madeby.models_pull("zz://bucket/x")


def test_a_damaged_pulled_bundle_is_refused_and_pulled_again_by_name(web):
    folder = madeby.models_pull(f"{web.url}/big").folder
    (folder / "weights.bin").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"weights\.bin is damaged.*madeby models pull big@0\.2\.0"):
        madeby.models_show("big")
    web.asked.clear()
    assert madeby.models_pull("big@0.2.0").folder == folder
    assert len(web.asked_for("model.onnx")) == 0  # the sound files are kept
    assert madeby.models_show("big").folder == folder


def test_offline_the_cache_answers(web, monkeypatch, caplog):
    madeby.models_pull(f"{web.url}/big")
    madeby.models_pull(f"{web.url}/big@0.1.0")
    monkeypatch.setenv("MADEBY_OFFLINE", "1")
    web.asked.clear()
    assert madeby.models_show(f"{web.url}/big@0.1.0").spec.version == "0.1.0"
    assert not caplog.records
    assert madeby.models_show(f"{web.url}/big").spec.version == "0.2.0"
    assert "going on with big 0.2.0 from the cache" in caplog.text
    with pytest.raises(BundleError, match=r"MADEBY_OFFLINE is set.*not in the cache .*pull it once"):
        madeby.models_show(f"{web.url}/other")
    assert web.asked == []


def test_a_version_that_is_here_needs_no_network(web):
    madeby.models_show(f"{web.url}/big@0.1.0")
    web.asked.clear()
    madeby.models_show(f"{web.url}/big@0.1.0")
    assert web.asked == []


def test_credentials_in_an_address_are_neither_shown_nor_kept(web, home):
    url = web.url.replace("http://", "http://user:secret@")
    madeby.models_pull(f"{url}/big")
    assert all("secret" not in path.read_text() for path in (home / "origins").iterdir())
    web.status = 401
    with pytest.raises(BundleError, match="may not be read") as told:
        madeby.models_pull(f"{url}/big")
    assert "secret" not in str(told.value)


def test_a_cache_that_cannot_be_written_is_named(web, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MADEBY_HOME", str(tmp_path / "file/home"))
    with pytest.raises(BundleError, match="MADEBY_HOME names another"):
        madeby.models_pull(f"{web.url}/big")


def test_a_pulled_copy_stays_as_it_was_published(web, tmp_path):
    madeby.models_pull(f"{web.url}/big")
    with pytest.raises(BundleError, match="is a pulled copy"):
        madeby.evaluate("big", tmp_path / "none.parquet", tmp_path / "out", into_card="figures")


@pytest.mark.parametrize("address", ["http://[::1", "s3x://[", "file://[/x"])
def test_an_address_that_is_none_is_refused_plainly(address):
    with pytest.raises(BundleError, match=r"usable address|other stores are|file URL"):
        madeby.models_pull(address)


@pytest.mark.parametrize("kind", ["folder", "web"])
def test_an_endpoint_where_it_would_do_nothing_is_refused(kind, store, web):
    with pytest.raises(BundleError, match="endpoint goes with s3"):
        madeby.models_pull(f"{store if kind == 'folder' else web.url}/big", endpoint="http://127.0.0.1:9")
