# shellcheck shell=bash disable=SC2154
nightly-report/make_shop.py "$work/shop.db" 2026-11-20
night() { # NAME WANTED_EXIT_CODE DAY
  example "$1" "$2" nightly-report/workflow.yaml --input "database=$work/shop.db" --input "day=$3" --input "out=$work/nights"
  passed "$1" nightly-report/check.py "$work/shop.db" "$3" "$work/nights" "$work/$1.json"
}
night nightly-report 0 2026-11-20
night nightly-nothing 3 2026-11-21
