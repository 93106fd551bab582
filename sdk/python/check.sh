#!/usr/bin/env bash
# Builds the wheel and runs the tests from it in clean virtual environments of the oldest and the newest Python (3.9 or later)
# that the machine has, or of those named.
#
#   BATON_BIN=build/release/baton sdk/python/check.sh [PYTHON…]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${BATON_BIN:?says which program the tests use}"
BATON_BIN=$(realpath -- "$BATON_BIN")
export BATON_BIN
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Not by names of the PATH alone: a shim of pyenv for a version that is not selected does not end.
works() { [ -x "$1" ] && timeout 20 "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1; }
pythons=("$@")
if [ $# = 0 ]; then
  found=()
  for python in /usr/bin/python3.{9,{10..19}} /usr/local/bin/python3.{9,{10..19}} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3 \
    "$(command -v python3)"; do
    ! works "$python" || found+=("$("$python" -c 'import sys; print("%d.%02d" % sys.version_info[:2], sys.executable)')")
  done
  [ ${#found[@]} -gt 0 ] || { echo "check.sh: no Python 3.9 or later with venv" >&2; exit 2; }
  mapfile -t pythons < <(printf '%s\n' "${found[@]}" | sort -u -k1,1 | sed -n '1p;$p' | cut -d' ' -f2- | uniq)
fi

# A copy, since a build leaves things beside the sources.
cp -r "$here/pyproject.toml" "$here/README.md" "$here/src" "$work"
# In an environment of its own, which has pip where the system has none.
"${pythons[0]}" -m venv --system-site-packages "$work/build"
builder=$work/build/bin/python
isolation=()
! "$builder" -c 'import setuptools, wheel' 2>/dev/null || isolation=(--no-build-isolation)
"$builder" -m pip --disable-pip-version-check wheel --quiet --no-deps "${isolation[@]}" --wheel-dir "$work/wheel" "$work" ||
  { echo "check.sh: no wheel: neither setuptools and wheel nor a package registry are there" >&2; exit 77; }

# Types, where mypy is at hand or can be had: of the package as it is installed, and of a program that uses it.
if "$builder" -c 'import mypy' 2>/dev/null || "$builder" -m pip --disable-pip-version-check install --quiet mypy 2>/dev/null; then
  "$builder" -m pip --disable-pip-version-check install --quiet --no-index --no-deps "$work"/wheel/*.whl
  (cd "$work" && "$builder" -m mypy --strict -p baton && "$builder" -m mypy --strict "$here/tests/typed_program.py" &&
    cd "$here/../../examples/python" && MYPYPATH=. "$builder" -m mypy --strict --cache-dir="$work/cache" ./*.py)
else
  echo "types were not checked: there is no mypy" >&2
fi

# check PYTHON VENV
check() {
  "$1" -m venv "$2"
  "$2/bin/python" -m pip --disable-pip-version-check install --quiet --no-index --no-deps "$work"/wheel/*.whl
  echo "$("$2/bin/python" --version), baton from $(cd / && "$2/bin/python" -c 'import baton; print(baton.__file__)')"
  cd "$here/tests" && env -u PYTHONPATH "$2/bin/python" -B -m unittest discover -s . -t . -p '*_test.py'
}
jobs=()
for number in "${!pythons[@]}"; do # side by side: they mostly wait
  check "${pythons[$number]}" "$work/venv.$number" >"$work/log.$number" 2>&1 &
  jobs+=($!)
done
code=0
for number in "${!jobs[@]}"; do
  wait "${jobs[$number]}" || code=1
  cat "$work/log.$number"
done
exit $code
