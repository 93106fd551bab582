"""What becomes of a function's return, of what it raises, and of what it says while it runs."""

import asyncio
import dataclasses
import math
import subprocess
import sys
import threading
import unittest
from unittest import mock

import baton
from baton.worker import usage
from harness import PATIENCE, Case, eventually


@baton.task(name="echo")
def echo(*args, **kwargs):
    return {"args": list(args), "kwargs": kwargs}


class Arguments(Case):
    def test_with_becomes_arguments(self):
        self.worker(echo)
        for value, args, kwargs in [({"a": 1, "b": [2]}, [], {"a": 1, "b": [2]}), ([1, {"x": 2}], [1, {"x": 2}], {}),
                                    ("text", ["text"], {}), (7, [7], {}), (None, [], {}), ({}, [], {}), ([], [], {})]:
            with self.subTest(value):
                self.assertEqual(self.outcome(self.run_step("echo", value)), ("completed", {"args": args, "kwargs": kwargs}))

    def test_those_that_do_not_fit_are_not_tried_again(self):
        @baton.task(name="two")
        def two(a, b):
            return a + b

        self.worker(two)
        status, error = self.outcome(self.run_step("two", {"a": 1, "c": 2}, retry={"max_attempts": 5}))
        self.assertEqual((status, error.type), ("failed", "validation"))
        self.assertIn("'b'", error.message)

    def test_names(self):
        def plain():
            pass

        self.assertEqual(baton.task(plain).name, f"{__name__}.Arguments.test_names.plain")
        with self.assertRaisesRegex(ValueError, "name="):
            baton.task(name="not a name")(plain)
        with self.assertRaisesRegex(ValueError, "soft_time_limit"):
            baton.task(soft_time_limit=0)(plain)
        with self.assertRaisesRegex(ValueError, "two functions"):
            baton.Worker([baton.task(name="x")(plain), baton.task(name="x")(echo.function)], self.server.data)

    def test_a_task_is_still_a_function(self):
        self.assertEqual(echo(1, b=2), {"args": [1], "kwargs": {"b": 2}})


class Results(Case):
    def test_json_and_what_has_one_form(self):
        @dataclasses.dataclass
        class Point:
            x: int
            y: "list"

        value = {"text": "ä\u2028\"", "n": 2**53, "list": [1.5, None, True], "point": Point(1, [Point(2, [])])}

        @baton.task(name="value")
        def give():
            return value

        self.worker(give)
        self.assertEqual(self.outcome(self.run_step("value")),
                         ("completed", {**value, "point": {"x": 1, "y": [{"x": 2, "y": []}]}}))

    def test_hostile_ones_fail_alone(self):
        deep = []
        for _ in range(70):
            deep = [deep]
        endless = []
        endless.append(endless)
        bad = {"object": object(), "nan": math.nan, "surrogate": "\ud800", "deep": deep, "endless": endless,
               "large": "x" * (2 << 20), "bytes": b"x", "keys": {(1, 2): 3}, "fine": "x" * ((2 << 20) - 2)}

        @baton.task(name="bad")
        def give(which):
            return bad[which]

        self.worker(give, concurrency=len(bad))
        runs = {which: self.run_step("bad", {"which": which}, retry={"max_attempts": 3}) for which in bad}
        for which, run in runs.items():
            status, error = self.outcome(run)
            with self.subTest(which):
                if which == "fine":
                    self.assertEqual(status, "completed")
                else:
                    self.assertEqual((status, error.type), ("failed", "validation"))


