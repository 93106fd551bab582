#!/usr/bin/env bash
# Installs what building, testing and the examples need, from the distribution's packages. Does nothing, and needs
# neither root nor a network, when everything is there.
#
#   scripts/setup.sh               build, tests
#   scripts/setup.sh --examples    also the programs that examples/audio-pipeline uses (14 MB)
#   scripts/setup.sh --dev         also those, clang-format, clang-tidy and shellcheck
set -euo pipefail

# The one list of dependencies (Debian 12).
packages=(
  # compiler and build
  clang-19 lld-19 libclang-rt-19-dev libc6-dev libstdc++-12-dev cmake ninja-build pkg-config ccache
  # libraries
  libboost1.81-dev libboost-json1.81-dev libfmt-dev libspdlog-dev libcli11-dev libhowardhinnant-date-dev libre2-dev
  libsqlitecpp-dev libsqlite3-dev libsodium-dev libssl-dev libyaml-dev prometheus-cpp-dev zlib1g-dev libmimalloc-dev
  # tests and benchmarks; g++ builds what uses the C++ SDK
  g++ libgtest-dev librapidcheck-dev libbenchmark-dev dpkg-dev file sqlite3 python3 python3-venv python3-jsonschema procps
  # run time: time zones; the example's imaging library and pictures
  tzdata python3-pil adwaita-icon-theme
)
example_packages=(espeak-ng sox apertium-eng-spa)
dev_packages=(clang-format-19 clang-tidy-19 shellcheck)

case ${1:-} in
  '') ;;
  --examples) packages+=("${example_packages[@]}") ;;
  --dev) packages+=("${example_packages[@]}" "${dev_packages[@]}") ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup.sh: this system has no apt. Baton is built and tested on Debian 12; install the equivalents of:" >&2
  printf '  %s\n' "${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "setup.sh: run as root, or install sudo, to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

echo "setup.sh: installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# quietly COMMAND…   shows the output only if it fails
quietly() {
  "$@" >"$log" 2>&1 </dev/null && return
  tail -n 30 "$log" >&2
  return 1
}
install_missing() {
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "${missing[@]}"
}
quietly "${as_root[@]}" apt-get update || echo "setup.sh: apt-get update failed; trying with the lists that are here" >&2
if ! install_missing; then
  echo "setup.sh: installation failed (above). clang-19 is part of Debian 12; older or other systems need its source." >&2
  exit 1
fi
