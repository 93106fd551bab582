# shellcheck shell=bash disable=SC2154
example hello 0 hello/workflow.yaml --input name=Ada
passed hello hello/check.py "$work/hello.json"