class Failures(Case):
    def test_an_exception_has_its_type_and_the_last_lines_of_its_traceback(self):
        @baton.task(name="fails")
        def fails():
            def inner():
                raise KeyError("what is missing")
            inner()

        self.worker(fails)
        status, error = self.outcome(self.run_step("fails"))
        self.assertEqual((status, error.type), ("failed", "KeyError"))
        self.assertIn("what is missing", error.message)
        self.assertIn("inner()", error.message)
        self.assertNotIn("invoke", error.message)

    def test_rules_match_what_a_handler_says(self):
        @baton.task(name="quota")
        def quota():
            raise baton.TaskFailed("the quota is used up", type="quota", partial={"done": 3})

        self.worker(quota, echo)
        run = self.client.submit({"name": "t", "steps": {
            "a": {"task": "quota", "retry": {"max_attempts": 3},
                  "on_error": [{"match": {"type": "quota"}, "do": "fallback"}],
                  "fallback": {"task": "echo", "with": {"left": "${{ self.result.done }}"}}}}})
        self.assertEqual(self.outcome(run), ("completed", {"args": [], "kwargs": {"left": 3}}))

    def test_retry_false_and_retry_after(self):
        calls = []

        @baton.task(name="never")
        def never():
            calls.append("never")
            raise baton.TaskFailed("no use", retry=False)

        @baton.task(name="later")
        def later(ctx):
            calls.append("later")
            if ctx.request.attempt == 1:
                raise baton.Retry("not yet", after=0.02)
            return ctx.request.attempt

        self.worker(never, later)
        retry = {"max_attempts": 4, "initial": "1ms", "jitter": "none"}
        self.assertEqual(self.outcome(self.run_step("never", retry=retry))[0], "failed")
        self.assertEqual(self.outcome(self.run_step("later", retry=retry)), ("completed", 2))
        self.assertEqual(calls, ["never", "later", "later"])

    def test_exit_is_a_failure_of_the_task_only(self):
        @baton.task(name="exits")
        def exits():
            raise SystemExit(3)

        self.worker(exits, echo)
        self.assertEqual(self.outcome(self.run_step("exits"))[1].type, "SystemExit")
        self.assertEqual(self.outcome(self.run_step("echo"))[0], "completed")

    def test_hostile_messages(self):
        @baton.task(name="hostile")
        def hostile(which):
            raise {"surrogate": ValueError("\ud800"), "nul": ValueError("\0"), "long": ValueError("x" * 200_000),
                   "unprintable": type("\udfff" + "E" * 300, (Exception,), {})()}[which]

        self.worker(hostile)
        for which in ("surrogate", "nul", "long", "unprintable"):
            with self.subTest(which):
                self.assertEqual(self.outcome(self.run_step("hostile", which))[0], "failed")

    def test_errors_of_a_call_of_the_function_itself(self):
        @baton.task(name="inside")
        def inside():
            return len(3)

        self.worker(inside)
        self.assertEqual(self.outcome(self.run_step("inside"))[1].type, "TypeError")


class Coroutines(Case):
    def test_side_by_side(self):
        barrier = []

        @baton.task(name="meet")
        async def meet(n):
            barrier.append(n)
            while len(barrier) < 3:
                await asyncio.sleep(0.001)
            return n

        self.worker(meet, pool="async", concurrency=3)
        runs = [self.run_step("meet", {"n": n}) for n in range(3)]
        self.assertEqual([self.outcome(run) for run in runs], [("completed", n) for n in range(3)])

    def test_a_plain_function_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no coroutine"):
            baton.Worker([echo], self.server.data, pool="async")

    def test_both_kinds_in_one_worker(self):
        @baton.task(name="co")
        async def co(ctx):
            await asyncio.sleep(0)
            return [ctx.request.step, baton.current() is ctx]

        self.worker(co, echo)
        self.assertEqual(self.outcome(self.run_step("co")), ("completed", ["a", True]))
        self.assertEqual(self.outcome(self.run_step("echo"))[0], "completed")

    def test_cancel(self):
        seen = threading.Event()
        begun = threading.Event()

        @baton.task(name="waits")
        async def waits():
            begun.set()
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                seen.set()
                raise

        self.worker(waits)
        run = self.run_step("waits")
        self.assertTrue(begun.wait(PATIENCE))
        self.client.cancel(run.id)
        self.assertTrue(seen.wait(PATIENCE))
        self.assertEqual(self.client.wait(run.id, PATIENCE).status, "cancelled")


