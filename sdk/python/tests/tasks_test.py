"""Tasks as users write them: names, policies, and what is said of mistakes."""

import datetime
import inspect
import json
import subprocess
import unittest

import baton
from baton.fields import POLICIES, StepFields, WorkflowFields
from harness import PROGRAM


@baton.task(name="images.label", retry={"max_retries": 3}, timeout=datetime.timedelta(minutes=10), queue="gpu")
def label(path, size=256):
    return path


@baton.task
def plain():
    return 1


class Policies(unittest.TestCase):
    def test_stand_in_every_step_that_is_built_of_the_task(self):
        policies = {"retry": {"max_retries": 3}, "timeout": 600, "queue": "gpu"}
        flow = baton.Workflow("w")
        self.assertEqual(flow.step("a", task=label, with_=["x"]).fields, {"task": "images.label", "with": ["x"], **policies})
        self.assertEqual(flow.step("b", task=label.s("x"), queue="slow", retry=None).fields,
                         {"task": "images.label", "with": {"path": "x"}, "timeout": 600, "queue": "slow"})
        self.assertEqual(flow.step("c", task=label.s("x").set(queue="cpu", timeout=None)).fields,
                         {"task": "images.label", "with": {"path": "x"}, "retry": {"max_retries": 3}, "queue": "cpu"})
        chained = baton.chain(label.s("x"), label.s(size=2).set(queue="cpu")).to_dict()["steps"]
        self.assertEqual([step["queue"] for step in chained.values()], ["gpu", "cpu"])
        self.assertEqual(chained["label-2"]["retry"], {"max_retries": 3})
        self.assertEqual(flow.step("d", task="images.label").fields, {"task": "images.label"})

    def test_words_of_elsewhere_say_what_is_meant(self):
        for words, hint in (({"max_retries": 3}, r'here it is retry=\{"max_retries": 3\}'), ({"retries": 1}, "max_retries"), ({"bind": True}, "ctx"),
                            ({"timeout_seconds": 3}, "timeout=300"), ({"needs": "a"}, r"Workflow\.step\(…, needs=…\)"), ({"retyr": {}}, r"did you mean retry=\?"),
                            ({"zzz": 1}, "definition.md")):
            with self.subTest(words), self.assertRaisesRegex(TypeError, hint):
                baton.task(**words)(lambda: 1)
        with self.assertRaisesRegex(TypeError, "did you mean queue"):
            label.s().set(queu="x")
        for name in ("delay", "apply_async"):
            with self.assertRaisesRegex(AttributeError, r"client.call\(plain, …\)"):
                getattr(plain, name)
        self.assertFalse(hasattr(plain, "dtype"))

    def test_what_can_be_no_task(self):
        def one_after_the_other():
            yield 1

        async def also():
            yield 1

        for function in (one_after_the_other, also):
            with self.assertRaisesRegex(TypeError, "generator.*return a list"):
                baton.task(function)
        with self.assertRaisesRegex(TypeError, "a name is given so"):
            baton.task("images.label")

    def test_a_task_is_still_its_function(self):
        self.assertEqual((label("a"), label.__name__, list(inspect.signature(label).parameters)), ("a", "label", ["path", "size"]))


class Schema(unittest.TestCase):
    """A field that the language has and the builder does not know, or the other way round, fails here."""

    def test_all_fields_can_be_built(self):
        schema = json.loads(subprocess.run([PROGRAM, "schema"], stdout=subprocess.PIPE, check=True).stdout)
        step = set(schema["definitions"]["step"]["properties"])
        self.assertEqual(step, {name.rstrip("_") for name in StepFields.__annotations__})
        self.assertEqual(set(schema["properties"]) - {"name", "title", "inputs", "steps", "finally"}, set(WorkflowFields.__annotations__))
        kinds = {"run", "exec", "set", "http", "task", "celery", "workflow", "wait", "switch"}
        graph = {"needs", "when", "trigger_rule", "for_each", "max_parallel", "max_failures", "with"}
        self.assertEqual(step - POLICIES, kinds | graph)


if __name__ == "__main__":
    unittest.main()
