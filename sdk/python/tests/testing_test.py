"""Workflows on virtual time, with steps that pretend and functions that are really carried out."""

import asyncio
import contextlib
import io
import threading
import unittest

import baton
from baton.testing import play, run
from harness import PROGRAM

FLOW = baton.Workflow("w")
FLOW.step("a", task="f", retry={"max_attempts": 2, "initial": "1h", "jitter": "none"})


class Play(unittest.TestCase):
    def test_skips_time(self):
        played = play(FLOW, {"good": {"expect": {"status": "completed"}}}, steps={"a": [{"error": "x"}, {"result": 3}]},
                      program=PROGRAM, restart_every=1)
        self.assertEqual([(one.name, one.status, one.duration) for one in played], [("good", "passed", 3600.0)])

    def test_says_what_is_wrong(self):
        with self.assertRaisesRegex(AssertionError, 'bad: .*expected "failed"'):
            play(FLOW, {"bad": {"expect": {"status": "failed"}}}, steps={"a": {"result": 1}}, program=PROGRAM)

    def test_scenarios_that_cannot_be_read(self):
        with self.assertRaisesRegex(baton.BatonError, "expects"):
            play(FLOW, {"x": {"expects": {}}}, program=PROGRAM)
        with self.assertRaisesRegex(baton.BatonError, "expects"):
            play(FLOW, {"x": {"expects": {}}}, tasks=[baton.task(name="f")(lambda: 1)], program=PROGRAM)

    def test_functions_and_pretended_steps(self):
        flow = baton.Workflow("w")
        first = flow.step("first", task="f")
        flow.step("second", task="g", with_=[first.result])
        played = play(flow, {"good": {"steps": {"first": {"result": 4}}, "expect": {"steps": {"second": {"result": 5}}}},
                             "real": {"expect": {"steps": {"second": {"result": 1}}}}},
                      tasks=[baton.task(name="f")(lambda: 0), baton.task(name="g")(lambda n: n + 1)], program=PROGRAM, restart_every=1)
        self.assertEqual([one.result for one in played], [5, 1])