class Contexts(Case):
    def test_progress_resources_and_new_tasks(self):
        seen = {}

        @baton.task(name="busy")
        def busy(ctx):
            ctx.progress(40, "epoch 4 of 10")
            seen["task"] = self.client.task(ctx.request.task)
            seen["first"] = ctx.register("vm-7", ["touch", str(self.folder / "given-back")])
            seen["again"] = ctx.register("vm-7", ["touch", str(self.folder / "given-back")])
            ctx.register("vm-8", ["touch", str(self.folder / "not-needed")])
            seen["released"] = ctx.release("vm-8")
            ctx.add_tasks({"more": {"task": "echo", "with": {"n": 1}}})
            ctx.heartbeat()
            with ctx.beating(0.001):
                pass
            return baton.current().request.step

        self.worker(busy, echo)
        run = self.run_step("busy")
        self.assertEqual(self.client.wait(run.id, PATIENCE).status, "completed")
        tasks = {task.step: task for task in self.client.tasks(run.id) if task.raw["role"] == "main"}
        self.assertEqual(seen["task"].progress, 40)
        self.assertEqual(seen["task"].raw["progress_message"], "epoch 4 of 10")
        self.assertEqual([seen["first"], seen["again"], seen["released"]], [True, False, True])
        self.assertEqual(tasks["a"].result, "a")
        self.assertEqual(tasks["a/more"].result, {"args": [], "kwargs": {"n": 1}})
        self.assertTrue((self.folder / "given-back").exists())
        self.assertFalse((self.folder / "not-needed").exists())

    def test_outside_of_a_task(self):
        with self.assertRaises(LookupError):
            baton.current()

    def test_cancel_reaches_a_function_that_looks_and_one_that_does_not(self):
        begun = threading.Semaphore(0)
        ended = []

        @baton.task(name="looks")
        def looks(ctx):
            begun.release()
            try:
                ctx.sleep(3600)
            except baton.Cancelled:
                ended.append("looks")
                raise

        @baton.task(name="spins")
        def spins():
            begun.release()
            try:
                while True:
                    pass
            except baton.Cancelled:
                ended.append("spins")
                raise

        self.worker(looks, spins)
        for name in ("looks", "spins"):
            run = self.run_step(name)
            self.assertTrue(begun.acquire(timeout=PATIENCE))
            self.client.cancel(run.id)
            self.assertEqual(self.client.wait(run.id, PATIENCE).status, "cancelled")
        eventually(lambda: ended == ["looks", "spins"], "both ends")

    def test_an_attempt_that_was_overtaken_hears_of_it(self):
        begun, go = threading.Event(), threading.Event()
        heard = []

        @baton.task(name="late")
        def late(ctx):
            if ctx.request.attempt == 1:
                begun.set()
                go.wait(PATIENCE)
                try:
                    ctx.progress(1)
                except (baton.StaleToken, baton.Cancelled) as error:
                    heard.append(error)
            return ctx.request.attempt

        worker = self.worker(late, name="first")
        run = self.run_step("late")
        self.assertTrue(begun.wait(PATIENCE))
        # Somebody says that the worker is gone: its attempt is lost, another one begins.
        self.client.request("DELETE", f"/api/v1/workers/{worker.name}")
        self.assertEqual(self.outcome(run), ("completed", 2))
        with self.assertLogs("baton.worker", "WARNING"):
            go.set()
            eventually(lambda: heard and not worker._held, "the refusal")
        self.assertEqual(self.outcome(run), ("completed", 2))
        (task,) = self.client.tasks(run.id)
        self.assertEqual((task.attempts, task.lost), (1, 1))


