#!/usr/bin/env bash
# simulate.sh BATON   plays 1,000 runs in which a fifth of all requests fail, and demands that 95 % of them succeed without
# any stand-in: the fallbacks are taken out.
set -euo pipefail
baton=$(realpath -- "$1")
cd "$(dirname "$0")"
grep -v '^    fallback:' workflow.yaml |
  "$baton" simulate - --assume assume.yaml --runs 1000 --output json --input query='tea as a chart' --input nlp=http://nlp \
    --input data=http://data --input viz=http://viz |
  python3 -c '
import json, sys
told = json.load(sys.stdin)
completed, runs = told["outcomes"].get("completed", 0), told["runs"]
assert completed >= 0.95 * runs, told["outcomes"]
print(f"{completed} of {runs} simulated runs succeed, a fifth of all requests fail")'
