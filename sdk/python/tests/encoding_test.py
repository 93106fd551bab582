"""What becomes JSON, in which form, and what is said of what does not."""

import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import unittest
import unittest.mock
import uuid

import baton
from baton.encoding import encode


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    inner: object = None


class Model:
    """As pydantic's."""

    def model_dump(self, mode):
        return {"mode": mode}


class Array:
    """As NumPy's."""

    dtype = "int64"

    def tolist(self):
        return [1, 2]


class Forms(unittest.TestCase):
    def test_what_has_one_form(self):
        utc = datetime.timezone.utc
        for value, form in (
                (Point(1, Point(2)), {"x": 1, "inner": {"x": 2, "inner": None}}), ((1, "a"), [1, "a"]), (Color.RED, "red"),
                (datetime.datetime(2026, 11, 21, tzinfo=utc), "2026-11-21T00:00:00+00:00"), (datetime.date(2026, 1, 2), "2026-01-02"),
                (datetime.time(1, 2), "01:02:00"), (datetime.timedelta(minutes=1), 60), (datetime.timedelta(milliseconds=1), 0.001),
                (pathlib.Path("/a"), "/a"), (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"), (Model(), {"mode": "json"}),
                (Array(), [1, 2]), ({1: 2}, {"1": 2}), ("ä\u2028", "ä\u2028"), (2**63, 2**63)):
            with self.subTest(form):
                self.assertEqual(json.loads(encode(value)), form)

    def test_what_has_none_is_named_with_its_place_and_a_way_out(self):
        deep = endless = []
        endless.append(endless)
        for _ in range(200):
            deep = [deep]
        for value, said in (
                ({"a": [1, b"x"]}, "at /a/1: bytes have no form in JSON; decode"), ({1, 2}, "a set has no order; sorted"),
                (decimal.Decimal(1), "str(…) or float(…)"), ([math.nan], "at /0: nan is no number in JSON; return None"),
                ({"a": -math.inf}, "at /a: -inf is no number"), ({"a": {(1, 2): 3}}, "at /a: a key is a tuple; keys are texts"),
                ((i for i in "ab"), "a generator is gone over once; list(…)"), (print, "is code; call it"), (Color, "is code"),
                (Point(1, {2}), "at /inner: a set"), (object(), "a object has no form in JSON"), (endless, "contains itself"), (deep, "contains itself"),
                ("\ud800", "half a surrogate pair"), (unittest.mock.NonCallableMock(), "a NonCallableMock has no form in JSON")):
            with self.subTest(said), self.assertRaises(ValueError) as raised:
                encode(value, "the result")
            self.assertTrue(str(raised.exception).startswith("the result "))
            self.assertIn(said, str(raised.exception))

    def test_a_coroutine_that_was_not_awaited(self):
        async def later():
            pass

        made = later()
        self.addCleanup(made.close)
        with self.assertRaisesRegex(ValueError, "was not awaited"):
            encode({"a": made})

    def test_arguments_and_definitions_are_made_alike(self):
        flow = baton.Workflow("w", deadline=datetime.timedelta(hours=1))
        task = baton.task(name="f")(lambda point, when: None)
        flow.step("a", task=task.s(Point(1), datetime.date(2026, 1, 2)), timeout=datetime.timedelta(minutes=5), env={"A": pathlib.Path("/x")})
        self.assertEqual(flow.to_dict(), {"name": "w", "deadline": 3600, "steps": {"a": {
            "task": "f", "with": {"point": {"x": 1, "inner": None}, "when": "2026-01-02"}, "timeout": 300, "env": {"A": "/x"}}}})
        with self.assertRaisesRegex(TypeError, "a set has no order"):
            flow.step("b", task=task.s({1}, 2))
        with self.assertRaisesRegex(ValueError, "at /input/a: a set"):
            baton.Client("/nowhere", patience=0).start("w", {"a": {1}})


if __name__ == "__main__":
    unittest.main()
