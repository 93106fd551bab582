#!/usr/bin/env bash
# From a clone to a running workflow: installs what is missing, builds Baton and runs examples/dataset-build on the
# pictures of the default icon theme.
#
#   scripts/quickstart.sh
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
started=$(now_ms)

echo "${bold}Baton quickstart${plain}  set-up, build, one real workflow; a first build takes some minutes"
stage 'dependencies' scripts/setup.sh
stage 'configure' cmake --preset release
stage "build with $(build_jobs) jobs" cmake --build build/release --parallel "$(build_jobs)" --target baton
baton=$PWD/build/release/baton
out=$PWD/build/dataset

printf '\n%sbaton run examples/dataset-build/workflow.yaml --input out=%s%s\n\n' "$bold" "$out" "$plain"
code=0
"$baton" run examples/dataset-build/workflow.yaml --input "out=$out" || code=$?
if [ "$code" != 0 ]; then
  echo "${red}The run did not complete (exit code $code).${plain} See: $baton runs list" >&2
  exit "$code"
fi

cat <<END

${green}Done${plain} in $(duration $(($(now_ms) - started))).
  report   $out/report.md
  archive  $out/dataset.tar

Try next:
  $baton runs list
  $baton run examples/dataset-build/workflow.yaml --input source=\$HOME/Pictures --input out=/tmp/dataset
  $baton run examples/fan-out/workflow.yaml          (kill -9 it, then: baton run --resume RUN)
  docs/guide/getting-started.md
END
