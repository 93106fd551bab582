"""The runs of a golden database: what they are, how far they are when their owner is killed, and how they end when
another one goes on. The tasks find everything from $BATON_RUN_DIR, since the directory is another one each time:
DATA/scratch/RUN."""

# Keeps the books of harness/step.sh, and waits for DATA/gate where it is told to.
BOOK = """
data=$(dirname "$(dirname "$BATON_RUN_DIR")")
note() { printf '%s %s %s %s %s\\n' "$BATON_TASK_ID" "$BATON_ATTEMPT" "$BATON_TOKEN" "$STEP" "$1" >>"$data/ledger"; }
gate() { until [ -e "$data/gate" ]; do sleep 0.05; done; }
note start
"""


def step(name, body="", code=0, **fields):
    script = f"STEP={name}{BOOK}{body}\nnote 'end {code}'\nexit {code}\n"
    return {"exec": ["/bin/sh", "-c", script]} | fields


RESULT = """echo '{"text": "äöü ☃"}' >"$BATON_RESULT" """
LARGE = """{ printf '{"large": "'; head -c 9000 /dev/zero | tr '\\0' x; printf '"}'; } >"$BATON_RESULT" """

# name: (definition, what is waited for before the kill, how it ends). What is waited for: a status of the run, or
# (step, status) of a task of it. "{n}" = the number of the ledger's "start" lines of a step.
FLOWS = {
    "completed": ({"steps": {
        "small": step("small", RESULT),
        "large": step("large", LARGE, needs=["small"]),
        "list": {"needs": ["large"], "set": {"items": [1, 2, 3]}},
        "each": {"needs": ["list"], "for_each": "${{ steps.list.result.items }}", "set": {"n": "${{ item * 2 }}"}},
    }}, "completed", "completed"),
    "failed": ({"steps": {"bad": step("bad", "", 3), "after": step("after", needs=["bad"])},
                "finally": {"tidy": step("tidy")}}, "failed", "failed"),
    "running": ({"inputs": {"word": {"type": "string", "default": "hello"}},
                 "steps": {
                     "first": step("first", LARGE),
                     "work": step("work", "gate\n" + RESULT, needs=["first"]),
                     "last": {"needs": ["work"], "set": {
                         "text": "${{ steps.work.result.text + inputs.word }}",
                         "size": "${{ size(steps.first.result.large) }}"}},
                 }, "finally": {"tidy": step("tidy")}}, ("work", "running"), "completed"),
    "fan-out": ({"steps": {
        "fan": step("fan", '[ "$INDEX" -lt 5 ] || gate', env={"INDEX": "${{ index }}"},
                    for_each=list(range(12)), max_parallel=2),
        "join": {"needs": ["fan"], "set": {"many": "${{ size(steps.fan.result) }}"}},
    }}, ("fan", 5), "completed"),
    "retrying": ({"steps": {"flaky": {
        "exec": ["/bin/sh", "-c", "STEP=flaky" + BOOK + '[ -e "$data/gate" ] && note "end 0" && exit 0\nnote "end 1"\nexit 1'],
        "retry": {"max_attempts": 3, "backoff": "fixed", "initial": "10m", "jitter": "none"}}}},
        ("flaky", "retrying"), "completed"),
    "cancelling": ({"steps": {"stubborn": step("stubborn", "trap '' TERM\nwhile :; do sleep 0.1; done"),
                              "after": step("after", needs=["stubborn"])},
                    "finally": {"tidy": step("tidy")}}, ("stubborn", "running"), "cancelled"),
    "finally": ({"steps": {"work": step("work")}, "finally": {
        "tidy": step("tidy", "gate"), "report": step("report", needs=["tidy"])}}, ("tidy", "running"), "completed"),
    # Of later schemas; a program that does not know them refuses them, and its file has none.
    "signal": ({"steps": {"asks": {"wait": {"signal": "go"}}, "after": step("after", needs=["asks"])}},
               ("asks", "running"), "completed"),
    "resource": ({"steps": {
        "make": step("make", "gate", cleanup=step("give-back")),
        "undone": step("undone", compensate=step("undo"))}}, ("make", "running"), "completed"),
    "paused": ({"steps": {"one": step("one", "gate"), "two": step("two", needs=["one"])}}, ("one", "running"), "completed"),
    "held": ({"steps": {"stuck": step("stuck", "", 3, on_error=[{"match": {}, "do": "hold"}])}},
             ("stuck", "retrying"), "completed"),
    "breaker": ({"targets": {"golden": {"breaker": {"failures": 1, "recovery": "1h", "types": ["exit"]}}},
                 "steps": {"calls": step("calls", "", 3, target="golden", continue_on_error=True)}},
                "completed", "completed"),
}
# Many of these wait for a slot.
QUEUED = 20
QUEUED_FLOW = {"steps": {"wait": step("wait", "gate")}}
