"""Runs one other program on files named on standard input; meant for the peers' own environment.

Prints one JSON object a file: says (ai, human or nothing), the maker it names, state, signer, milliseconds.
usage: PEERS_PYTHON benchmarks/provenance_peers.py {issynthetic,bonafide,authentica} < list of files
"""

import json
import os
import sys
import time
from importlib.metadata import version

os.environ.update(ISSYNTHETIC_RULES_SYNC="0", ISSYNTHETIC_OBSERVATIONS="0", ISSYNTHETIC_TELEMETRY="0")


def issynthetic():
    from issynthetic import Config, Inspector

    inspector = Inspector(config=Config.load())

    def look(path):
        found = inspector.inspect(path)
        says = {True: "ai", False: "human", None: ""}[found.is_generated]
        return says, found.generator_name or "", "", ""

    return look


def bonafide():
    from bonafide.engine import detect_file

    def look(path):
        found = detect_file(path)
        detail = next((evidence.detail for evidence in found.evidence if evidence.signal_id == "c2pa.manifest"), {})
        says = "" if found.decision == "abstain" else found.decision
        named = ", ".join(map(str, detail.get("generators") or []))
        return says, named, str(detail.get("validation_state") or ""), str(detail.get("signer") or "")

    return look


def authentica():
    """authentica gives no verdict; a declared trained source or its blind watermark test is taken for one."""
    import authentica

    def look(path):
        found = authentica.scan(path, run_forensics=False)
        declared = found.c2pa is not None and "trainedAlgorithmicMedia" in json.dumps(found.c2pa.to_dict(), default=str)
        state = ""
        if found.has_c2pa:
            state = "signature intact" if found.c2pa.signature_valid else "signature broken"
            if found.c2pa.data_hash_verified is False:
                state = "hash mismatch"
        named = (found.c2pa.claim_generator or "") if found.has_c2pa else ""
        return ("ai" if declared or found.has_watermark else ""), named, state, ""

    return look


def main():
    name = sys.argv[1]
    look = {"issynthetic": issynthetic, "bonafide": bonafide, "authentica": authentica}[name]()
    paths = sys.stdin.read().splitlines()
    for round_number in range(2):  # the first round warms up
        for path in paths if round_number else paths[:1]:
            start = time.perf_counter()
            try:
                says, named, state, signer = look(path)
                error = ""
            except Exception as problem:
                says = named = state = signer = ""
                error = type(problem).__name__
            if round_number:
                spent = round((time.perf_counter() - start) * 1000, 2)
                print(
                    json.dumps(
                        {
                            "path": path,
                            "version": version(name),
                            "says": says,
                            "names": named[:80],
                            "state": state,
                            "signer": signer,
                            "error": error,
                            "milliseconds": spent,
                        }
                    )
                )


main()
