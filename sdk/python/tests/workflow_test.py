"""The builder and the canvas: what they stand for, and that a server takes it."""

import asyncio
import unittest

import baton
from harness import PATIENCE, Case


@baton.task(name="math.add")
def add(a, b=0):
    return a + b


@baton.task(name="math.total")
def total(numbers):
    return sum(numbers)


@baton.task(name="math.anything")
def anything(*numbers):
    return list(numbers)


class Builder(unittest.TestCase):
    def test_is_the_definition(self):
        flow = baton.Workflow("build", inputs={"n": {"type": "integer"}}, deadline="1h", defaults={"queue": "gpu"})
        first = flow.step("first", task=add, with_={"a": flow.input("n")}, retry={"max_attempts": 2})
        second = flow.step("second-one", task=add.s(first.result["x"][0]["a-b"], b=2), when=baton.expr("inputs.n > 1"))
        flow.step("third", run="true", needs=second, env={"N": f"n is {first.result}"}, fallback={"task": add, "with_": {"a": 1}})
        flow.last("report", run="echo over")
        self.assertEqual(flow.to_dict(), {
            "name": "build", "inputs": {"n": {"type": "integer"}}, "deadline": "1h", "defaults": {"queue": "gpu"},
            "steps": {
                "first": {"task": "math.add", "with": {"a": "${{ inputs.n }}"}, "retry": {"max_attempts": 2}},
                "second-one": {"task": "math.add", "when": "inputs.n > 1", "needs": ["first"],
                               "with": {"a": '${{ steps.first.result.x[0]["a-b"] }}', "b": 2}},
                "third": {"run": "true", "needs": ["second-one"], "env": {"N": "n is ${{ steps.first.result }}"},
                          "fallback": {"task": "math.add", "with": {"a": 1}}}},
            "finally": {"report": {"run": "echo over"}}})

    def test_who_uses_a_result_needs_its_step(self):
        flow = baton.Workflow("x")
        a = flow.step("a", run="true")
        b = flow.step("b-1", run="true", env={"X": f"is {a.result['k v'][0]}"})
        flow.step("c", run="true", when='steps["b-1"].status == "steps.d" && steps.a.status != \'\'', fallback={"task": add.s(a.result)})
        flow.step("d", task="f", with_="${{ item }} steps.a", needs=b)
        flow.step("e", switch=[{"when": baton.expr("steps.d.result > 1"), "goto": "c"}])
        flow.step("f", task="f", with_={"x": [{"y": flow.steps["e"].result}], "z": "${{ x.steps.c }}"},
                  repeat={"until": baton.expr("self.result.done && has(steps.c.result)"), "max": 3})
        flow.last("end", run="true", env={"A": a.result, "B": "${{ steps.start.result }}"})
        flow.last("start", run="true")
        made = flow.to_dict()
        self.assertEqual({name: step.get("needs") for name, step in made["steps"].items()},
                         {"a": None, "b-1": ["a"], "c": ["a", "b-1"], "d": ["b-1"], "e": ["d"], "f": ["c", "e"]})
        self.assertEqual({name: step.get("needs") for name, step in made["finally"].items()}, {"end": ["start"], "start": None})
        self.assertEqual(made["steps"]["c"]["fallback"], {"task": "math.add", "with": {"a": "${{ steps.a.result }}"}})
        self.assertEqual((made["steps"]["e"]["switch"][0]["when"], made["steps"]["f"]["repeat"]["until"]),
                         ("steps.d.result > 1", "self.result.done && has(steps.c.result)"))

    def test_yaml(self):
        flow = baton.Workflow("build")
        flow.step("a", task=add, with_={"a": 1, "text": "ä: \"x\"\n"}, retry={})
        self.assertEqual(flow.to_yaml(), 'name: "build"\nsteps:\n  a:\n    task: "math.add"\n    with:\n      a: 1\n'
                                         '      text: "ä: \\"x\\"\\n"\n    retry: {}\n')

    def test_titles(self):
        flow = baton.Workflow("Dataset Build: Äpfel!")
        self.assertEqual((flow.name, flow.title), ("dataset-build-apfel", "Dataset Build: Äpfel!"))
        self.assertEqual([flow.step("Download Images", run="true").name, flow.step("download images", run="true").name],
                         ["download-images", "download-images-2"])
        self.assertEqual(flow.steps["download-images"].fields["title"], "Download Images")

    def test_names_of_steps_in_expressions(self):
        self.assertEqual(baton.Workflow("x").step("a-b", run="true").result.text, 'steps["a-b"].result')

    def test_mistakes(self):
        flow = baton.Workflow("x", inputs={"n": {}})
        step = flow.step("a", run="true")
        for mistake, error in ((lambda: flow.input("m"), KeyError), (lambda: flow.step("a", run="true"), ValueError),
                               (lambda: flow.step("b", with_={"x": step}), TypeError), (lambda: list(step.result), TypeError),
                               (lambda: bool(step.result), TypeError), (lambda: add.s(1, 2, 3).value(), TypeError),
                               (lambda: baton.chain(), ValueError), (lambda: baton.starmap(add, [(1, 2), (3,)]), ValueError)):
            with self.assertRaises(error):
                mistake()


