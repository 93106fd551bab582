# shellcheck shell=bash disable=SC2154
example fan-out 0 fan-out/workflow.yaml
passed fan-out fan-out/check.py "$work/fan-out.json"
