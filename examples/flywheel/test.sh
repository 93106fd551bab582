# shellcheck shell=bash disable=SC2154
flywheel/make_logs.py "$work/interactions.jsonl"
serve cloud_port flywheel/cloud.py "$work/cloud.log"
inputs=(--input "logs=$work/interactions.jsonl" --input "cloud=http://127.0.0.1:$cloud_port")
check_flywheel() { # NAME RUN_JSON…
  passed "$1" flywheel/check.py "$work/interactions.jsonl" "http://127.0.0.1:$cloud_port" "$work/cloud.log" 1 "${@:2}"
}

# Two runs of one owner want the one GPU, and to train.
together() { # NAME
  timeout 300 "$baton" run --data "$work/flywheel.data" --output json flywheel/workflow.yaml "${inputs[@]}" \
    >"$work/$1.json" 2>"$work/$1.err" </dev/null || not_ok "$1" 'it failed' "$work/$1.err" "$work/$1.json"
}
together flywheel-1 &
rival=$!
together flywheel-2
wait "$rival" || exit 1
check_flywheel flywheel "$work/flywheel-1.json" "$work/flywheel-2.json"

# Interrupted when the model is deployed, but the step has not heard of it: until_deployed NAME SIGNAL
until_deployed() {
  local seen victim
  : >"$work/cloud.log.hold"
  seen=$(wc -l <"$work/cloud.log")
  "$baton" run --data "$work/$1.data" flywheel/workflow.yaml "${inputs[@]}" >"$work/$1.log" 2>&1 </dev/null &
  victim=$!
  grep -m 1 -q deployed < <(tail --lines "+$((seen + 1))" --follow --pid "$victim" "$work/cloud.log") ||
    not_ok "$1" 'nothing was deployed' "$work/$1.log"
  kill "-$2" "$victim"
  wait "$victim" 2>/dev/null || true
  rm "$work/cloud.log.hold"
}
until_deployed flywheel-killed KILL
run=$("$baton" runs list --data "$work/flywheel-killed.data" --output json 2>/dev/null |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["id"])')
example flywheel-killed 0 --resume "$run"
check_flywheel flywheel-killed "$work/flywheel-killed.json"
# Killed again; nobody goes on with it.
until_deployed flywheel-given-up KILL
run=$("$baton" runs list --data "$work/flywheel-given-up.data" --output json 2>/dev/null |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["id"])')
"$baton" runs cancel --data "$work/flywheel-given-up.data" "$run" >"$work/flywheel-given-up.log" 2>&1 || true
example flywheel-given-up 3 --resume "$run"
passed flywheel-given-up python3 -c 'import json, sys
printed = json.load(open(sys.argv[1]))
assert printed["run"]["status"] == "cancelled" and printed["run"]["resources"] == [], printed["run"]
assert not json.load(__import__("urllib.request").request.urlopen(sys.argv[2]))["items"]
print("cancelled after the kill, nothing deployed")' "$work/flywheel-given-up.json" "http://127.0.0.1:$cloud_port/deployments"
until_deployed flywheel-cancelled TERM
passed flywheel-cancelled grep -o 'flywheel cancelled' "$work/flywheel-cancelled.log"
check_flywheel flywheel-cancelled "$work/flywheel-killed.json"
