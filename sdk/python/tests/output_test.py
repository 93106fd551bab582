"""What attempts say, on its way to their logs on the server."""

import logging
import unittest

import baton
from baton.errors import StaleToken, Unavailable
from baton.output import MOST_WAITING, Output, TaskLog
from harness import Case, eventually


@baton.task(name="talks")
def talks(ctx, name):
    ctx.log.info("began with %s", name)
    ctx.log.debug("not worth it")
    ctx.print("one", 2, sep="-")
    try:
        raise ValueError("why")
    except ValueError:
        ctx.log.exception("it went wrong")
    print("from print")
    print("no end of line", end="")


@baton.task(name="talks_async")
async def talks_async(ctx):
    ctx.log.warning("of a coroutine")
    print("printed there")


@baton.task(name="talks_and_waits")
def talks_and_waits(ctx):
    ctx.print("here I am")
    while not ctx.cancelled:
        ctx.sleep(0.01)


@baton.task(name="silent")
def silent():
    return 1


class Logs(Case):
    def said(self, function, **values):
        run = self.run_step(function, values or None)
        self.client.wait(run.id)
        return self.client.logs(f"{run.id}.0")

    def check(self, **options):
        self.worker(talks, talks_async, silent, capture_output=True, **options)
        text = self.said("talks", name="Ada")
        lines = text.splitlines()
        self.assertEqual(lines[:3], ["INFO began with Ada", "one-2", "ERROR it went wrong"])
        self.assertIn("ValueError: why", text)
        self.assertNotIn("not worth it", text)
        self.assertEqual([line for line in lines if "print" in line or "no end" in line], ["from print", "no end of line"])
        self.assertEqual(self.said("talks_async").splitlines(), ["WARNING of a coroutine", "printed there"])
        self.assertEqual(self.said("silent"), "")

    def test_threads(self):
        self.check()

    def test_processes(self):
        self.check(pool="process", concurrency=1)

    def test_print_is_not_caught_unless_asked_for(self):
        self.worker(talks)
        self.assertNotIn("from print", self.said("talks", name="Bob"))

    def test_while_it_runs(self):
        self.worker(talks_and_waits)
        run = self.run_step("talks_and_waits")
        eventually(lambda: "here I am" in self.client.logs(f"{run.id}.0"), "the line")
        self.client.cancel(run.id)
        self.client.wait(run.id)


class FakeServer:
    """Takes pieces as the server does: a repetition adds nothing."""

    def __init__(self):
        self.text = b""
        self.errors = []

    def __call__(self, body):
        if self.errors:
            error = self.errors.pop(0)
            if error == "lost":
                self.take(body)
                raise Unavailable("the answer was lost")
            raise error
        return self.take(body)

    def take(self, body):
        new = "".join(entry["text"] for entry in body["entries"]).encode()
        self.text += new[max(0, len(self.text) - body["offset"]):]
        return {"offset": len(self.text)}


class Unit(unittest.TestCase):
    def setUp(self):
        self.server = FakeServer()
        self.output = Output(self.server)

    def test_a_server_that_is_away_costs_nothing(self):
        self.server.errors = [Unavailable("nobody"), "lost"]
        self.output.add("ä")
        self.assertFalse(self.output.flush())
        self.output.add("b\n", "stderr")
        self.assertFalse(self.output.flush())
        self.assertFalse(self.output.is_empty)
        self.assertTrue(self.output.flush())
        self.assertTrue(self.output.is_empty)
        self.assertEqual(self.server.text.decode(), "ä\nb\n")

    def test_an_attempt_that_does_not_count_says_no_more(self):
        self.server.errors = [StaleToken(409, {"detail": "old"})]
        self.output.add("a")
        self.assertTrue(self.output.flush())
        self.assertTrue(self.output.is_empty)

    def test_memory_is_bounded(self):
        line = "x" * 999
        for _ in range(MOST_WAITING // 1000 + 5):
            self.output.add(line)
        self.assertTrue(self.output.flush())
        self.assertLessEqual(len(self.server.text), MOST_WAITING + 200)
        self.assertIn(b"characters of output were dropped", self.server.text[-100:])

    def test_half_a_surrogate_pair(self):
        self.output.add("\ud800 x")
        self.assertTrue(self.output.flush())
        self.assertEqual(self.server.text, b"? x\n")

    def test_the_logger_goes_on_as_before(self):
        said = []
        log = TaskLog(logging.getLogger("baton.task.t"), {"run": "r"}, lambda text, stream: said.append((text, stream)))
        with self.assertLogs("baton.task.t", "DEBUG") as caught:
            log.debug("quiet")
            log.info("n = %d", 7)
        self.assertEqual(said, [("INFO n = 7", "stderr")])
        self.assertEqual([record.getMessage() for record in caught.records], ["quiet", "n = 7"])
        self.assertEqual((caught.records[1].run, caught.records[1].filename), ("r", "output_test.py"))


if __name__ == "__main__":
    unittest.main()
