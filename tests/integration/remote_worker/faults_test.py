"""What happens to workers, and what tasks do to them: killed (R13), stopped past their lease (R14), starved (R16), poisoned (R17),
and a server that is asked for more than it takes (R31)."""

import os
import pathlib
import signal
import socket
import subprocess
import threading

from harness.api import Answer
from harness.case import LONG, processes_with
from remote_worker.worker_case import RemoteWorkerCase

KILLS = 50 if LONG else 6
OUTPUT = 1 << 30 if LONG else 64 << 20  # bytes that one task prints


class Killed(RemoteWorkerCase):
    def test_workers_are_killed_and_come_back(self):
        """R13. Each time a new process of the same name says what became of the old one's tasks, without the end of its lease."""
        self.server()
        names = ["w1", "w2", "w3"]
        workers = {name: self.worker(name, "--concurrency", "2") for name in names}
        steps = {"many": self.step("many", "sleep", "0.02", for_each=list(range(20 * KILLS)))}
        run = self.begin(self.workflow(steps, name="flow"))
        for _ in range(KILLS):
            name = self.random.choice(names)
            self.eventually(lambda: any(task["worker"] == name and task["status"] == "running" for task in self.api().tasks(run))
                            or self.run_of(run)["status"] == "completed", "a task of its")
            workers[name].kill()
            workers[name].wait()
            workers[name] = self.worker(name, "--concurrency", "2")
        self.until(run, "completed")
        tasks = [task for task in self.api().tasks(run) if task["index"] is not None]
        self.assertEqual(len(tasks), 20 * KILLS)
        self.assertEqual({task["status"] for task in tasks}, {"completed"})
        self.assertEqual({task["attempts"] for task in tasks}, {1}, "a loss uses up no attempt")
        self.assertLessEqual(sum(task["lost"] for task in tasks), 2 * KILLS, "only what a killed one had")
        self.assertFalse(processes_with(self.task_mark), "nothing is left of them")


    def test_its_helper_is_killed(self):
        """It cannot go on then. It says so to the server, too: others need not wait for the end of its lease."""
        self.server()
        begun, go, script = self.held_open()
        worker = self.worker("w1")
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        helper = next(pid for pid in self.below(worker.pid) if b"__spawner" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(helper, signal.SIGKILL)
        self.ended(worker, code=None)
        self.assertIn("the helper process that runs tasks was killed", self.said(worker))
        self.assertEqual(self.json("workers", "list")["items"], [])
        self.assertFalse(processes_with(self.task_mark), "nothing is left of it")
        go.touch()
        self.worker("w2")
        self.until(run, "completed")
        task = self.json("tasks", "get", run + ".0")
        self.assertEqual([(a["status"], a["worker"]) for a in task["attempt_list"]], [("interrupted", "w1"), ("completed", "w2")])


class ShortLink:
    """Between a worker and the server: leases are of a second, and it can be cut."""

    def __init__(self, path, server):
        self._server, self.up, self._open = str(server), True, set()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self.up = False
        for side in list(self._open):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has just gone
                pass

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            if not self.up:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(self._server)
            self._open |= {client, server}
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client), daemon=True).start()

    def _pump(self, source, target):
        with source:
            try:
                while data := source.recv(65536):
                    target.sendall(data.replace(b'"lease":30', b'"lease": 1'))
                target.shutdown(socket.SHUT_RDWR)
            except OSError:  # cut, or the other one has gone
                pass
            self._open.discard(source)


class Away(RemoteWorkerCase):
    def test_what_it_ends_since_the_server_is_away_is_no_failure(self):
        self.server()
        self.data_link = ShortLink(self.dir / "link.sock", self.data / "baton.sock")
        begun, go, script = self.held_open()
        worker = self.worker("w1", "--concurrency", "1", "--prefetch", "1", env={"BATON_DATA": str(self.linked_data())})
        run = self.begin(self.flow(a={"run": script}, b={"run": "true"}))
        self.eventually(begun.exists, "the task")
        self.eventually(lambda: self.json("tasks", "get", run + ".1")["status"] == "running", "the one held ready")
        self.data_link.cut()
        self.eventually(lambda: "the lease is over" in self.said(worker), "the end of the lease")
        self.eventually(lambda: not processes_with(self.task_mark), "the end of its processes")
        self.data_link.up = True
        go.touch()
        self.until(run, "completed")
        for n, first in enumerate(("interrupted", "released")):
            task = self.json("tasks", "get", f"{run}.{n}")
            self.assertEqual([a["status"] for a in task["attempt_list"]], [first, "completed"])
            self.assertEqual((task["attempts"], task["lost"]), (1, 0))

    def linked_data(self):
        """A data directory whose socket is the link's."""
        folder = self.dir / "linked"
        folder.mkdir()
        (folder / "baton.sock").symlink_to(self.dir / "link.sock")
        return folder


