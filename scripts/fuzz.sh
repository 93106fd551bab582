#!/usr/bin/env bash
# Runs every fuzzer of a build with BATON_FUZZ=ON, as many at a time as there are cores, each from its committed corpus.
#
#   scripts/fuzz.sh [BUILD] [SECONDS]      default: build/asan 60; expressions get all of the time, the others a third
#
# What a fuzzer finds is left in BUILD/fuzz/<name>/. Prints a line per fuzzer; exits 1 if one found something.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/asan} seconds=${2:-60}

run_one() {
  local program=$1 name=${1##*/} time=$seconds work corpus
  name=${name%_fuzz}
  case $name in expr_*) ;; *) time=$(((seconds + 2) / 3)) ;; esac
  work=$build/fuzz/$name corpus=tests/fuzz/corpus/$name
  mkdir -p "$work/new"
  [ -d "$corpus" ] || corpus=
  # New inputs go into the first folder; the committed corpus is only read.
  if "$program" "$work/new" ${corpus:+"$corpus"} -max_total_time="$time" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -artifact_prefix="$work/" -print_final_stats=1 >"$work/log" 2>&1; then
    echo "ok   $name: $(awk '/^stat::number_of_executed_units/ {print $2}' "$work/log") inputs in $time s"
  else
    echo "FAIL $name: see $work"
    tail -n 30 "$work/log"
    return 1
  fi
}
export -f run_one
export build seconds
find "$build" -type f -name '*_fuzz' -perm -u+x | sort | xargs -P "$(nproc)" -I{} bash -c 'run_one {}'
