"""The checker: what must hold of every run and database, whatever was done to Baton. Written apart from the engine; it
knows the API's answers, what clients wrote down (journal.py), what tasks wrote down (ledger.py), and SQLite's own word
about the file. Its complaints begin with the invariant's number:

I1   no acknowledged submission is missing
I2   one end per run, task and generation
I3   at most one completed attempt per task
I4   tokens only grow, none is used twice
I5   nothing starts before all that it needs has ended; a join starts once
I7   what has not ended has a reason that `explain` names
I8   limits hold, counted by what tasks wrote down themselves
I9   one key, one run
I11  the database passes its own check, and no row points to nothing
I12  the folded history is the state that the API shows
I13  what serves a task (cleanup, compensation, resources) does so once and to its end

I6 and I10 need schedules and an audit chain, which do not exist yet."""

import collections
import contextlib
import os
import pathlib
import shutil
import sqlite3
import tempfile

TERMINAL = {"completed", "failed", "cancelled", "skipped"}
NOT_COUNTED = {"interrupted", "lost", "released"}


@contextlib.contextmanager
def invariant(number):
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{number}: {error}") from None


def token_key(token):
    return tuple(int(part) for part in token.split("-"))


def check_run(case, api, run_id, ledger=None):
    """Fails the test case at the first invariant that does not hold. Returns (run, tasks with their attempts)."""
    run = api.run(run_id)
    with invariant("I2"):
        case.assertIn(run["status"], TERMINAL)
    tasks = [api.task(task["id"]) for task in api.tasks(run_id)]
    # Tasks that serve others are not counted.
    counted = [task for task in tasks if task["role"] == "main"]
    with invariant("I12"):
        case.assertEqual(run["counts"]["total"], len(counted))
        for status in ("completed", "failed", "skipped", "cancelled"):
            case.assertEqual(run["counts"][status], sum(task["status"] == status for task in counted), status)
    check_endings(case, run, tasks, api)
    for task in tasks:
        check_attempts(case, task)
    check_order(case, tasks)
    check_history(case, run, tasks, api)
    if ledger is not None:
        check_ledger(case, tasks, [entry for entry in ledger.entries() if entry.task.startswith(run_id)])
    return run, tasks


def check_endings(case, run, tasks, api):
    """What serves a task does so once; nothing stays open in the ledger of resources."""
    served = collections.Counter((task["role"], task["parent"]) for task in tasks
                                 if task["role"] in ("cleanup", "compensate"))
    with invariant("I13"):
        case.assertEqual({key: n for key, n in served.items() if n != 1}, {})
        left = [one for one in api.pages("/api/v1/resources", run=run["id"]) if one["status"] != "leaked"]
        case.assertEqual(left, [])


def check_attempts(case, task):
    """Every attempt is accounted for, and at most one of them completed the task."""
    about = f'{task["step"]} {task["id"]}: {task["attempt_list"]}'
    with invariant("I2"):
        case.assertIn(task["status"], TERMINAL, about)
    attempts = task["attempt_list"]
    ends = collections.Counter(attempt["status"] for attempt in attempts)
    with invariant("I3"):
        case.assertEqual(ends["running"], 0, about)
        case.assertLessEqual(ends["completed"], 1, about)
        if ends["completed"]:
            case.assertEqual(attempts[-1]["status"], "completed", about)
            case.assertIn(task["status"], ("completed", "failed"), about)
    with invariant("I12"):
        case.assertEqual(task["interrupted"], ends["interrupted"], about)
        case.assertEqual(task["lost"], ends["lost"], about)
        if task["type"] in ("set", "wait", "switch"):  # decided by the engine in one commit: counted, but nothing that could be interrupted
            case.assertEqual(attempts, [], about)
            return
        case.assertEqual(task["attempts"], sum(n for end, n in ends.items() if end not in NOT_COUNTED), about)
    tokens = [token_key(attempt["token"]) for attempt in attempts]
    with invariant("I4"):
        case.assertEqual(tokens, sorted(set(tokens)), "tokens only grow: " + about)
        for earlier, later in zip(attempts, attempts[1:]):
            case.assertLess(earlier["number"], later["number"], about)
            case.assertLessEqual(earlier["ended_at"], later["started_at"], about)


