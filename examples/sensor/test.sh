# shellcheck shell=bash disable=SC2154
serve partner_port sensor/partner.py "$work/partner.log"
# One task at a time: if the wait held a worker, the export would never be released.
example sensor 0 sensor/workflow.yaml --input "partner=http://127.0.0.1:$partner_port" --concurrency 1
passed sensor sensor/check.py "$work/partner.log" "$work/sensor.json"
example sensor-timeout 3 sensor/workflow.yaml --input "partner=http://127.0.0.1:$partner_port" --input month=never
passed sensor-timeout sensor/check.py "$work/partner.log" "$work/sensor-timeout.json" --timeout
