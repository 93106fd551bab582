# shellcheck shell=bash disable=SC2154
# questions COUNT NAME QUERY…   starts as many runs, all at once, and waits for them; their JSON is $work/NAME.N.json
questions() {
  local count=$1 name=$2 number run data=$work/$2.data
  shift 2
  for ((number = 0; number < count; ++number)); do
    "$baton" run --detach --data "$data" agents/workflow.yaml --input "query=${*:number % $#+1:1}" --input "nlp=http://127.0.0.1:$nlp" \
      --input "data=http://127.0.0.1:$data_port" --input "viz=http://127.0.0.1:$viz" >>"$work/$name.runs" 2>"$work/$name.err" ||
      not_ok "$name" 'a run was not taken' "$work/$name.err"
  done
  number=0
  while IFS= read -r run; do
    number=$((number + 1))
    "$baton" run --data "$data" --resume "$run" --output json >"$work/$name.$number.json" 2>"$work/$name.err" </dev/null ||
      not_ok "$name" "run $run did not complete" "$work/$name.err"
  done <"$work/$name.runs"
}
serve nlp agents/agent.py nlp "$work/nlp.log" 20
serve data_port agents/agent.py data "$work/data.log" 20
serve viz agents/agent.py viz "$work/viz.log" 20
questions 40 agents tea coffee 'tea as a chart' 'coffee by region, as a chart'
passed agents agents/check.py flaky "$work" "$work"/agents.*.json
: >"$work/data.log.outage"
questions 4 agents-down 'tea as a chart' 'coffee by region, as a chart'
passed agents-down agents/check.py down "$work" "$work"/agents-down.*.json
