#!/bin/sh
# One task of an instance: checks its input files, takes its time, writes its output files.
#
#   task.sh ID SECONDS INPUT… -- OUTPUT…      in the folder $FOLDER
#
# Each output says who made it and the checksums of what it was made from, so that a file proves that all its ancestors
# were there. Outputs are replaced whole: a repeated attempt writes the same again.
set -eu
id=$1 seconds=$2
shift 2
mkdir -p -- "$FOLDER"
cd -- "$FOLDER"
made_from=
while [ "$1" != -- ]; do
  made_from="$made_from$(sha256sum <"./$1")
"
  shift
done
shift
sleep "$seconds"
for output; do
  printf '%s of %s\n%s' "$output" "$id" "$made_from" >"./$output.$BATON_TASK_ID"
  mv -- "./$output.$BATON_TASK_ID" "./$output"
done
