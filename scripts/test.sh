#!/usr/bin/env bash
# Set-up, build and all tests; fast ones first, ends at the first stage that fails.
#
#   scripts/test.sh            what a change needs: release build, all its tests, architecture, documentation, examples
#   scripts/test.sh --quick    only unit tests, architecture and documentation
#   scripts/test.sh --full     also unit tests under ASan and UBSan, fuzzers for half a minute, concurrency tests under TSan
#                              (CI does this)
#   scripts/test.sh --long     --full with the long forms of crash, simulation and fuzz tests (hours)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

mode=normal
[ "${CI:-}" != true ] || mode=full
for argument in "$@"; do
  case $argument in
    --quick | --full | --long) mode=${argument#--} ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
[ "$mode" != long ] || export BATON_TEST_LONG=1

started=$(now_ms)
jobs=$(build_jobs)
passed=0
# Shows the tests that failed, not only the end of a long log.
trap 'code=$?; [ "$code" = 0 ] || printf "\n%s%s tests passed before the failure, %s%s\n" "$red" "$passed" \
  "$(duration $(($(now_ms) - started)))" "$plain" >&2' EXIT

# check TITLE COMMAND…   a stage that is a test; adds the number of tests that ctest, unittest or run.sh reported
check() {
  stage "$@"
  passed=$((passed + $(awk '/tests passed, .* tests failed out of/ {sum += $NF} /^Ran [0-9]+ tests? in/ {sum += $2}
                            /^ok  / {sum += 1} END {print sum + 0}' "$(log_of "$1")")))
}
unit_tests() { ctest --test-dir "build/$1" --output-on-failure --no-tests=error --parallel "$jobs" "${@:2}"; }
python_tests() { python3 -B -m unittest discover --start-directory "$1" --top-level-directory "$1" --pattern '*_test.py'; }

stage 'dependencies' scripts/setup.sh
check 'architecture' python_tests tests/architecture
check 'documentation' python_tests tests/docs
stage 'configure release' cmake --preset release
stage 'build release' cmake --build build/release --parallel "$jobs"
check 'unit tests' unit_tests release --label-regex '^unit$'
check 'documentation of the command line' python3 -B tests/docs/check_cli.py build/release/baton
check 'guides do what they show' python3 -B tests/docs/check_guides.py build/release/baton
if [ "$mode" != quick ]; then
  check 'all other tests' ctest --test-dir build/release --output-on-failure --parallel "$jobs" --label-exclude '^unit$'
  stage 'programs for the examples' scripts/setup.sh --examples
  check 'examples' examples/run.sh build/release/baton
fi

if [ "$mode" = full ] || [ "$mode" = long ]; then
  stage 'configure asan' cmake --preset asan -DBATON_BENCH=OFF -DBATON_FUZZ=ON
  stage 'build asan' cmake --build build/asan --parallel "$jobs"
  check 'unit tests under ASan and UBSan' unit_tests asan --label-regex '^(unit|slow)$' --label-exclude integration
  fuzz_seconds=30
  [ "$mode" != long ] || fuzz_seconds=1800
  check 'fuzzers' scripts/fuzz.sh build/asan "$fuzz_seconds"

  # The test of the simulation: it has to find every mistake that is made on purpose.
  stage 'configure seeded bugs' cmake --preset release -B build/seeded -DBATON_BENCH=OFF -DBATON_SEEDED_BUGS=ON
  stage 'build seeded bugs' cmake --build build/seeded --parallel "$jobs" --target simulation
  check 'seeded bugs are found' unit_tests seeded --label-regex '^seeded_bugs$'

  # ThreadSanitizer where threads meet; the rest has none.
  folders=(net logs telemetry executors runtime worker sdk_cpp)
  stage 'configure tsan' cmake --preset tsan -DBATON_BENCH=OFF
  stage 'build tsan' cmake --build build/tsan --parallel "$jobs" --target "${folders[@]/%/_test}"
  check 'tests with threads under TSan' unit_tests tsan --tests-regex "^($(IFS='|' && echo "${folders[*]}"))\$"
fi

printf '\n%s, in %s\n%s100%% tests passed, 0 tests failed out of %s%s\n' "$mode" \
  "$(duration $(($(now_ms) - started)))" "$green" "$passed" "$plain"
