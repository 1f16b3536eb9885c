"""The engine ray: the results of one machine from many, whatever is lost on the way."""

from __future__ import annotations

import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

import madeby
from madeby import ErrorCode, MadebyError, RayCluster, Result
from madeby.pictures.limits import Limits
from madeby.pictures.sources import SourceUnit
from madeby.scanning.cluster import drawing, pool
from madeby.scanning.cluster.answerer import Answerer, Setup
from madeby.scanning.pipeline import Pipeline

MADEBY = [sys.executable, "-m", "madeby"]
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
LONG = 240  # seconds: for machines that are busy with other tests
BUCKET = "pictures-of-ours"
NODE = {"num_cpus": 1, "num_gpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found as Linux lists them")


def run(*arguments: object, **more) -> subprocess.CompletedProcess[str]:
    command = [*MADEBY, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONG, **more)


def told(result: Result) -> str:
    return result.model_dump_json(exclude={"timing_ms"})


def lines(text: str) -> list[str]:
    return [told(Result.from_json(line)) for line in text.splitlines()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def two_machines(**head):
    """A cluster of two machines with one core each, which asks for a token."""
    os.environ.update(TOKEN, RAY_USAGE_STATS_ENABLED="0")
    from ray.cluster_utils import Cluster

    quick = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500, "health_check_failure_threshold": 10}
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "_system_config": quick, **head})
    try:
        cluster.other = cluster.add_node(**NODE)
        yield cluster
    finally:
        cluster.shutdown()


@contextmanager
def web(answer) -> Iterator[str]:
    """A web server on this machine whose pictures are what ``answer(path, port)`` gives."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            data = answer(self.path, self.client_address[1])
            with suppress(OSError):  # whoever asked may have been killed
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.filterwarnings("ignore:unclosed file .*ray_client_server:ResourceWarning")  # Ray leaves its log open
def test_a_cluster_gives_what_one_machine_gives(s3, save_picture, make_bundle, tmp_path):
    for number in range(12):
        save_picture(f"shots/{number:02}.png", low=20 * number)
    (tmp_path / "shots" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    bright = save_picture("bright.png", low=250)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(bright, "in/bright.png")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="there/b.png", Body=bright.read_bytes())
    there = [f"s3://{BUCKET}/there", f"s3://{BUCKET}/gone.png"]
    sources = ["shots", "a.zip", *there, "missing.png", "http://127.0.0.1:9/forbidden.png"]
    asked = [*sources, "--model", make_bundle().folder, "--jsonl"]
    here = run("scan", *asked, cwd=tmp_path)
    assert here.returncode == 1, here.stderr
    port = free_port()
    with two_machines(ray_client_server_port=port, runtime_env_agent_port=free_port()):
        on_ray = ["--engine", "ray", "--ray-address", f"ray://127.0.0.1:{port}", "--actors", "2", "--actor-gpus", "0.5"]
        done = run("scan", *asked, *on_ray, cwd=tmp_path)
        assert done.stderr == ""
        assert done.returncode == 1
        assert lines(done.stdout) == lines(here.stdout)

        # What one machine began many go on with: into a file and a store, and in any order.
        sinks = ["--jsonl-to", tmp_path / "r.jsonl", "--csv", f"s3://{BUCKET}/results/", "--unordered"]
        first = run("scan", "shots/00.png", "shots/11.png", *asked[-3:], *sinks, cwd=tmp_path)
        assert first.returncode == 0, first.stderr
        done = run("scan", *asked, *on_ray, *sinks, "--resume", cwd=tmp_path)
        assert done.stderr == ""
        assert len(done.stdout.splitlines()) == len(here.stdout.splitlines()) - 2
        assert sorted(lines((tmp_path / "r.jsonl").read_text())) == sorted(lines(here.stdout))


@on_linux
def test_what_is_lost_is_answered_by_others(save_picture, make_bundle, tmp_path):
    picture = save_picture("1.png", low=250).read_bytes()
    lost = {"/5", "/9"}
    lock = threading.Lock()

    def answer(path: str, port: int) -> bytes:
        with lock:
            if path == "/13" or (path == "/5" and path in lost):
                os.kill(next(pid for pid in actors(cluster) if has_port(pid, port)), signal.SIGKILL)
            elif path in lost:
                cluster.remove_node(cluster.other, allow_graceful=False)
            lost.discard(path)
        return picture

    with two_machines() as cluster, web(answer) as server:
        options = ["--allow-private", "--jsonl", "--engine", "ray", "--actors", "1..2"]
        command = [*MADEBY, "scan", "-", "--model", make_bundle().folder, *options, "--ray-address", cluster.address]
        out = tmp_path / "r.jsonl"
        pipes = {"stdin": subprocess.PIPE, "stdout": out.open("w"), "stderr": subprocess.PIPE, "text": True}
        with pipes["stdout"], subprocess.Popen(command, **pipes) as scan:
            scan.stdin.write("".join(f"{server}/{number}\n" for number in range(5)))
            scan.stdin.flush()
            wait_until(lambda: "\n" in out.read_text())  # a result, while the pipe has no more to offer
            wait_until(lambda: len(actors(cluster)) == 2)  # more waited than one could do: now on both machines
            _, err = scan.communicate("".join(f"{server}/{number}\n" for number in range(5, 20)), timeout=LONG)
    assert err == ""
    found = [Result.from_json(line) for line in out.read_text().splitlines()]
    assert not lost
    assert [result.source for result in found] == [f"{server}/{number}" for number in range(20)]
    (problem,) = (result for result in found if not result.ok)
    assert problem.source == f"{server}/13"
    assert problem.error.code is ErrorCode.INTERNAL
    assert "lost 3 times" in problem.error.message
    assert scan.returncode == 1


def actors(cluster) -> list[int]:
    """Processes of a cluster that are actors of ours."""
    raylets = [node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()]
    children = (Path(f"/proc/{pid}/task/{pid}/children").read_text().split() for pid in raylets)
    found = [int(child) for several in children for child in several]
    return [pid for pid in found if b"Answerer" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def has_port(pid: int, port: int) -> bool:
    """Whether a process holds the local end of a connection."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}")}
    with suppress(OSError):
        return any(str(file.readlink()) in sockets for file in Path(f"/proc/{pid}/fd").iterdir())
    return False


