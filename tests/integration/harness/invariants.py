"""What must hold of every run, however often Baton was killed (RELIABILITY: I2, I3, I5, I13). Written apart from the
engine: from the API's answers and from what the tasks wrote down themselves."""

import collections

TERMINAL = {"completed", "failed", "cancelled", "skipped"}
NOT_COUNTED = {"interrupted", "lost", "released"}


def token_key(token):
    return tuple(int(part) for part in token.split("-"))


def check_run(case, api, run_id, ledger=None):
    """Fails the test case at the first invariant that does not hold. Returns (run, tasks with their attempts)."""
    run = api.run(run_id)
    case.assertIn(run["status"], TERMINAL)
    tasks = [api.task(task["id"]) for task in api.tasks(run_id)]
    # Tasks that serve others are not counted.
    counted = [task for task in tasks if task["role"] == "main"]
    case.assertEqual(run["counts"]["total"], len(counted))
    for status in ("completed", "failed", "skipped", "cancelled"):
        case.assertEqual(run["counts"][status], sum(task["status"] == status for task in counted), status)
    check_endings(case, run, tasks, api)
    for task in tasks:
        check_attempts(case, task)
    check_order(case, tasks)
    check_history(case, run, tasks, api.history(run_id))
    if ledger is not None:
        check_ledger(case, tasks, [entry for entry in ledger.entries() if entry.task.startswith(run_id)])
    return run, tasks


def check_endings(case, run, tasks, api):
    """I13: what serves a task does so once; nothing stays open in the ledger of resources."""
    served = collections.Counter((task["role"], task["parent"]) for task in tasks
                                 if task["role"] in ("cleanup", "compensate"))
    case.assertEqual({key: n for key, n in served.items() if n != 1}, {})
    left = [resource for resource in api.pages("/api/v1/resources", run=run["id"]) if resource["status"] != "leaked"]
    case.assertEqual(left, [])


def check_attempts(case, task):
    """Every attempt is accounted for, and at most one of them completed the task."""
    about = f'{task["step"]} {task["id"]}: {task["attempt_list"]}'
    case.assertIn(task["status"], TERMINAL, about)
    attempts = task["attempt_list"]
    ends = collections.Counter(attempt["status"] for attempt in attempts)
    case.assertEqual(ends["running"], 0, about)
    case.assertLessEqual(ends["completed"], 1, about)
    if ends["completed"]:
        case.assertEqual(attempts[-1]["status"], "completed", about)
        case.assertIn(task["status"], ("completed", "failed"), about)
    case.assertEqual(task["interrupted"], ends["interrupted"], about)
    case.assertEqual(task["lost"], ends["lost"], about)
    if task["type"] == "set":  # computed by the engine in one commit: counted, but nothing that could be interrupted
        case.assertEqual(attempts, [], about)
        return
    case.assertEqual(task["attempts"], sum(n for end, n in ends.items() if end not in NOT_COUNTED), about)
    tokens = [token_key(attempt["token"]) for attempt in attempts]
    case.assertEqual(tokens, sorted(set(tokens)), "tokens only grow: " + about)
    for earlier, later in zip(attempts, attempts[1:]):
        case.assertLess(earlier["number"], later["number"], about)
        case.assertLessEqual(earlier["ended_at"], later["started_at"], about)


def check_order(case, tasks):
    """A task starts only after all that it needs have ended, and finally after everything."""
    by_id = {task["id"]: task for task in tasks}
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


def check_history(case, run, tasks, facts):
    """The journal tells the same story: each end once, each attempt that began ended."""
    ended = collections.Counter(fact["task"] for fact in facts if fact["type"] == "task.ended")
    case.assertEqual({task: n for task, n in ended.items() if n != 1}, {})
    case.assertEqual(sum(fact["type"] == "run.ended" for fact in facts), 1)
    case.assertEqual(facts[-1]["type"], "run.ended")
    case.assertEqual(facts[-1]["status"], run["status"])
    began = collections.Counter((f["task"], f["attempt"]) for f in facts if f["type"] == "attempt.started")
    over = collections.Counter((f["task"], f["attempt"]) for f in facts if f["type"] == "attempt.ended")
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
            case.assertIn(key, starts, f"completed, but never started: {key} {attempt}")
            case.assertEqual(ends[key].code, 0, f"completed, but did not end well: {key} {attempt}")
    for task in tasks:
        done = [] if task["id"] in silent else [
            ends[task["id"], a["token"]] for a in task["attempt_list"] if a["status"] == "completed"]
        for entry in entries:
            if done and entry.task == task["id"] and entry.what == "start":
                case.assertLess(entry.place, done[0].place, f"ran again after it was completed: {entry}")
        first = min((entry.place for entry in entries if entry.task == task["id"]), default=float("inf"))
        for needed in {steps[needed] for needed in task["dependencies"]}:
            case.assertLess(max(places[needed], default=-1), first, f'{task["step"]} before {needed} was over')