def check_order(case, tasks):
    """A task starts only after all that it needs have ended, and finally after everything."""
    by_id = {task["id"]: task for task in tasks}
    with invariant("I5"):
        for task in tasks:
            if task["started_at"] is None:
                continue
            # The resources of a lost attempt go back before its task goes on.
            for needed in task["dependencies"] if task["role"] != "resource" else []:
                case.assertLessEqual(by_id[needed]["ended_at"], task["started_at"], f'{task["step"]} before {needed}')
        main_ends = [task["ended_at"] for task in tasks if not task["finally"] and task["ended_at"]]
        for task in tasks:
            if task["finally"] and task["started_at"] and main_ends:
                case.assertLessEqual(max(main_ends), task["started_at"], task["step"])


def check_history(case, run, tasks, api):
    """The journal tells the same story: each end once, each attempt that began ended, and folded it is the state."""
    facts = api.history(run["id"])
    ended = collections.Counter(fact["task"] for fact in facts if fact["type"] == "task.ended")
    with invariant("I2"):
        case.assertEqual({task: n for task, n in ended.items() if n != 1}, {})
        case.assertEqual(sum(fact["type"] == "run.ended" for fact in facts), 1)
        case.assertEqual(facts[-1]["type"], "run.ended")
    with invariant("I12"):
        case.assertEqual(facts[-1]["status"], run["status"])
        folded = {}
        for fact in facts:
            if fact["type"] == "task.ended":
                folded[fact["task"]] = fact["status"]
            elif fact["type"] == "task.skipped":
                folded[fact["task"]] = "skipped"
        shown = {task["id"]: task["status"] for task in tasks}
        for task in folded.keys() - shown.keys():  # mapped steps have an end of their own, lists show their items
            shown[task] = api.task(task)["status"]
        case.assertEqual({task: status for task, status in folded.items() if shown.get(task) != status}, {})
        case.assertEqual({task for task, status in shown.items() if task not in folded and status != "skipped"}, set())
    began = collections.Counter((f["task"], f["attempt"]) for f in facts if f["type"] == "attempt.started")
    over = collections.Counter((f["task"], f["attempt"]) for f in facts if f["type"] == "attempt.ended")
    with invariant("I3"):
        case.assertEqual(began, over)
        listed = {(task["id"], attempt["number"]): 1 for task in tasks for attempt in task["attempt_list"]}
        case.assertEqual(dict(began), listed)


def check_ledger(case, tasks, entries):
    """What the tasks did is what Baton says they did. An attempt that Baton started may have been killed before its
    first line; an attempt that wrote a line and is unknown to Baton must not exist."""
    steps = {task["id"]: task["step"] for task in tasks}
    places = collections.defaultdict(list)  # of all that a step's tasks (a mapped step has many) wrote
    for entry in entries:
        places[entry.step].append(entry.place)
    known = {(task["id"], attempt["token"]): attempt for task in tasks for attempt in task["attempt_list"]}
    starts, ends = {}, {}
    for entry in entries:
        key = (entry.task, entry.token)
        with invariant("I4"):
            case.assertNotEqual(entry.what, "overlap", f"two attempts at once: {entry}")
            case.assertIn(key, known, f"started without a record: {entry}")
            case.assertEqual(entry.attempt, known[key]["number"], entry)
            book = starts if entry.what == "start" else ends
            case.assertNotIn(key, book, f"an attempt ran twice: {entry}")
        book[key] = entry
    # What gives a resource back is a command that was registered: it keeps no book.
    silent = {task["id"] for task in tasks if task["role"] == "resource"}
    for key, attempt in known.items():
        if attempt["status"] == "completed" and key[0] not in silent:
            with invariant("I3"):
                case.assertIn(key, starts, f"completed, but never started: {key} {attempt}")
                case.assertEqual(ends[key].code, 0, f"completed, but did not end well: {key} {attempt}")
    for task in tasks:
        done = [] if task["id"] in silent else [
            ends[task["id"], a["token"]] for a in task["attempt_list"] if a["status"] == "completed"]
        for entry in entries:
            if done and entry.task == task["id"] and entry.what == "start":
                with invariant("I3"):
                    case.assertLess(entry.place, done[0].place, f"ran again after it was completed: {entry}")
        first = min((entry.place for entry in entries if entry.task == task["id"]), default=float("inf"))
        with invariant("I5"):
            for needed in {steps[needed] for needed in task["dependencies"]}:
                case.assertLess(max(places[needed], default=-1), first, f'{task["step"]} before {needed} was over')