class Standing(Case):
    """What people see of a worker, and say of it."""

    def row(self, worker):
        return self.client.request("GET", f"/api/v1/workers/{worker.name}")

    def test_what_it_says_of_itself(self):
        worker = self.worker(echo, tags=["gpu", "eu"], concurrency=3)
        row = eventually(lambda: (found := self.row(worker))["memory_bytes"] and found, "its heartbeat")
        self.assertEqual((row["tags"], row["concurrency"]), (["eu", "gpu"], 3))
        self.assertGreater(row["memory_bytes"], 1 << 20)
        tagged = self.client.request("GET", "/api/v1/workers?tag=gpu")["items"]
        self.assertEqual([one["name"] for one in tagged], [worker.name])

    def test_usage_counts_children(self):
        meter = usage.UsageMeter()
        self.assertNotIn("cpu_percent", meter.look())
        alone = meter.look()["memory_bytes"]
        with mock.patch.object(usage, "EVERY", 0.0):
            child = subprocess.Popen([sys.executable, "-c", "x = b'x' * (64 << 20); print(1, flush=True); input()"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            child.stdout.readline()
            seen = meter.look()
            child.communicate(b"\n")
        self.assertGreater(seen["memory_bytes"], alone + (64 << 20))
        self.assertGreater(seen["cpu_percent"], 0)

    def test_it_drains_when_the_server_wants_it(self):
        begun, go = threading.Event(), threading.Event()

        @baton.task(name="slow")
        def slow():
            begun.set()
            return go.wait(PATIENCE)

        worker = self.worker(slow, grace=0.0)  # which is not for this
        run = self.run_step("slow")
        self.assertTrue(begun.wait(PATIENCE))
        self.client.request("POST", f"/api/v1/workers/{worker.name}/drain")
        eventually(lambda: worker._draining, "the worker to hear of it")
        go.set()
        self.assertEqual(self.outcome(run), ("completed", True))
        self.assertTrue(worker.join(PATIENCE))

    def test_a_task_starts_a_run_once(self):
        self.client.apply({"name": "child", "inputs": {"n": {"type": "integer"}}, "steps": {"a": {"set": {"n": "${{ inputs.n }}"}}}})

        @baton.task(name="parent")
        def parent(ctx):
            started = [ctx.start_run("child", {"n": 7}), ctx.start_run("child", {"n": 7}), ctx.start_run("child", {"n": 8}, key="b")]
            if ctx.request.attempt == 1:
                raise baton.TaskFailed("once more", type=started[0])
            return started

        # With a key that may do what a worker does and nothing else.
        key = self.client.request("POST", "/api/v1/keys", {"name": "w", "role": "worker"})["key"]
        worker = baton.Worker([parent], self.server.url, key=key, grace=0.0)
        worker.start()
        self.addCleanup(worker.join, PATIENCE)
        self.addCleanup(worker.stop, now=True)
        status, started = self.outcome(self.run_step("parent", retry={"max_attempts": 2, "initial": "1ms"}))
        self.assertEqual(status, "completed")
        self.assertEqual(started[0], started[1])
        self.assertEqual({run.id for run in self.client.list(workflow="child")}, {started[0], started[2]})
        self.assertEqual(self.client.wait(started[0], PATIENCE).input, {"n": 7})

    def test_what_waits_in_the_worker_does_not_use_up_its_time(self):
        go, begun = threading.Event(), threading.Event()

        @baton.task(name="slow")
        def slow():
            begun.set()
            go.wait(PATIENCE)

        @baton.task(name="quick")
        def quick():
            return "done"

        self.worker(slow, quick, concurrency=1, prefetch=3)
        first = self.run_step("slow")
        self.assertTrue(begun.wait(PATIENCE))
        run = self.run_step("quick", timeout="1s")
        cancelled = self.run_step("quick")
        self.running(cancelled)  # for the server: it waits in the worker
        self.client.cancel(cancelled.id)
        self.assertEqual(self.client.wait(cancelled.id, PATIENCE).status, "cancelled")
        # The server wants the other one to end when its second is over: it is given back, and comes again.
        eventually(lambda: [a for a in self.attempts(run) if a["status"] == "released"], "the one given back")
        go.set()
        self.assertEqual(self.outcome(run), ("completed", "done"))
        self.assertEqual(self.client.wait(first.id, PATIENCE).status, "completed")

    def attempts(self, run):
        (task,) = self.client.tasks(run.id)
        return self.client.task(task.id).raw["attempt_list"]

    def test_how_long_an_attempt_may_go_on(self):
        @baton.task(name="left")
        def left(ctx):
            return [ctx.time_left(), ctx.deadline and ctx.deadline.isoformat()]

        self.worker(left)
        self.assertEqual(self.outcome(self.run_step("left")), ("completed", [None, None]))
        status, (seconds, instant) = self.outcome(self.run_step("left", timeout="1h"))
        self.assertEqual(status, "completed")
        self.assertTrue(0 < seconds <= 3600, seconds)
        self.assertIn("+00:00", instant)


class Around(Case):
    def test_middleware(self):
        seen = []

        class Notes(baton.Middleware):
            def before(self, task, args, request):
                seen.append(("before", task.name, args, request.step))

            def after(self, task, args, result, request):
                seen.append(("after", result))

            def on_failure(self, task, args, error, traceback, request):
                seen.append(("failed", type(error), "ValueError: no" in traceback))
                raise RuntimeError("its own mistakes change nothing")

        @baton.task(name="fails")
        def fails():
            raise ValueError("no")

        self.worker(echo, fails, middleware=[Notes()])
        self.assertEqual(self.outcome(self.run_step("echo", [1]))[0], "completed")
        with self.assertLogs("baton.worker", "ERROR"):
            self.assertEqual(self.outcome(self.run_step("fails"))[0], "failed")
        self.assertEqual(seen, [("before", "echo", [1], "a"), ("after", {"args": [1], "kwargs": {}}),
                                ("before", "fails", None, "a"), ("failed", ValueError, True)])

    def test_several_are_around_each_other(self):
        seen = []

        class Layer(baton.Middleware):
            def __init__(self, name, closed=False):
                self.name = name
                self.closed = closed

            def before(self, task, args, request):
                seen.append(f"before {self.name}")
                if self.closed:
                    raise ValueError("closed")

            def after(self, task, args, result, request):
                seen.append(f"after {self.name}")

            def on_failure(self, task, args, error, traceback, request):
                seen.append(f"failed {self.name}")

        layers = [Layer("a"), Layer("b")]
        self.worker(echo, middleware=layers)
        self.outcome(self.run_step("echo"))
        layers[1].closed = True
        self.outcome(self.run_step("echo"))
        self.assertEqual(seen, ["before a", "before b", "after b", "after a", "before a", "before b", "failed b", "failed a"])

    def test_what_before_raises_is_how_the_attempt_ends(self):
        class Closed(baton.Middleware):
            def before(self, task, args, request):
                raise baton.TaskFailed("closed today", type="closed", retry=False)

        self.worker(echo, middleware=[Closed()])
        self.assertEqual(self.outcome(self.run_step("echo"))[1].type, "closed")

    def test_limits_of_the_function(self):
        @baton.task(name="soft", soft_time_limit=0.02)
        def soft(ctx):
            try:
                ctx.sleep(3600)
            except baton.TimeLimit:
                return "tidied up"

        @baton.task(name="hard", time_limit=0.02)
        def hard():
            threading.Event().wait(PATIENCE)  # no Python code runs: nothing can be raised here

        self.worker(soft, hard, echo, concurrency=1)
        self.assertEqual(self.outcome(self.run_step("soft")), ("completed", "tidied up"))
        self.assertEqual(self.outcome(self.run_step("hard"))[1].type, "timeout")
        self.assertEqual(self.outcome(self.run_step("echo"))[0], "completed")  # the place is free again

    def test_functions_that_come_later(self):
        worker = self.worker(echo)

        @baton.task(name="new")
        def new():
            return "new"

        run = self.run_step("new")
        worker.add(new)
        self.assertEqual(self.outcome(run), ("completed", "new"))


if __name__ == "__main__":
    unittest.main()
