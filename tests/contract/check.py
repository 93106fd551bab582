#!/usr/bin/env python3
"""Whether the server does what its OpenAPI file says: a public validator reads the file, and Schemathesis makes
requests of it, right and wrong ones, against a running server. No answer may be 5xx, and each must be one that the
file describes.

    python3 -B tests/contract/check.py build/release/baton [--seconds 40] [--seed 1] [--environment DIR]

CI runs it for 40 seconds with one seed; `--seconds 1800 --seed N` is the long form. Both tools come from the package
registry, in the versions below, into a virtual environment of their own (build/contract). Exits 77 (skipped) where there
is no registry.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ["schemathesis==4.32.5", "openapi-spec-validator==0.9.0"]
PATIENCE = 120

# What is not asked at random: streams and calls that wait on purpose (they have tests of their own), and what writes a
# file of any name.
STREAMS = r"(/events|/stream|/wait|/claim)$"
LEFT_OUT = ["makeBackup"]
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def tools(folder):
    """The programs' folder. None: they cannot be had."""
    programs = folder / "bin"
    mark = folder / "tools.txt"
    wanted = "\n".join(TOOLS)
    if mark.exists() and mark.read_text() == wanted:
        return programs
    venv.create(folder, with_pip=True, clear=True)
    done = subprocess.run([programs / "pip", "install", "--quiet", "--disable-pip-version-check", *TOOLS],
                          capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    mark.write_text(wanted)
    return programs


def started(baton, data):
    """A server on a free port, and where it is."""
    out = open(data / "out", "w+")
    environment = {**os.environ, "BATON_SEED_SUBMIT_WORKFLOW": "hello", "HOME": str(data)}
    server = subprocess.Popen([baton, "server", "--data", data / "data", "--listen", "127.0.0.1:0", "--output", "json"],
                              stdout=out, stderr=open(data / "log", "w"), env=environment)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        text = (data / "out").read_text()
        if text.endswith("}\n"):
            return server, json.loads(text)
        time.sleep(0.05)
    raise SystemExit("the server did not start:\n" + (data / "log").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("baton", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--environment", type=pathlib.Path, default=ROOT / "build" / "contract")
    options = parser.parse_args()
    programs = tools(options.environment)
    if programs is None:
        print("skipped: the package registry cannot be reached")
        return 77

    valid = subprocess.run([programs / "openapi-spec-validator", ROOT / "src" / "api" / "openapi.yaml"])
    if valid.returncode != 0:
        return 1

    with tempfile.TemporaryDirectory(prefix="baton-contract-") as folder:
        data = pathlib.Path(folder)
        server, facts = started(options.baton.resolve(), data)
        try:
            key = (data / "data" / "admin.key").read_text().strip()
            # Something to be found: a workflow and some runs of it.
            flow = data / "hello.yaml"
            flow.write_text("name: hello\nsteps: {greet: {exec: [/bin/true]}}\n")
            for words in (["apply", flow], ["start", "hello"], ["start", "hello"]):
                subprocess.run([options.baton.resolve(), *words], env={**os.environ, "BATON_DATA": str(data / "data")},
                               check=True, stdout=subprocess.DEVNULL)
            asked = [programs / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run",
                     facts["url"] + "/api/v1/openapi.json",
                     "--header", f"X-API-Key: {key}", "--checks", CHECKS, "--exclude-path-regex", STREAMS,
                     "--phases", "coverage,fuzzing,stateful", "--max-time", str(options.seconds), "--seed", str(options.seed),
                     "--max-examples", "20" if options.seconds < 120 else "1000", "--no-shrink", "--continue-on-failure",
                     "--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off"]
            for operation in LEFT_OUT:
                asked += ["--exclude-operation-id", operation]
            done = subprocess.run(asked, cwd=data)
            if server.poll() is not None:
                print("the server has ended:\n" + (data / "log").read_text()[-4000:], file=sys.stderr)
                return 1
            return 1 if done.returncode != 0 else 0
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
