# shellcheck shell=bash disable=SC2154
instance=wfcommons/instances/sky-mosaic.json
wfcommons/convert.py "$instance" --scale 0.001 >"$work/mosaic.json"
example wfcommons 0 "$work/mosaic.json" --input "folder=$work/mosaic"
passed wfcommons wfcommons/check.py "$instance" "$work/mosaic" "$work/wfcommons.json"
passed wfcommons-converter wfcommons/check_converter.py "$instance"