class Run(unittest.TestCase):
    """One function `f` in a step `a`."""

    def run_one(self, function, at=None, steps=None, **fields):
        flow = baton.Workflow("w")
        flow.step("a", task="f", **fields)
        return run(flow, tasks=[baton.task(name="f")(function)], at=at, steps=steps, program=PROGRAM)

    def test_retries_with_back_off(self):
        def f(ctx):
            if ctx.request.attempt < 4:
                raise ValueError("no")
            return threading.get_ident()

        played = self.run_one(f, retry={"max_attempts": 5, "initial": "1h", "multiplier": 2, "max": "1d", "jitter": "none"})
        self.assertEqual((played.result, played.duration, played.task("a").attempts), (threading.get_ident(), (1 + 2 + 4) * 3600, 4))

    def test_what_a_handler_says_of_its_failure(self):
        def f(ctx):
            raise baton.Retry("busy", after=1800) if ctx.request.attempt == 1 else baton.TaskFailed("gone", type="gone", retry=False, partial=7)

        played = self.run_one(f, retry={"max_attempts": 5, "initial": "1s"})
        self.assertEqual((played.run.status, played.run.error.type, played.duration, played.task("a").attempts), ("failed", "gone", 1800, 2))
        self.assertIn("gone", played.run.error.message)
        with self.assertRaises(baton.RunFailed):
            played.result

    def test_time_passes_by_sleeping(self):
        def f(ctx):
            before = ctx.deadline
            ctx.sleep(100.5)
            return [ctx.time_left(), ctx.deadline == before]

        self.assertEqual(self.run_one(f, timeout="10m").result, [499.5, True])
        self.assertEqual(self.run_one(f, timeout="10m").duration, 100.5)

    def test_a_timeout_reaches_the_handler(self):
        def f(ctx):
            try:
                ctx.sleep(3600)
            except baton.Cancelled:
                return ctx.reason

        played = self.run_one(f, timeout={"soft": "1m", "hard": "2m"})
        self.assertEqual((played.result, played.duration), ("cancelled", 60))
        played = self.run_one(lambda ctx: ctx.sleep(3600), timeout={"soft": "1m", "hard": "2m"}, retry={"max_attempts": 2, "initial": "1m"})
        self.assertEqual((played.run.error.type, played.duration, played.task("a").attempts), ("timeout", 180, 2))
        played = self.run_one(lambda ctx: ctx.sleep(3600), deadline="5m")
        self.assertEqual((played.run.error.type, played.duration), ("timeout", 300))

    def test_signs_of_life(self):
        def f(ctx):
            for _ in range(10):
                ctx.sleep(50)
                ctx.heartbeat()

        self.assertEqual(self.run_one(f, timeout={"hard": "1h", "heartbeat": "1m"}).run.status, "completed")
        played = self.run_one(lambda ctx: ctx.sleep(600), timeout={"hard": "1h", "heartbeat": "1m"})
        self.assertEqual((played.run.error.type, played.duration), ("heartbeat", 60))

    def test_a_limit_of_the_function_itself(self):
        flow = baton.Workflow("w")
        flow.step("a", task="f")
        limited = baton.task(name="f", soft_time_limit=30)(lambda ctx: ctx.sleep(60))
        played = run(flow, tasks=[limited], program=PROGRAM)
        self.assertEqual((played.run.error.type, played.duration), ("timeout", 30))

    def test_what_it_tells_the_server(self):
        def f(ctx, n=0):
            ctx.progress(50, "half way")
            ctx.log.info("a line")
            ctx.print("a line")
            self.assertTrue(ctx.register("kept", ["true"]))
            self.assertFalse(ctx.register("kept", ["true"]))
            self.assertTrue(ctx.register("released", ["true"]))
            self.assertTrue(ctx.release("released"))
            self.assertFalse(ctx.release("released"))
            if n == 0:
                self.assertEqual(ctx.add_tasks({"more": {"task": "f", "with": [1]}}), ["a/more"])
            with self.assertRaisesRegex(baton.BatonError, "kind `workflow`"):
                ctx.start_run("other")
            return n

        with contextlib.redirect_stdout(io.StringIO()) as printed:
            played = self.run_one(f)
        self.assertEqual(printed.getvalue(), "a line\n" * 2)
        self.assertEqual(played.results, {"a": 0, "a/more": 1})
        self.assertEqual(len([line for line in played.history if "resource.cleaned" in line]), 2)

    def test_signals_waits_and_what_is_pretended(self):
        flow = baton.Workflow("w")
        wait = flow.step("wait", wait={"signal": "go"})
        flow.step("a", task="f", with_=[wait.result], needs=flow.step("sleep", wait={"for": "7d"}))
        played = run(flow, tasks=[baton.task(name="f")(lambda n: n + 1)], at={"2h": {"signal": "go", "data": 4}}, program=PROGRAM)
        self.assertEqual((played.result, played.duration), (5, 7 * 86400))
        played = self.run_one(lambda: 1, steps={"a": {"result": 2}})
        self.assertEqual(played.result, 2)
        with self.assertRaisesRegex(baton.BatonError, "refused.*completed"):
            self.run_one(lambda: 1, at={"2h": {"signal": "go"}})

    def test_what_never_ends_is_shown_as_it_is(self):
        flow = baton.Workflow("w")
        flow.step("a", wait={"signal": "go"})
        self.assertEqual(run(flow, program=PROGRAM, until="3d").run.status, "running")

    def test_coroutines_also_within_a_loop(self):
        async def f():
            await asyncio.sleep(0)
            return 3

        async def test():
            return self.run_one(f).result

        self.assertEqual((self.run_one(f).result, asyncio.run(test())), (3, 3))

    def test_results_and_arguments_that_do_not_fit(self):
        for function, error in ((lambda: {1, 2}, "a set has no order"), (lambda n: 1, "missing a required argument")):
            played = self.run_one(function, retry={})
            self.assertEqual((played.run.error.type, played.task("a").attempts), ("validation", 1))
            self.assertIn(error, played.run.error.message)

    def test_a_function_that_is_not_there(self):
        flow = baton.Workflow("w")
        flow.step("a", task="g")
        played = run(flow, tasks=[baton.task(name="f")(lambda: 1)], program=PROGRAM)
        self.assertEqual(played.run.error.type, "no_function")
        self.assertIn("the test has no function 'g' in tasks=; it has f", played.run.error.message)

    def test_what_ends_the_test_ends_everything(self):
        def f():
            raise KeyboardInterrupt  # by pytest's Ctrl-C, say

        with self.assertRaises(KeyboardInterrupt):
            self.run_one(f)


if __name__ == "__main__":
    unittest.main()
