#!/usr/bin/env bash
# Runs the examples and checks what they made: each folder's test.sh, and the workflows that the documentation shows.
#
#   examples/run.sh [BATON [EXAMPLE…]]      default: build/release/baton, all of them
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
baton=$(realpath -- "${1:-$here/../build/release/baton}")
shift $(($# > 0 ? 1 : 0))
PATH=$(dirname "$baton"):$PATH # for steps that speak to it: baton task
export PATH
cd "$here"
[ -x "$baton" ] || { echo "run.sh: $baton is not a program; build it first (scripts/quickstart.sh)" >&2; exit 2; }
work=$(mktemp -d)
servers=()
finish() {
  [ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null || true
  # Hostile folders hold what plain rm may not enter or list.
  chmod -R u+rwX "$work" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# not_ok NAME MESSAGE FILE…   ends with the last lines of the files
not_ok() {
  echo "not ok  $1: $2" >&2
  tail -n 40 "${@:3}" >&2
  exit 1
}
# example NAME WANTED_EXIT_CODE ARGUMENTS…   runs a workflow in a data directory of its own; its JSON is $work/NAME.json
example() {
  local name=$1 wanted=$2 code=0
  shift 2
  timeout 300 "$baton" run --data "$work/$name.data" --output json "$@" >"$work/$name.json" 2>"$work/$name.err" </dev/null ||
    code=$?
  [ "$code" = "$wanted" ] || not_ok "$name" "exit code $code instead of $wanted" "$work/$name.err" "$work/$name.json"
}
# passed NAME CHECK…   runs the check, prints the last line that it prints
passed() {
  local name=$1
  shift
  "$@" >"$work/$name.check" 2>&1 || not_ok "$name" "the check failed: $*" "$work/$name.check"
  printf 'ok  %-24s %s\n' "$name" "$(tail -n 1 "$work/$name.check")"
}
# serve VARIABLE COMMAND…   starts a server that prints its port when it listens, and sets the variable to that port
serve() {
  local variable=$1 pipe=$work/serve.$1
  shift
  mkfifo "$pipe"
  "$@" >"$pipe" 2>>"$work/servers.log" &
  servers+=($!)
  read -r "${variable?}" <"$pipe" || not_ok "$1" "the server did not start" "$work/servers.log"
  rm "$pipe"
}
# finds PROGRAM…   ends with a hint if one is not installed
finds() {
  local program
  for program; do
    command -v "$program" >/dev/null || { echo "run.sh: $program is missing; scripts/setup.sh --examples installs it" >&2; exit 2; }
  done
}

tests=("${@/%//test.sh}")
[ $# -gt 0 ] || tests=(*/test.sh)
for test in "${tests[@]}"; do
  [ -f "$test" ] || { echo "run.sh: there is no example '${test%/test.sh}'; there are: $(printf '%s ' */)" >&2; exit 2; }
  # shellcheck source=/dev/null
  . "./$test"
done

if [ $# = 0 ]; then
  passed layout "$baton" fmt --check ./*/workflow.yaml

  # What the README and the guide show is a promise as well.
  mkdir "$work/shown"
  python3 -B ../tests/docs/snippets.py "$work/shown" >"$work/shown.list"
  while IFS= read -r file; do
    name=$(basename "$file" .yaml)
    example "$name" 0 "$file"
    passed "$name" echo 'shown in the documentation: completed'
  done <"$work/shown.list"
fi
