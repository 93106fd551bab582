# shellcheck shell=bash disable=SC2154
serve etl_port etl/shop_api.py "$work/shop.log"
example etl 0 etl/workflow.yaml --input "api=http://127.0.0.1:$etl_port" --input "warehouse=$work/warehouse.db"
passed etl etl/check.py "http://127.0.0.1:$etl_port" "$work/shop.log" "$work/warehouse.db" "$work/etl.json"
