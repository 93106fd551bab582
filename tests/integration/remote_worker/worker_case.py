"""A server that carries out nothing itself, and workers that are processes of their own."""

import json
import os
import urllib.parse

from harness.case import BatonCase


class RemoteWorkerCase(BatonCase):
    def server(self, *words):
        """On the port that it had before, if it was there before."""
        port = getattr(self, "port", 0)

        def begin():
            return self.start("server", "--no-worker", "--listen", f"127.0.0.1:{port}", "--output", "json", *words)

        process = begin()

        def facts():
            nonlocal process
            if process.poll() == 6:  # what a killed one has started holds the directory for a moment
                process = begin()
            self.assertIsNone(process.poll(), self.said(process))
            text = self.said(process, "out")
            return json.loads(text) if text.endswith("\n") else None

        shown = self.eventually(facts, "the server's word")
        process.facts = shown
        self.port = urllib.parse.urlsplit(shown["url"]).port
        return process

    def worker(self, name="w1", *words, **options):
        process = self.start("worker", "--name", name, *words, **options)
        self.eventually(lambda: "takes tasks" in self.said(process) or process.poll() is not None, "a worker")
        return process

    def flow(self, **steps):
        return {"name": "flow", "steps": {name: {"env": {"TEST_MARK": self.task_mark}} | step
                                          for name, step in steps.items()}}

    def begin(self, definition):
        self.baton("apply", self.write(definition, "flow.json"))
        return self.baton("start", "flow").stdout.strip()

    def run_of(self, run):
        return self.json("runs", "get", run)

    def until(self, run, *states):
        return self.eventually(lambda: (shown := self.run_of(run))["status"] in states and shown, f"{states} of {run}")

    def below(self, ancestor):
        """All processes that this one has started, and those have."""
        def parents(pid):
            while pid > 1:
                try:
                    with open(f"/proc/{pid}/stat", "rb") as file:
                        pid = int(file.read().rpartition(b")")[2].split()[1])
                except OSError:
                    return
                yield pid
        return {pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if ancestor in parents(pid)}

    def held_open(self):
        """A script that says so in a file each time it begins, and ends when another file is there."""
        begun, go = self.dir / "begun", self.dir / "go"
        return begun, go, f"echo x >> {begun}; while [ ! -e {go} ]; do sleep 0.01; done; echo done"