class Canvas(Case):
    def setUp(self):
        super().setUp()
        self.worker(add, total, anything)

    def result(self, flow):
        # As a file, too: what to_yaml says is what the server reads.
        self.assertEqual(self.client.apply(flow.to_yaml()).outcome, "created")
        return self.client.result(self.client.submit(flow).id, PATIENCE)

    def test_chain(self):
        self.assertEqual(self.result(baton.chain(add.s(1, 2), add.s(10), add.s(b=100))), 113)

    def test_group(self):
        self.assertEqual(self.result(baton.group(add.s(1), add.s(2))), {"add": 1, "add-2": 2})

    def test_chord(self):
        self.assertEqual(self.result(baton.chord([add.s(1), add.s(2, 3)], total)), 6)

    def test_map_starmap_chunks(self):
        self.assertEqual(self.result(baton.map(add.s(b=10), [1, 2, 3], then=total, name="m")), 36)
        self.assertEqual(self.result(baton.starmap(add, [(1, 2), (3, 4)], name="s")), [3, 7])
        self.assertEqual(self.result(baton.chunks(total, range(5), 2, name="c")), [1, 5, 4])

    def test_arguments_without_names(self):
        self.assertEqual(self.result(baton.chain(anything.s(1, 2), anything.s(3))), [[1, 2], 3])

    def test_a_field_that_is_wrong_is_the_servers_to_find(self):
        flow = baton.Workflow("x")
        flow.step("a", task=add, retires=3)
        with self.assertRaisesRegex(baton.Invalid, 'unknown field "retires"'):
            self.client.submit(flow)


class Asyncio(Case):
    def test_the_same_for_asyncio(self):
        self.worker(add)

        async def go():
            async with baton.AsyncClient(self.server.data) as client:
                runs = await asyncio.gather(*(client.call(add, n, b=1) for n in range(10)))
                results = await asyncio.gather(*(client.result(run.id, PATIENCE) for run in runs))
                events = [event.type async for event in client.events(runs[0].id)]
                waits = await client.submit({"name": "w", "steps": {"a": {"wait": {"signal": "go"}}}})
                await client.signal(waits.id, "go", 5)
                signalled = await client.result(waits.id, PATIENCE)
                with self.assertRaises(baton.Conflict):
                    await client.cancel(waits.id)
                return results, events[-1], signalled, len(await client.list()), (await client.tasks(runs[0].id))[0].result

        self.assertEqual(asyncio.run(go()), ([n + 1 for n in range(10)], "run.ended", 5, 11, 1))

    def test_has_what_the_client_has(self):
        missing = [name for name in dir(baton.Client) if not name.startswith("_") and name != "endpoint" and not hasattr(baton.AsyncClient, name)]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
