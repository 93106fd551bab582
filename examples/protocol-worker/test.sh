# shellcheck shell=bash
# A worker in Perl, checked against the protocol.
finds perl
passed protocol-worker python3 -B ../tests/integration/workers/conformance.py --baton "$baton" -- perl protocol-worker/worker.pl