class Stopped(RemoteWorkerCase):
    def test_one_that_was_stopped_past_its_lease_ends_what_it_had(self):
        """R14. Its task went to another one meanwhile; what it says then counts no more."""
        self.server()
        begun, go, script = self.held_open()
        first = self.worker("w1")
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        first.send_signal(signal.SIGSTOP)
        self.addCleanup(first.send_signal, signal.SIGCONT)
        self.worker("w2")
        self.eventually(lambda: begun.read_text() == "x\nx\n", "the second attempt, when the lease is over")
        first.send_signal(signal.SIGCONT)
        self.eventually(lambda: not self.below(first.pid) & set(processes_with(self.task_mark)), "the end of what it had")
        go.touch()
        self.until(run, "completed")
        task = self.json("tasks", "get", run + ".0")
        self.assertEqual([(a["status"], a["worker"]) for a in task["attempt_list"]], [("lost", "w1"), ("completed", "w2")])
        self.assertIsNone(first.poll(), "it works on")

    def test_one_that_gets_little_time_loses_nothing(self):
        """R16. Its processes have the lowest priority, and others take all there is."""
        self.server()
        self.worker("w1", "--concurrency", "4", preexec_fn=lambda: os.nice(19))
        busy = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) for _ in range(2 * (os.cpu_count() or 1))]
        try:
            run = self.begin(self.flow(a={"for_each": list(range(40)), "run": "true"}))
            self.until(run, "completed")
        finally:
            for process in busy:
                process.kill()
                process.wait()
        tasks = [task for task in self.api().tasks(run) if task["index"] is not None]
        self.assertEqual({(task["status"], task["attempts"], task["lost"]) for task in tasks}, {("completed", 1, 0)})


class Poison(RemoteWorkerCase):
    def test_bad_ends_are_the_tasks_own(self):
        """R17: crash, no memory, no result, far too much output. Others on the same worker do not notice."""
        self.server()
        worker = self.worker("w1", "--concurrency", "2")
        kib = OUTPUT >> 10
        bad = {
            "crash": {"run": "kill -SEGV $$"},
            "memory": {"run": "ulimit -v 30000; head -c 1G /dev/zero | tail -c 1G > /dev/null"},
            "silent": {"run": "exit 0", "parse": "json", "result_schema": {"type": "object"}},
            "loud": {"run": f"dd if=/dev/zero bs=1k count={kib} 2>/dev/null | tr '\\0' 'x'; echo the end"},
        }
        good = {f"good{n}": {"run": "echo fine"} for n in range(10)}
        run = self.begin(self.flow(**{name: step | {"continue_on_error": True} for name, step in bad.items()}, **good))
        self.until(run, "completed")
        tasks = {task["step"]: task for task in self.api().tasks(run)}
        self.assertEqual({tasks[name]["status"] for name in good}, {"completed"})
        self.assertEqual((tasks["crash"]["status"], tasks["crash"]["error"]["type"]), ("failed", "signal"))
        self.assertEqual((tasks["memory"]["status"], tasks["memory"]["error"]["type"]), ("failed", "exit"))
        self.assertEqual((tasks["silent"]["status"], tasks["silent"]["error"]["type"]), ("failed", "validation"))
        self.assertEqual(tasks["loud"]["status"], "completed")
        log = self.baton("logs", tasks["loud"]["id"]).stdout
        self.assertTrue(log.endswith("the end\n"), log[-100:])
        self.assertLess(len(log), 12 << 20, "beginning and end are kept")
        self.assertIsNone(worker.poll())

    def test_one_that_kills_its_worker_is_quarantined(self):
        """R17. Three losses; then it is given to nobody."""
        self.server()
        victim = self.dir / "victim"
        run = self.begin(self.flow(a={"run": f"kill -9 $(cat {victim}); sleep 60"}))
        for losses in range(1, 4):
            worker = self.start("worker", "--name", "w1", preexec_fn=lambda: victim.write_text(str(os.getpid())))
            self.ended(worker, code=-signal.SIGKILL)
            self.assertFalse(self.run_of(run)["status"] == "failed", losses)
        self.worker("w1")
        self.until(run, "failed")
        task = self.json("tasks", "get", run + ".0")
        self.assertEqual((task["status"], task["error"]["type"], task["lost"]), ("failed", "quarantined", 3))
        self.eventually(lambda: not processes_with(self.task_mark), "the end of its processes")


class Overload(RemoteWorkerCase):
    def test_more_than_it_takes_is_refused_and_what_was_taken_is_done(self):
        """R31. Three times as many as have room come at once: 429 with Retry-After; then all is as before."""
        room, threads = (300, 30) if LONG else (60, 6)
        self.server()
        self.baton("queues", "set", "default", "--max-waiting", str(room))
        definition = self.flow(a={"run": "true"})
        taken, refused, wrong = [], [], []

        def submit(thread):
            for n in range(3 * room // threads):
                try:
                    taken.append(self.api().submit(definition, f"{thread}-{n}")[1]["id"])
                except Answer as error:
                    (refused if error.status == 429 else wrong).append(error)

        all_threads = [threading.Thread(target=submit, args=(thread,)) for thread in range(threads)]
        for thread in all_threads:
            thread.start()
        for thread in all_threads:
            thread.join()
        self.assertEqual(wrong, [])
        # Those that come at the same moment are let in together; then their tasks wait before the queue.
        self.assertEqual(len(taken) + len(refused), 3 * room)
        self.assertTrue(room <= len(taken) < room + 2 * threads, len(taken))
        for error in refused:
            self.assertEqual(error.problem["code"], "overloaded")
            self.assertGreater(error.retry_after, 0)
        self.worker("w1", "--concurrency", "4")
        for run in taken:
            self.until(run, "completed")
        again = self.api().submit(definition, "afterwards")[1]["id"]
        self.until(again, "completed")
