import socket

import pytest

from madeby.datasets.loaders import cifake, kaggle_ai_vs_human, loader_entry
from madeby.errors import DataError

HANDLES = {"cifake": cifake.HANDLE, "kaggle_ai_vs_human": kaggle_ai_vs_human.HANDLE}


@pytest.fixture
def kaggle_cache(tmp_path, monkeypatch):
    """An empty kagglehub cache, no credentials, and no network."""
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "no config"))
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def no_network(*_, **__):
        raise socket.gaierror("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    return tmp_path / "cache" / "datasets"


def put_cifake(save, folder):
    for split in ("train", "test"):
        for label in ("REAL", "FAKE"):
            save(f"{folder}/{split}/{label}/0001 (6).jpg", 32, 32)


def test_the_newest_complete_version_in_the_cache_is_used_without_a_network(kaggle_cache, save_picture):
    base = kaggle_cache / cifake.HANDLE
    for version in (2, 10, 11):
        put_cifake(save_picture, base / "versions" / str(version))
    for version in (2, 10):  # 11 was interrupted
        (base / f"{version}.complete").touch()
    listing = loader_entry("cifake").load(None)
    assert listing.table["path"][0].startswith(str(base / "versions" / "10"))
    assert set(listing.table["cifar_class"]) == {"dog"}
    assert any("kagglehub's cache" in note for note in listing.notes)


def test_a_path_that_does_not_exist_is_said_when_the_cache_is_used(kaggle_cache, save_picture, tmp_path):
    base = kaggle_cache / cifake.HANDLE
    put_cifake(save_picture, base / "versions" / "3")
    (base / "3.complete").touch()
    notes = loader_entry("cifake").load(tmp_path / "typo").notes
    assert notes[0] == f"there is no {tmp_path / 'typo'}"


@pytest.mark.parametrize("name", HANDLES)
def test_without_a_network_the_message_says_what_to_do(kaggle_cache, name, tmp_path):
    with pytest.raises(DataError) as caught:
        loader_entry(name).load(tmp_path / "absent")
    message = str(caught.value)
    assert f"there is no {tmp_path / 'absent'}" in message
    assert "Kaggle cannot be reached" in message
    assert f"https://www.kaggle.com/datasets/{HANDLES[name]} by hand" in message
    assert "KAGGLE_USERNAME" in message
    assert "\n" not in message
