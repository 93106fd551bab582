#!/usr/bin/env bash
# Runs every example and checks what it made.
#
#   examples/run.sh [BATON]      default: build/release/baton
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
baton=$(realpath -- "${1:-$here/../build/release/baton}")
cd "$here"
[ -x "$baton" ] || { echo "run.sh: $baton is not a program; build it first (scripts/quickstart.sh)" >&2; exit 2; }
work=$(mktemp -d)
# Hostile folders hold what plain rm may not enter or list.
trap 'chmod -R u+rwX "$work" 2>/dev/null || true; rm -rf "$work"' EXIT

# example NAME WANTED_EXIT_CODE ARGUMENTS…   runs a workflow in a data directory of its own; its JSON is $work/NAME.json
example() {
  local name=$1 wanted=$2 code=0
  shift 2
  "$baton" run --data "$work/$name.data" --output json "$@" >"$work/$name.json" 2>"$work/$name.err" </dev/null || code=$?
  [ "$code" = "$wanted" ] && return
  echo "not ok  $name: exit code $code instead of $wanted" >&2
  tail -n 40 "$work/$name.err" "$work/$name.json" >&2
  exit 1
}
# passed NAME CHECK…   runs the check, prints the line of the result
passed() {
  local name=$1
  shift
  "$@" >"$work/$name.check" 2>&1 || { echo "not ok  $name" >&2; cat "$work/$name.check" >&2; exit 1; }
  printf 'ok  %-24s %s\n' "$name" "$(tail -n 1 "$work/$name.check")"
}

example hello 0 hello/workflow.yaml --input name=Ada
passed hello hello/check.py "$work/hello.json"

example fan-out 0 fan-out/workflow.yaml
passed fan-out fan-out/check.py "$work/fan-out.json"

# What the README and the guide show is a promise as well.
mkdir "$work/shown"
python3 -B ../tests/docs/snippets.py "$work/shown" >"$work/shown.list"
while IFS= read -r file; do
  name=$(basename "$file" .yaml)
  example "$name" 0 "$file"
  passed "$name" echo 'shown in the documentation: completed'
done <"$work/shown.list"

source=/usr/share/icons/Adwaita
example dataset-build 0 dataset-build/workflow.yaml --input "source=$source" --input "out=$work/dataset"
passed dataset-build dataset-build/check.py "$source" "$work/dataset" "$work/dataset-build.json"

dataset-build/make_hostile_folder.py "$work/hostile"
LC_ALL=C TZ=Asia/Kathmandu example dataset-hostile 0 dataset-build/workflow.yaml --input "source=$work/hostile" --input "out=$work/from hostile" \
  --input batch_size=7
passed dataset-hostile dataset-build/check.py "$work/hostile" "$work/from hostile" "$work/dataset-hostile.json"

mkdir "$work/few"
cp "$work"/hostile/p0*.png "$work/few"
example dataset-too-small 3 dataset-build/workflow.yaml --input "source=$work/few" --input "out=$work/from few"
passed dataset-too-small grep -o 'needs at least 50' "$work/from few/report.json"
passed dataset-too-small grep -o 'needs at least 50' "$work/dataset-too-small.json"