def wait_until(condition) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


SCAN = """
import os, sys, madeby
folder, model = sys.argv[1:]
cluster = madeby.RayCluster(cores=0.5, shared_files=True)
for result in madeby.scan("-", model=model, standard_input=[folder], engine="ray", cluster=cluster):
    print(result.to_json())
assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
"""


def test_a_cluster_of_this_machine_alone_is_begun_and_ended_in_silence(save_picture, make_bundle, tmp_path):
    save_picture("shots/1.png")
    save_picture("shots/2.png", low=250)
    model = make_bundle().folder
    command = [sys.executable, "-W", "error", "-c", SCAN, "shots", str(model)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | {"HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG, env=env, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    here = run("scan", "shots", "--jsonl", "--model", model, cwd=tmp_path)
    assert lines(done.stdout) == lines(here.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engine", "ray", "--ray-address", "ray://127.0.0.1:9"], "cannot be reached"),
        (["--engine", "ray", "--actors", "many"], "2..16"),
        (["--actors", "2"], "--engine ray"),
        (["--engine", "spark"], "spark"),
    ],
)
def test_wrong_usage_is_one_message_and_touches_nothing(arguments, said, save_picture, tmp_path):
    (tmp_path / "r.csv").write_text("older")
    done = run("scan", save_picture("1.png"), "--csv", tmp_path / "r.csv", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "r.csv").read_text() == "older"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"address": "http://head"}, "no address of a Ray cluster"),
        ({"address": "ray://head"}, "ray://HOST:10001"),
        ({"address": "ray://head:70000"}, "no address"),
        ({"least": 3, "most": 2}, "3 actors at least and 2 at most"),
        ({"least": 0}, "0 actors at least"),
        ({"cores": 1.5}, "1.5 cores"),
        ({"cores": 0}, "0 cores"),
        ({"gpus": float("nan")}, "nan GPUs"),
        ({"gpus": -1}, "-1 GPUs"),
    ],
)
def test_numbers_and_addresses_that_make_no_sense_are_refused(options, said):
    with pytest.raises(MadebyError, match=re.escape(said)):
        RayCluster(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "ray", "cluster": RayCluster("ray://nowhere.invalid:10001")}, "cannot be reached"),
        ({"engine": "ray", "cluster": RayCluster(cores=1024)}, "no room for an actor"),
        ({"engine": "ray", "cache": "c.sqlite"}, "cache"),
        ({"cluster": RayCluster()}, "engine local"),
        ({"engine": "dask"}, "no engine"),
    ],
)
def test_what_cannot_be_is_said_at_the_call(options, said, save_picture, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(MadebyError, match=said):
        madeby.scan(save_picture("1.png"), **options)


def test_without_ray_it_says_what_to_install(save_picture):
    code = (
        "import sys, madeby; sys.modules['ray'] = None\n"
        "try: madeby.scan(sys.argv[1], engine='ray')\n"
        "except madeby.MissingExtraError as error: print(error)"
    )
    picture = str(save_picture("1.png"))
    done = subprocess.run([sys.executable, "-c", code, picture], capture_output=True, text=True, timeout=LONG)
    assert "pip install 'madeby[ray]'" in done.stdout, done.stderr


def drawn(units, *, shared_files=False):
    changed = threading.Event()
    return drawing.Drawing(iter(units), Limits(), shared_files=shared_files, changed=changed.set), changed


def test_files_of_this_machine_are_read_here_and_addresses_by_the_actors(save_picture):
    picture = save_picture("1.png")
    units = [SourceUnit(name) for name in (str(picture), "gone.png", "s3://bucket/a.png", "https://example.org/a.png")]
    for shared_files, data in ((False, picture.read_bytes()), (True, None)):
        source, _ = drawn(units, shared_files=shared_files)
        with closing(source):
            taken: list[SourceUnit] = []
            while not source.over:
                taken += source.take(10)
        assert [unit.data for unit in taken] == [data, None, None, None]
        assert (taken[1].problem is None) == shared_files


def test_no_more_is_drawn_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(drawing, "UNITS_AHEAD", 4)
    monkeypatch.setattr(drawing, "BYTES_A_BATCH", 10)
    given: list[int] = []

    def units():
        for number in range(12):
            given.append(number)
            yield SourceUnit(str(number), b"12345678" if number == 2 else b"1234")

    source, changed = drawn(units())
    taken = []
    with closing(source):
        while not source.over:
            assert changed.wait(LONG)
            batch = source.take(3)
            taken.append([unit.name for unit in batch])
            assert len(given) <= sum(map(len, taken)) + 4 + 1
            assert sum(len(unit.data) for unit in batch) <= 10
    assert [name for batch in taken for name in batch] == [str(number) for number in range(12)]


def test_what_a_source_raises_is_raised_when_the_rest_is_done():
    def units():
        yield SourceUnit("1", b"1")
        raise OSError("gone")

    source, changed = drawn(units())
    assert changed.wait(LONG)
    assert [unit.name for unit in source.take(1)] == ["1"]
    with pytest.raises(OSError, match="gone"):
        while True:
            if source.over:
                source.check()


class OtherRay:
    """Ray as the pool sees it, without any machine: actors begin when they are told to."""

    def __init__(self, cores: int = 2):
        self.cores, self.begun, self.killed = cores, [], []

    def put(self, value):
        return value

    def remote(self, _):
        return self

    def options(self, **_):
        return SimpleNamespace(remote=self._begin)

    def _begin(self, _):
        actor = SimpleNamespace(problem=OtherCall(), answer=OtherCall())
        self.begun.append(actor)
        return actor

    def is_initialized(self):
        return True

    def kill(self, actor):
        self.killed.append(actor)

    def nodes(self):
        return [{"Alive": True, "Resources": {"CPU": self.cores}}]

    def cluster_resources(self):
        return {"CPU": self.cores}


class OtherCall:
    """A method of an actor, and what came of its calls."""

    def __init__(self):
        self.calls: list[Future] = []

    def remote(self, *_):
        self.calls.append(Future())
        return SimpleNamespace(future=lambda: self.calls[-1])


@pytest.fixture
def pool_of():
    def make(ray: OtherRay, **options):
        events = deque()
        return pool.Pool(ray, RayCluster(**options), Setup(Pipeline(None), None), events.append), events

    return make


def begin(ray, actors, events) -> None:
    for actor in ray.begun:
        if not actor.problem.calls[0].done():
            actor.problem.calls[0].set_result(None)
    while events:
        actors.has_begun(events.popleft())


def test_actors_come_while_work_waits_and_go_when_none_does(pool_of, monkeypatch):
    ray = OtherRay(cores=5)
    actors, events = pool_of(ray)
    sizes = []
    for _ in range(5):
        actors.fit(wanting=True, ending=False)
        actors.fit(wanting=True, ending=False)  # those that have not begun yet are waited for
        begin(ray, actors, events)
        sizes.append(actors.size)
    assert sizes == [1, 2, 4, 5, 5]  # no more than have room
    busy = actors.free()
    actors.give(busy, pool.Batch(0, ("a",), None))
    actors.fit(wanting=False, ending=False)
    assert actors.size == 5
    monkeypatch.setattr(pool, "IDLE_SECONDS", -1.0)
    actors.fit(wanting=False, ending=False)
    assert actors.size == 1
    actors.fit(wanting=False, ending=True)
    assert actors.busy
    assert busy.handle not in ray.killed


def test_a_batch_that_is_suspected_is_alone_with_its_actor(pool_of):
    ray = OtherRay()
    actors, events = pool_of(ray, most=1)
    actors.fit(wanting=True, ending=False)
    begin(ray, actors, events)
    actor = actors.free()
    actors.give(actor, pool.Batch(0, ("a",), None))
    assert actors.free() is actor
    assert actors.free(alone=True) is None
    actor.handle.answer.calls[0].set_result(None)
    actors.has_answered(events.popleft())
    actors.give(actors.free(alone=True), pool.Batch(0, ("a",), None), alone=True)
    assert actors.free() is None


def test_actors_that_cannot_begin_end_the_scan(pool_of, monkeypatch):
    ray = OtherRay()
    actors, events = pool_of(ray, least=3)
    actors.fit(wanting=True, ending=False)
    for actor in list(ray.begun):
        actor.problem.calls[0].set_exception(RuntimeError("long account\nNo module named 'madeby'"))
    actors.has_begun(events.popleft())
    actors.has_begun(events.popleft())
    with pytest.raises(MadebyError, match="No module named 'madeby'"):
        actors.has_begun(events.popleft())

    actors, events = pool_of(ray)
    actors.fit(wanting=True, ending=False)
    ray.begun[-1].problem.calls[0].set_result("it has madeby 0 and this machine 1")
    with pytest.raises(MadebyError, match="it has madeby 0"):
        actors.has_begun(events.popleft())

    actors, events = pool_of(ray, cores=8)
    actors.fit(wanting=True, ending=False)
    monkeypatch.setattr(pool, "PATIENCE_SECONDS", -1.0)
    with pytest.raises(MadebyError, match="each needs 8 cores, and altogether there are 2 cores"):
        actors.fit(wanting=True, ending=False)


def test_an_actor_of_another_version_says_so():
    assert Answerer(Setup(Pipeline(None), None)).problem() is None
    assert "install the same on both" in Answerer(Setup(Pipeline(None), None, version="0")).problem()
    assert "no-such-folder" in Answerer(Setup(Pipeline(None), None, folder="/no-such-folder")).problem()
