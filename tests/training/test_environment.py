"""What a run keeps of the command that began it can be typed again and gives nothing away."""

import sys

from madeby.training.environment import current_environment, shareable, this_command


def test_the_command_can_be_typed_again_and_holds_no_password(monkeypatch):
    words = ["/usr/bin/madeby", "tune", "--search", "augment=flip|flip,shift=2", "-o", "my study"]
    storage = "postgresql://ada:s3/cr:et@host:5432/studies"
    monkeypatch.setattr(sys, "argv", [*words, "--storage", storage])
    command = current_environment("cpu", "32").command
    assert command == (
        "madeby tune --search 'augment=flip|flip,shift=2' -o 'my study' "
        "--storage 'postgresql://ada:***@host:5432/studies'"
    )
    monkeypatch.setattr(sys, "argv", ["/usr/lib/python3/site-packages/madeby/__main__.py", "train"])
    assert this_command() == "madeby train"
    query = "mysql://host/studies?user=ada&password=s3cret&ssl=1"
    assert "s3cret" not in shareable(f"madeby tune --storage={query}")


def test_what_others_read_names_files_without_their_folders():
    kept = "madeby train --data /home/ada/secret/cats.parquet --recipe=/home/ada/r.yaml --lr 0.1 -o runs/cats"
    assert shareable(kept) == "madeby train --data cats.parquet --recipe=r.yaml --lr 0.1 -o runs/cats"
    assert shareable("madeby train -o ada's") == shareable("""madeby train -o "ada's" """)
