#!/bin/sh
# step.sh NAME [COMMAND…]   a task that keeps its own books, apart from Baton's.
#
# Appends "TASK ATTEMPT TOKEN NAME start" to $LEDGER, runs the command, appends "… end CODE". A line is one write with
# O_APPEND, so lines of tasks side by side do not mix; `sync` makes it durable. For its whole life, with everything it
# starts, it holds a lock that belongs to its task: an "overlap" line says that two attempts of a task lived at once.
set -u
name=$1
shift
note() {
  printf '%s %s %s %s %s\n' "$BATON_TASK_ID" "$BATON_ATTEMPT" "$BATON_TOKEN" "$name" "$1" >>"$LEDGER"
  sync "$LEDGER"
}
exec 9>>"$LEDGER.$BATON_TASK_ID"
flock --nonblock 9 || note overlap
trap : TERM # what is asked to end is the command; this shell waits for it and notes how it went
note start
"$@"
code=$?
note "end $code"
exit "$code"
