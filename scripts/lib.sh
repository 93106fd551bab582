# What quickstart.sh and test.sh share. Sourced from the project's folder, not run.
# shellcheck shell=bash disable=SC2034

logs=build/logs
mkdir -p "$logs"

# Jobs that cores and memory allow: a translation unit of Boost takes about 1.5 GB.
build_jobs() {
  local cores memory_gb by_memory
  cores=$(nproc)
  memory_gb=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
  by_memory=$((memory_gb * 2 / 3))
  [ "$by_memory" -ge 1 ] || by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}

now_ms() { date +%s%3N; }

# duration MILLISECONDS   "0.8 s", "12.3 s", "3 min 05 s"
duration() {
  if [ "$1" -lt 60000 ]; then
    printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100))
  else
    printf '%d min %02d s' $(($1 / 60000)) $(($1 % 60000 / 1000))
  fi
}

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' plain=''
fi

# log_of TITLE   the file that a stage's output goes to
log_of() { printf '%s/%s.log' "$logs" "$(printf '%s' "$1" | tr -c 'a-zA-Z0-9' '-')"; }

# Redraws one line with the title and how far ninja or ctest are, until this script ends or the ticker is stopped.
ticker() {
  local log=$1 title=$2 progress
  while kill -0 $$ 2>/dev/null; do
    progress=$(tail -c 2000 "$log" 2>/dev/null | grep -oE '^(\[[0-9]+/[0-9]+\]|[0-9]+/[0-9]+ Test)' | tail -n 1 || true)
    printf '\r\e[K%s  …  %s %s%s' "$dim" "$title" "${progress% Test}" "$plain"
    sleep 0.3
  done
}

# stage TITLE COMMAND…   runs the command with its output in a log file; one line says how it went. Shows the end of the
# log and ends the script (set -e) if it fails.
stage() {
  local title=$1 started log code=0 ticker=''
  shift
  started=$(now_ms)
  log=$(log_of "$title")
  : >"$log"
  if [ -t 1 ]; then
    ticker "$log" "$title" &
    ticker=$!
  fi
  "$@" >"$log" 2>&1 </dev/null || code=$?
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    printf '\r\e[K'
  fi
  if [ "$code" = 0 ]; then
    printf '%s  ok%s  %s %s(%s)%s\n' "$green" "$plain" "$title" "$dim" "$(duration $(($(now_ms) - started)))" "$plain"
    return
  fi
  printf '%sFAILED%s %s (%s), exit code %s. The end of %s:\n\n' "$red" "$plain" "$title" \
    "$(duration $(($(now_ms) - started)))" "$code" "$log" >&2
  tail -n 60 "$log" >&2
  return "$code"
}
