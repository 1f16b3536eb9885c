"""The same against an S3 service."""

import os
import subprocess
import sys
import urllib.request

import pytest

import madeby
from madeby.errors import BundleError

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN")


def tell(s3_service, what, data=b""):
    address = f"{s3_service}/moto-api/{what}"
    request = urllib.request.Request(address, data=data, method="POST", headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(request).close()


@pytest.fixture
def bucket(s3):
    s3.create_bucket(Bucket="models-of-ours")
    return s3


def test_push_list_and_pull(bucket, big_bundle, save_picture):
    url = "s3://models-of-ours/some/prefix"
    pushed = madeby.models_push(big_bundle.folder, url)
    assert pushed.url == f"{url}/big/0.1.0"
    madeby.models_push(big_bundle.folder, url, version="0.2.0")
    assert [each.model for each in madeby.models_list(url)] == [f"{url}/big@0.2.0", f"{url}/big@0.1.0"]
    for address, version in ((url, "0.2.0"), (f"{url}/big", "0.2.0"), (f"{url}/big@0.1.0", "0.1.0")):
        bundle = madeby.models_pull(address)
        assert bundle.spec.version == version
        assert (bundle.folder / "weights.bin").read_bytes() == (big_bundle.folder / "weights.bin").read_bytes()
    result = next(madeby.scan(save_picture("bright.png", low=250), model=f"{url}/big"))
    assert result.model.version == "0.2.0"


def test_a_new_version_is_seen_at_once(bucket, big_bundle):
    url = "s3://models-of-ours/m"
    madeby.models_push(big_bundle.folder, url)
    assert madeby.models_newest(f"{url}/big").version == "0.1.0"
    madeby.models_push(big_bundle.folder, url, version="0.3.0")
    assert madeby.models_newest(f"{url}/big").version == "0.3.0"


def test_an_endpoint_can_be_given_by_option(bucket, s3_service, big_bundle, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    madeby.models_push(big_bundle.folder, "s3://models-of-ours", endpoint=s3_service)
    assert madeby.models_newest("s3://models-of-ours", endpoint=s3_service).name == "big"


def test_a_file_exchanged_in_the_bucket_is_found_out(bucket, big_bundle):
    url = "s3://models-of-ours/m"
    madeby.models_push(big_bundle.folder, url)
    bucket.put_object(Bucket="models-of-ours", Key="m/big/0.1.0/model.onnx", Body=b"something else")
    with pytest.raises(BundleError, match=rf"{url}/big/0\.1\.0/model\.onnx does not match its checksum"):
        madeby.models_pull(url)


def test_a_broken_off_pull_goes_on(bucket, big_bundle, home):
    url = "s3://models-of-ours/m"
    identity = madeby.models_push(big_bundle.folder, url).identity
    partial = home / "partial" / f"big-0.1.0-{identity[:12]}"
    partial.mkdir(parents=True)
    whole = (big_bundle.folder / "weights.bin").read_bytes()
    (partial / "weights.bin.part").write_bytes(whole[:1_500_000])
    seen = []
    assert madeby.models_pull(url, progress=lambda done, total: seen.append(done)).spec.name == "big"
    assert seen == sorted(seen)


def test_no_such_bucket(bucket, big_bundle):
    with pytest.raises(BundleError, match=r"there is no bucket 'nothing-there'.*AWS_ENDPOINT_URL"):
        madeby.models_pull("s3://nothing-there/m")
    with pytest.raises(BundleError, match="there is no bucket 'nothing-there'"):
        madeby.models_push(big_bundle.folder, "s3://nothing-there/m")
    with pytest.raises(BundleError, match="s3://models-of-ours/m holds no model bundle"):
        madeby.models_pull("s3://models-of-ours/m")
    with pytest.raises(BundleError, match="names no bucket"):
        madeby.models_pull("s3://")


def test_no_credentials(bucket, monkeypatch):
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BundleError, match=r"s3://models-of-ours/m.*no credentials.*AWS_ACCESS_KEY_ID"):
        madeby.models_pull("s3://models-of-ours/m")


def test_no_permission(bucket, s3_service, big_bundle):
    madeby.models_push(big_bundle.folder, "s3://models-of-ours/m")
    tell(s3_service, "reset-auth", b"0")  # from here on nobody is known
    try:
        with pytest.raises(BundleError, match=r"s3://models-of-ours/m.*permission to read was refused"):
            madeby.models_pull("s3://models-of-ours/m")
        with pytest.raises(BundleError, match=r"s3://models-of-ours/m.*refused"):
            madeby.models_push(big_bundle.folder, "s3://models-of-ours/m", version="7")
    finally:
        tell(s3_service, "reset-auth", b"inf")


def test_the_command_against_s3(bucket, big_bundle):
    def run(*arguments):
        command = [sys.executable, "-m", "madeby", "models", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ)

    pushed = run("push", big_bundle.folder, "s3://models-of-ours/m")
    assert pushed.returncode == 0, pushed.stderr
    assert pushed.stdout.strip() == "big@0.1.0 is published: s3://models-of-ours/m/big/0.1.0"
    assert "s3://models-of-ours/m/big@0.1.0" in run("list", "s3://models-of-ours/m").stdout
    pulled = run("pull", "s3://models-of-ours/m/big")
    assert (pulled.returncode, pulled.stderr) == (0, "")
    wrong = run("pull", "s3://nothing-there/m")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("madeby: s3://nothing-there/m")
    assert wrong.stderr.count("\n") == 1


def test_without_the_extra_it_says_how_to_install_it():
    code = (
        "import sys; sys.modules['s3fs'] = None; import madeby\n"
        "try: madeby.models_pull('s3://bucket/m')\n"
        "except madeby.MissingExtraError as error: print(error)\n"
        "sys.modules['fsspec'] = None\n"
        "try: madeby.models_pull('s3://bucket/m')\n"
        "except madeby.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.count("pip install 'madeby[s3]'") == 2, done.stdout + done.stderr
