# shellcheck shell=bash
# The pipeline's own tests, and the pipeline with a server and workers.
BATON_BIN=$baton PYTHONPATH=$here/../sdk/python/src:$here/python passed python-tests python3 -B -m unittest -q test_pipeline
passed python-pipeline python3 -B python/check.py "$baton" "$work/python.data" "$work/python.words"
