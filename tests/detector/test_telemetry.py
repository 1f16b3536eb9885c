"""Nothing is reported to anyone: what onnxruntime would keep for sending is not even made."""

import os
import subprocess
import sys

SUPPRESSORS = ("CI", "GITHUB_ACTIONS", "TF_BUILD")


def test_a_scan_leaves_nothing_in_the_users_folders_to_be_sent(tmp_path, save_picture, make_bundle):
    picture, bundle = save_picture("a.png"), make_bundle()
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XDG_", "ORT_", "PYTEST")) and name not in SUPPRESSORS
    }
    command = [sys.executable, "-m", "madeby", "scan", str(picture), "--model", str(bundle.folder), "--jsonl"]
    done = subprocess.run(command, env=environment | {"HOME": str(home)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert '"status":"ok"' in done.stdout
    assert [path for path in home.rglob("*") if path.is_file()] == []
