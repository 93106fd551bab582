# shellcheck shell=bash disable=SC2154
# questions COUNT NAME QUERY…   starts as many runs, all at once, and waits for them; their JSON is $work/NAME.N.json
questions() {
  local count=$1 name=$2 number run
  shift 2
  for ((number = 0; number < count; ++number)); do
    "$baton" run --detach --data "$work/agents.data" agents/workflow.yaml --input "query=${*:number % $#+1:1}" \
      --input "nlp=http://127.0.0.1:$nlp" --input "data=http://127.0.0.1:$data_port" --input "viz=http://127.0.0.1:$viz" \
      >>"$work/$name.runs" 2>"$work/$name.err" || not_ok "$name" 'a run was not taken' "$work/$name.err"
  done
  number=0
  while IFS= read -r run; do
    number=$((number + 1))
    "$baton" run --data "$work/agents.data" --resume "$run" --output json >"$work/$name.$number.json" 2>"$work/$name.err" \
      </dev/null || not_ok "$name" "run $run did not complete" "$work/$name.err"
  done <"$work/$name.runs"
}
# breaker NAME   what is known of the data agent's breaker, into $work/NAME.breaker.json
breaker() {
  "$baton" breakers get data --data "$work/agents.data" --output json >"$work/$1.breaker.json" 2>"$work/$1.err" ||
    not_ok "$1" 'the breaker is not known' "$work/$1.err"
}
# What the workflow does when agents stay down for long is played first, on virtual time.
passed agents-scenarios "$baton" test agents/agents.test.yaml
passed agents-simulated agents/simulate.sh "$baton"

serve nlp agents/agent.py nlp "$work/nlp.log" 20
serve data_port agents/agent.py data "$work/data.log" 20
serve viz agents/agent.py viz "$work/viz.log" 20
questions 40 agents tea coffee 'tea as a chart' 'coffee by region, as a chart'
passed agents agents/check.py flaky "$work" "$work"/agents.[0-9]*.json

# No more chance from here on: the data agent goes down, its breaker opens, yesterday's numbers serve.
: >"$work/nlp.log.steady" >"$work/data.log.steady" >"$work/viz.log.steady"
: >"$work/data.log.outage"
questions 8 agents-down 'tea as a chart' 'coffee by region, as a chart'
breaker agents-down
passed agents-down agents/check.py down "$work" "$work"/agents-down.[0-9]*.json

# It comes back: after a while the breaker lets a few requests through, sees them answered, and closes.
rm "$work/data.log.outage"
for ((round = 0, end = SECONDS + 60; SECONDS < end; ++round)); do
  questions 1 "agents-back-$round" 'tea as a chart'
  breaker agents-back
  ! grep -q '"state": "closed"' "$work/agents-back.breaker.json" || break
done
questions 2 agents-up 'tea as a chart' 'coffee by region, as a chart'
breaker agents-up
passed agents-up agents/check.py up "$work" "$work"/agents-up.[0-9]*.json