def check_limit(case, entries, step, most):
    """Never more than `most` tasks of a step at once. An owner's death ends all that it had started: attempts of an
    earlier incarnation (the first part of the token) are over when a later one begins."""
    open_ = set()
    for entry in sorted((e for e in entries if e.step == step), key=lambda e: e.place):
        if entry.what == "start":
            now = token_key(entry.token)[0]
            open_ = {one for one in open_ if token_key(one[1])[0] == now} | {(entry.task, entry.token)}
        else:
            open_.discard((entry.task, entry.token))
        with invariant("I8"):
            case.assertLessEqual(len(open_), most, f"{step}: {sorted(open_)}")


def check_journal(case, api, journal, others=0):
    """Every answer names a run that is there, and there are no more runs than keys (and `others`)."""
    with invariant("I9"):
        case.assertEqual({key: runs for key, runs in journal.answers.items() if len(set(runs)) != 1}, {})
    stored = collections.defaultdict(list)
    for run in api.runs():
        if run["job_id"] is not None:
            stored[run["job_id"]].append(run["id"])
    with invariant("I9"):
        case.assertEqual({key: runs for key, runs in stored.items() if len(runs) != 1}, {})
        case.assertLessEqual(set(stored), journal.intents, "runs that nobody asked for")
    with invariant("I1"):
        missing = {key: runs[0] for key, runs in journal.answers.items() if stored.get(key) != [runs[0]]}
        case.assertEqual(missing, {})
    return {key: runs[0] for key, runs in stored.items()}


def check_nothing_is_stuck(case, api):
    """Whatever is not over says what it waits for."""
    for run in api.runs(state="active"):
        with invariant("I7"):
            reasons = api.get(f'/api/v1/runs/{run["id"]}/explain')["reasons"]
            case.assertTrue(reasons, run)
            case.assertTrue(all(reason["code"] and reason["message"] for reason in reasons), reasons)


def check_database(case, data, folder=None):
    """SQLite's own check of a copy (so that a log is recovered nowhere but there), and rows that point to nothing.
    Only while nobody writes."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for name in ("baton.db", "baton.db-wal"):
            if os.path.exists(pathlib.Path(data) / name):
                shutil.copy(pathlib.Path(data) / name, place)
        with contextlib.closing(sqlite3.connect(pathlib.Path(place) / "baton.db")) as database:
            with invariant("I11"):
                case.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
                for what, query in ORPHANS.items():
                    case.assertEqual(database.execute(query).fetchone(), (0,), what)


ORPHANS = {
    "tasks without a run": "SELECT count(*) FROM task WHERE run NOT IN (SELECT key FROM run)",
    "runs without a definition": "SELECT count(*) FROM run WHERE NOT EXISTS (SELECT 1 FROM definition d"
                                 " WHERE d.workflow = run.workflow AND d.version = run.version)",
    "keys without a run": "SELECT count(*) FROM idempotency WHERE run NOT IN (SELECT key FROM run)",
    "payloads without content": "SELECT count(*) FROM payload WHERE id NOT IN (SELECT id FROM payload_content)",
    "contents without a payload": "SELECT count(*) FROM payload_content WHERE id NOT IN (SELECT id FROM payload)",
    "payloads whose count is wrong": """
        SELECT count(*) FROM (SELECT p.id, p.refs, (
          (SELECT count(*) FROM run WHERE typeof(input) = 'integer' AND input = p.id) +
          (SELECT count(*) FROM run WHERE typeof(context) = 'integer' AND context = p.id) +
          (SELECT count(*) FROM run WHERE typeof(task_input) = 'integer' AND task_input = p.id) +
          (SELECT count(*) FROM run WHERE typeof(task_result) = 'integer' AND task_result = p.id) +
          (SELECT count(*) FROM task WHERE typeof(input) = 'integer' AND input = p.id) +
          (SELECT count(*) FROM task WHERE typeof(result) = 'integer' AND result = p.id)) AS used
        FROM payload p) WHERE refs <> used""",
}
