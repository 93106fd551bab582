"""baton worker: steps that a process of its own carries out for a server."""

import json
import os
import pathlib
import signal

from harness.case import BATON, processes_with
from harness.exposition import Metrics
from remote_worker.worker_case import RemoteWorkerCase


class WorkerTest(RemoteWorkerCase):
    def test_carries_out_what_the_server_does_not(self):
        self.server()
        run = self.begin(self.flow(
            ok={"run": 'echo out; echo err >&2; echo "{\\"n\\": $N}" > "$BATON_RESULT"',
                "env": {"TEST_MARK": self.task_mark, "N": "7"}},
            bad={"run": "exit 3", "continue_on_error": True}))
        self.assertEqual(self.run_of(run)["status"], "pending")
        self.assertIn("no worker", self.baton("explain", run + ".0").stdout)
        self.worker("w1", "--concurrency", "2")
        self.until(run, "completed")
        ok, bad = (self.json("tasks", "get", f"{run}.{i}") for i in range(2))
        self.assertEqual((ok["result"], ok["worker"]), ({"n": 7}, "w1"))
        self.assertEqual((bad["error"]["type"], bad["error"]["exit_code"]), ("exit", 3))
        self.assertEqual(self.baton("logs", run + ".0").stdout, "out\nerr\n")
        self.assertEqual([w["name"] for w in self.json("workers", "list")["items"]], ["w1"])

    def test_over_tcp_it_needs_a_key(self):
        server = self.server()
        refused = self.start("worker", env={"BATON_URL": server.facts["url"], "BATON_DATA": str(self.dir / "other")})
        self.ended(refused, code=4)
        key = (self.data / "admin.key").read_text().strip()
        self.worker("w1", env={"BATON_URL": server.facts["url"], "BATON_API_KEY": key,
                               "BATON_DATA": str(self.dir / "other")})
        self.until(self.begin(self.flow(a={"run": "true"})), "completed")

    def test_a_server_that_dies_under_a_task_does_not_repeat_it(self):
        server = self.server()
        begun, go, script = self.held_open()
        self.worker()
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        server.kill()
        server.wait()
        self.server()
        go.touch()
        self.until(run, "completed")
        self.assertEqual(begun.read_text(), "x\n")
        self.assertEqual(self.json("tasks", "get", run + ".0")["attempts"], 1)

    def test_a_worker_that_dies_leaves_nothing_and_its_task_goes_on_elsewhere(self):
        self.server()
        begun, go, script = self.held_open()
        worker = self.worker()
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        worker.kill()
        worker.wait()
        self.eventually(lambda: not processes_with(self.task_mark), "the end of its processes")
        self.worker()  # of the same name: what the first had is lost at once, without the end of its lease
        self.eventually(lambda: begun.read_text() == "x\nx\n", "the second attempt")
        go.touch()
        self.until(run, "completed")
        task = self.json("tasks", "get", run + ".0")
        self.assertEqual((task["lost"], [a["status"] for a in task["attempt_list"]]), (1, ["lost", "completed"]))

    def test_it_drains(self):
        self.server()
        begun, go, script = self.held_open()
        worker = self.worker("w1", "--concurrency", "1", "--prefetch", "3")
        run = self.begin(self.flow(a={"run": script}, b={"run": "true"}))
        self.eventually(begun.exists, "the task")
        self.eventually(lambda: self.json("tasks", "get", run + ".1")["status"] == "running", "the one held ready")
        worker.send_signal(signal.SIGTERM)
        self.eventually(lambda: self.json("tasks", "get", run + ".1")["status"] == "queued", "what was given back")
        go.touch()
        self.ended(worker)
        self.assertEqual(self.json("tasks", "get", run + ".0")["status"], "completed")
        self.assertEqual(self.json("tasks", "get", run + ".1")["attempt_list"][0]["status"], "released")
        self.worker("w2")
        self.until(run, "completed")

    def test_results_at_the_limits(self):
        """R28. What a result may be does not depend on where its step runs."""
        most = 2 << 20
        results = {"most": ("completed", f"printf '\"'; head -c {most - 2} /dev/zero | tr '\\0' x; printf '\"'"),
                   "over": ("failed", f"printf '\"'; head -c {most - 1} /dev/zero | tr '\\0' x; printf '\"'"),
                   "deepest": ("completed", f"printf '{'[' * 64}{']' * 64}'"),
                   "too-deep": ("failed", f"printf '{'[' * 65}{']' * 65}'"),
                   "endless": ("failed", "echo 1e400"),
                   "cut": ("failed", "printf '{'"),
                   "no-text": ("failed", "printf '\"\\377\"'"),
                   "half": ("failed", "printf '\"\\\\ud800\"'"),
                   "nothing": ("completed", "printf null")}
        self.server()
        self.worker("w1")
        run = self.begin(self.flow(**{name: {"run": f'{{ {script}; }} > "$BATON_RESULT"', "continue_on_error": True}
                                      for name, (_, script) in results.items()}))
        self.until(run, "completed")
        tasks = {task["step"]: task for task in self.api().tasks(run)}
        self.assertEqual({name: task["status"] for name, task in tasks.items()}, {name: wanted for name, (wanted, _) in results.items()})
        self.assertEqual({task["error"]["type"] for task in tasks.values() if task["error"]}, {"validation"})
        self.assertEqual(len(tasks["most"]["result"]), most - 2)
        self.assertEqual(json.dumps(tasks["deepest"]["result"]).count("["), 64)
        self.assertIn("too-deep", self.baton("tasks", "list", run).stdout, "all of it can be read")

    def test_what_is_held_ready_does_not_use_up_its_time(self):
        self.server()
        begun, go, script = self.held_open()
        self.worker("w1", "--concurrency", "1", "--prefetch", "2")
        quick = {"run": "true", "timeout": "2s", "needs": []}
        run = self.begin(self.flow(a={"run": script, "priority": 9}, b=quick, c=quick))
        self.eventually(begun.exists, "the task")
        # Longer than what they may take; then they are given back, and have all of it.
        self.eventually(lambda: self.json("tasks", "get", run + ".1")["attempt_list"][:1] and
                        self.json("tasks", "get", run + ".1")["attempt_list"][0]["status"] == "released", "the one given back")
        go.touch()
        self.until(run, "completed")
        for n in (1, 2):
            task = self.json("tasks", "get", f"{run}.{n}")
            self.assertEqual((task["status"], task["attempts"]), ("completed", 1))

    def test_a_cancel_ends_what_is_held_ready(self):
        self.server()
        begun, go, script = self.held_open()
        self.worker("w1", "--concurrency", "1", "--prefetch", "1")
        other = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        run = self.begin(self.flow(a={"run": "true"}))
        self.eventually(lambda: self.json("tasks", "get", run + ".0")["status"] == "running", "the one held ready")
        self.baton("runs", "cancel", run)
        self.until(run, "cancelled")
        go.touch()
        self.until(other, "completed")

    def test_a_second_signal_interrupts(self):
        self.server()
        begun, go, script = self.held_open()
        worker = self.worker("w1", "--grace", "1h")
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        worker.send_signal(signal.SIGTERM)
        self.eventually(lambda: "stopping" in self.said(worker), "its word")
        worker.send_signal(signal.SIGTERM)
        self.ended(worker)
        self.assertFalse(processes_with(self.task_mark))
        task = self.json("tasks", "get", run + ".0")
        self.assertEqual((task["status"], task["interrupted"]), ("queued", 1))

    def test_a_cancel_reaches_it(self):
        self.server()
        begun, _, script = self.held_open()
        self.worker()
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        self.baton("runs", "cancel", run)
        self.until(run, "cancelled")
        self.eventually(lambda: not processes_with(self.task_mark), "the end of its processes")

    def test_several_of_one_process(self):
        self.server()
        both = self.start("worker", "--name", "w", "--count", "2", "--queues", "gpu")
        self.eventually(lambda: self.said(both).count("takes tasks") == 2, "both workers")
        run = self.begin(self.flow(a={"run": "true", "queue": "gpu"}, b={"run": "true", "queue": "cpu"}))
        self.eventually(lambda: self.json("tasks", "get", run + ".0")["status"] == "completed", "the one of gpu")
        self.assertEqual(self.json("tasks", "get", run + ".1")["status"], "queued")
        self.assertEqual({w["name"]: w["queues"] for w in self.json("workers", "list")["items"]},
                         {"w-1": ["gpu"], "w-2": ["gpu"]})
        both.send_signal(signal.SIGTERM)
        self.ended(both)

    def test_what_several_of_one_process_say_adds_up(self):
        self.server()
        both = self.start("worker", "--name", "w", "--count", "4")
        rows = self.eventually(lambda: (found := self.json("workers", "list")["items"]) and len(found) == 4
                               and all(row["memory_bytes"] for row in found) and found, "their heartbeats")
        said = sum(row["memory_bytes"] for row in rows)
        pages = [int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in [both.pid, *self.below(both.pid)]]
        whole = sum(pages) * os.sysconf("SC_PAGESIZE")
        self.assertTrue(whole / 2 < said < 2 * whole, (said, whole))

    def test_it_says_what_it_is_and_drains_when_it_is_told_to(self):
        self.server()
        begun, go, script = self.held_open()
        worker = self.worker("w1", "--tags", "gpu,eu", "--concurrency", "3", "--grace", "0s")
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        row = self.eventually(lambda: (shown := self.json("workers", "get", "w1"))["memory_bytes"] and shown, "its heartbeat")
        self.assertEqual((row["tags"], row["concurrency"], row["draining"]), (["eu", "gpu"], 3, False))
        self.assertGreater(row["memory_bytes"], 1 << 20)
        metrics = Metrics(self.api().get("/metrics").decode())
        self.assertEqual(metrics.get("baton_worker_slots", worker="w1"), 3)
        self.assertGreater(metrics.get("baton_worker_memory_bytes", worker="w1"), 1 << 20)
        self.assertEqual([w["name"] for w in self.json("workers", "list", "--tag", "eu")["items"]], ["w1"])
        self.assertEqual(self.json("workers", "list", "--tag", "us")["items"], [])
        table = self.baton("workers", "list").stdout
        self.assertIn("eu, gpu", table)
        self.assertIn("1/3", table)
        self.assertIn("MiB", self.baton("top", "--once").stdout)
        self.assertIn('did you mean "w1"', self.baton("workers", "get", "w2", code=5).stderr)
        self.assertIn("did you mean", self.baton("workers", "drain", "w2", code=5).stderr)
        self.baton("workers", "drain", "w1")
        self.eventually(lambda: "the server wants" in self.said(worker), "its word")
        go.touch()  # what runs has all the time that it needs, whatever --grace says
        self.ended(worker)
        self.assertEqual(self.json("runs", "get", run)["status"], "completed")
        self.assertEqual(self.json("workers", "list")["items"], [])

    def test_what_a_person_asked_of_it_outlives_the_server(self):
        self.server()
        begun, go, script = self.held_open()
        worker = self.worker("w1")
        run = self.begin(self.flow(a={"run": script}, b={"needs": ["a"], "run": "true"}))
        self.eventually(begun.exists, "the task")
        worker.send_signal(signal.SIGSTOP)  # it does not hear of it
        self.addCleanup(worker.send_signal, signal.SIGCONT)
        self.baton("workers", "drain", "w1")
        self.kill_owner()
        self.server()
        self.assertIs(self.json("workers", "get", "w1")["draining"], True)
        worker.send_signal(signal.SIGCONT)
        self.eventually(lambda: "the server wants" in self.said(worker), "its word")
        go.touch()
        self.ended(worker)
        self.assertEqual(self.json("tasks", "get", run + ".0")["status"], "completed")
        self.assertEqual(self.json("tasks", "get", run + ".1")["status"], "queued")
        self.assertEqual(self.json("workers", "list")["items"], [])
        self.worker("w1")  # a new process is another matter
        self.until(run, "completed")

    def test_of_several_one_drains(self):
        self.server()
        both = self.start("worker", "--name", "w", "--count", "2")
        self.eventually(lambda: self.said(both).count("takes tasks") == 2, "both workers")
        self.baton("workers", "drain", "w-1")
        self.eventually(lambda: [w["name"] for w in self.json("workers", "list")["items"]] == ["w-2"], "its end")
        self.until(self.begin(self.flow(a={"run": "true"})), "completed")
        self.baton("workers", "drain", "w-2")
        self.ended(both)

    def test_steps_of_another_machine_speak_to_the_server(self):
        server = self.server()
        key = self.baton("keys", "create", "w1", "--role", "worker").stdout.strip()
        elsewhere = self.dir / ("long-" * 30) / "elsewhere"  # too long for the path of a socket
        self.worker("w1", env={"BATON_URL": server.facts["url"], "BATON_API_KEY": key, "BATON_DATA": str(elsewhere)})
        run = self.begin(self.flow(a={"env": {"TEST_MARK": self.task_mark, "BATON": BATON}, "run": """
            unset BATON_DATA BATON_URL
            "$BATON" task progress 40 "half of it"
            "$BATON" task resource add vm --cleanup-run "echo $TEST_MARK > given-back"
            "$BATON" task resource release vm
            "$BATON" task add more --run "echo added"
            case "$BATON_SOCKET" in *elsewhere*) ;; *) exit 9;; esac
            """}, b={"needs": ["a"], "env": {"TEST_MARK": self.task_mark, "BATON": BATON}, "run": """
            BATON_TASK_ID="${BATON_TASK_ID%.*}.0" "$BATON" task progress 1 && exit 9  # of another task
            BATON_TOKEN=1-1 "$BATON" task progress 1 && exit 9
            true
            """}))
        shown = self.until(run, "completed", "failed")
        self.assertEqual(shown["status"], "completed", self.baton("logs", run + ".0").stdout)
        self.assertIn("a/more", [task["step"] for task in self.json("tasks", "list", run)["items"]])
        self.assertIn(40, [fact.get("progress") for fact in self.api().history(run)])
        self.assertEqual(self.json("tasks", "get", run + ".1")["attempts"], 1)

    def test_folders_of_ended_runs_go(self):
        self.server()
        self.worker("w1", "--keep", "0s")
        begun, go, script = self.held_open()
        run = self.begin(self.flow(a={"run": 'echo x > "$BATON_RUN_DIR/mine"; mkdir -m 0 "$BATON_RUN_DIR/locked"; ' + script}))
        self.eventually(begun.exists, "the task")
        folder = self.data / "workers/w1/scratch" / run
        self.assertTrue((folder / "mine").exists())
        go.touch()
        self.until(run, "completed")
        self.eventually(lambda: not folder.exists(), "the folder to go")
        self.eventually(lambda: not [name for name in os.listdir(folder.parent) if name.startswith(".gone")], "what it held")

    def test_folders_stay_while_the_run_goes_on_and_for_a_while(self):
        self.server()
        worker = self.worker("w1")
        begun, go, script = self.held_open()
        run = self.begin(self.flow(a={"run": 'echo x > "$BATON_RUN_DIR/mine"; ' + script}))
        self.eventually(begun.exists, "the task")
        worker.kill()
        worker.wait()
        logs = self.data / "workers/w1/logs"
        self.assertTrue(any(path.is_file() for path in logs.rglob("*")) or logs.exists())
        self.worker("w1")
        go.touch()
        self.until(run, "completed")
        self.assertTrue((self.data / "workers/w1/scratch" / run / "mine").exists())

    def test_a_worker_without_a_name_leaves_nothing(self):
        self.server()
        folders = self.data / "workers"
        killed = self.start("worker")
        self.eventually(lambda: "takes tasks" in self.said(killed), "a worker")
        self.assertEqual(len(os.listdir(folders)), 1)
        killed.kill()
        killed.wait()
        kept = self.worker("w1")
        self.assertIsNone(kept.poll())

        def removed():  # the helper of the killed one may hold it for a moment
            ended = self.start("worker")
            self.eventually(lambda: "takes tasks" in self.said(ended), "another worker")
            ended.send_signal(signal.SIGTERM)
            self.ended(ended)
            return os.listdir(folders) == ["w1"]
        self.eventually(removed, "what both have left to go")

    def test_it_takes_no_tasks_while_the_disk_is_full(self):
        self.server()
        worker = self.start("worker", "--name", "w1", env={"BATON_MIN_FREE_SPACE": "1000000GiB"})
        self.eventually(lambda: "no more tasks are taken" in self.said(worker), "its word")
        # Those of the claim that waited already may still come; what is sure is that another worker gets the rest.
        run = self.begin(self.flow(**{f"s{n}": {"run": "true"} for n in range(20)}))
        self.worker("w2")
        self.until(run, "completed")

    def test_bad_words(self):
        self.assertIn("letters, digits", self.baton("worker", "--name", "a b", code=2).stderr)
        self.assertIn("local", self.baton("worker", "--name", "local", code=2).stderr)
        self.assertIn("no name of a queue", self.baton("worker", "--queues", "a,b c/", code=2).stderr)
        self.assertIn("--grace", self.baton("worker", "--grace", "soon", code=2).stderr)
        self.baton("worker", "--count", "0", code=2)
        self.server()
        self.worker("w1")
        self.assertIn("another worker uses", self.baton("worker", "--name", "w1", code=6).stderr)
