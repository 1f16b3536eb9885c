"""Keys are kept as hashes, can be taken back at once, and nobody sends more than a fair share."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from typer.testing import CliRunner

import madeby
from madeby.cli.app import app
from madeby.errors import MadebyError
from madeby.web.keys import KeyRing
from madeby.web.rate_limit import RateLimit


def test_a_key_opens_and_only_its_hash_is_kept(tmp_path):
    made = madeby.keys_create("newsroom", tmp_path)
    text = (tmp_path / "keys.json").read_text()
    assert made.key not in text
    assert made.entry.sha256 in text
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    ring = KeyRing(tmp_path)
    assert ring.who(made.key) == made.entry.id
    assert ring.who(made.key + "x") is None
    assert ring.who("") is None


def test_a_running_server_takes_new_keys_and_refuses_revoked_ones_at_once(tmp_path):
    ring = KeyRing(tmp_path)
    assert len(ring) == 0
    first, second = madeby.keys_create("a", tmp_path), madeby.keys_create("b", tmp_path)
    assert ring.who(first.key) and ring.who(second.key)
    madeby.keys_revoke(first.entry.id, tmp_path)
    assert ring.who(first.key) is None
    assert ring.who(second.key) == second.entry.id
    assert [key.name for key in madeby.keys_list(tmp_path)] == ["b"]


def test_keys_made_at_the_same_moment_are_all_kept(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda name: madeby.keys_create(name, tmp_path), "abcdefgh"))
    assert {key.entry.id for key in made} == {key.id for key in madeby.keys_list(tmp_path)}


def test_keys_of_the_environment_count_too_and_must_be_long(tmp_path):
    ring = KeyRing(tmp_path, ["0123456789abcdef"])
    assert ring.who("0123456789abcdef") == "environment-1"
    with pytest.raises(MadebyError, match="fewer than 16"):
        KeyRing(tmp_path, ["short"])


def test_bad_requests_for_keys_say_what_to_do(tmp_path):
    with pytest.raises(MadebyError, match="needs a name"):
        madeby.keys_create(" ", tmp_path)
    with pytest.raises(MadebyError, match="no key has the id 'nope'"):
        madeby.keys_revoke("nope", tmp_path)
    (tmp_path / "keys.json").write_text("[{}]")
    with pytest.raises(MadebyError, match="damaged"):
        madeby.keys_list(tmp_path)


def test_the_command_prints_the_key_once_and_never_lists_it(tmp_path):
    runner = CliRunner()
    folder = ["--data-folder", str(tmp_path)]
    key = runner.invoke(app, ["keys", "create", "newsroom", *folder]).stdout.strip()
    assert KeyRing(tmp_path).who(key)
    listed = runner.invoke(app, ["keys", "list", *folder]).stdout
    assert "newsroom" in listed and key not in listed
    assert runner.invoke(app, ["keys", "revoke", listed.split()[0], *folder]).exit_code == 0
    assert KeyRing(tmp_path).who(key) is None


def test_a_client_that_sends_too_much_waits_and_others_do_not():
    seconds = [0.0]
    limit = RateLimit(60, clock=lambda: seconds[0])
    assert limit.take("a", 60) == 0
    assert limit.take("a") == 1
    assert limit.take("b") == 0
    seconds[0] += 1
    assert limit.take("a") == 0
    assert limit.take("a", 30) == 30


def test_a_request_larger_than_a_minute_passes_once_and_is_paid_back():
    seconds = [0.0]
    limit = RateLimit(60, clock=lambda: seconds[0])
    assert limit.take("a", 120) == 0
    assert limit.take("a") > 60
    seconds[0] += 61
    assert limit.take("a") == 0


def test_no_limit_is_none():
    limit = RateLimit(0)
    assert all(limit.take("a", 1000) == 0 for _ in range(100))


@pytest.mark.parametrize(
    "setting",
    [
        {"cors_origins": ("https://news.example/",)},
        {"cors_origins": ("*",)},
        {"cors_origins": ("news.example",)},
        {"allowed_hosts": ("news.example:8000",)},
        {"allowed_hosts": ("[::1]",)},
        {"retention_days": float("inf")},
        {"retention_days": 1e9},
        {"host": "a..b"},
    ],
)
def test_what_could_never_work_is_refused_at_the_start(tmp_path, setting):
    with pytest.raises(MadebyError, match=r"origin|host|days|listen"):
        madeby.serve(port=0, data_folder=tmp_path, started=lambda _: pytest.fail("it started"), **setting)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_folder_that_a_first_key_makes_is_its_owners_alone(tmp_path):
    madeby.keys_create("newsroom", tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
