"""Events of all runs over the real binary: in order, once, and on across a killed server."""

import json
import signal

from harness.api import _Connection
from harness.case import PATIENCE, BatonCase


class Stream:
    """Server-sent events, one after the other."""

    def __init__(self, socket_path, target, last=None):
        self.connection = _Connection(socket_path, PATIENCE)
        self.connection.request("GET", target, headers={"Last-Event-ID": last} if last else {})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def next(self):
        event = {}
        while True:
            line = self.answer.readline().decode()
            if not line:
                raise EOFError
            line = line.rstrip("\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = value
            elif not line and event:
                return event

    def until(self, kind):
        events = []
        while not events or events[-1]["event"] != kind:
            events.append(self.next())
        return events

    def close(self):
        self.connection.close()


class EventsTest(BatonCase):
    def stream(self, target="/api/v1/events", last=None):
        stream = Stream(f"{self.data}/baton.sock", target, last)
        self.addCleanup(stream.close)
        return stream

    def submit(self, name="etl"):
        context = {"workdir": str(self.dir), "env": {"PATH": "/usr/bin:/bin"}}
        definition = json.dumps({"name": name, "steps": {"say": {"run": "true"}}})
        return self.api().request("POST", "/api/v1/runs", {"definition": definition, "context": context})[1]["id"]

    def test_goes_on_where_it_was_across_a_killed_server(self):
        server = self.serve()
        stream = self.stream()
        first = self.submit()
        seen = stream.until("run.ended")
        self.assertEqual([json.loads(event["data"])["run"] for event in seen], [first] * len(seen))
        self.assertEqual(seen[0]["event"], "run.submitted")

        # Cut off in the middle of the next run, whose rest is read from the new owner.
        second = self.submit()
        seen.append(stream.next())
        self.api().wait(second)
        server.send_signal(signal.SIGKILL)
        server.wait()
        self.serve()
        third = self.submit()
        later = self.stream(last=seen[-1]["id"])
        seen += later.until("run.ended")
        seen += later.until("run.ended")
        history = []
        for run in (first, second, third):
            entries = list(self.api().pages(f"/api/v1/runs/{run}/history"))[::-1]
            history += [(run, fact["type"]) for entry in entries for fact in entry["facts"]]
        told = [(json.loads(event["data"])["run"], event["event"]) for event in seen]
        self.assertEqual(told, history)
        self.assertEqual(len({event["id"] for event in seen}), len(seen))

    def test_tells_who_comes_from_another_time(self):
        self.serve()
        self.api().wait(self.submit())
        stream = self.stream(last="0:999999999:0")
        self.assertEqual(stream.next(), {"event": "reset", "data": "{}"})
        run = self.submit()
        self.assertEqual(json.loads(stream.next()["data"])["run"], run)

    def test_is_narrowed(self):
        self.serve()
        stream = self.stream("/api/v1/events?workflow=web&type=run.submitted,run.ended")
        self.api().wait(self.submit("etl"))
        run = self.submit("web")
        events = stream.until("run.ended")
        self.assertEqual([event["event"] for event in events], ["run.submitted", "run.ended"])
        self.assertEqual({json.loads(event["data"])["run"] for event in events}, {run})

    def test_ends_with_the_server(self):
        server = self.serve()
        stream = self.stream()
        server.send_signal(signal.SIGTERM)
        self.ended(server)
        with self.assertRaises((EOFError, OSError)):
            stream.next()
