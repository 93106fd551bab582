"""Starts a server and label_worker, has both functions carried out, and ends the worker with SIGTERM."""

import json
import os
import subprocess
import sys

baton, worker, data = sys.argv[1:]
label = {"name": "label", "steps": {"train": {"task": "models.train"},
                                    "label": {"task": "images.label", "with": {"path": "a.png"}, "needs": ["train"]}}}

server = subprocess.Popen([baton, "server", "--data", data, "--listen", "127.0.0.1:0", "--output", "json", "--quiet"],
                          stdout=subprocess.PIPE, env={**os.environ, "BATON_LOG_LEVEL": "error"})
try:
    assert server.stdout.readline(), "the server does not start"
    at_work = subprocess.Popen([worker], env={**os.environ, "BATON_DATA": data})
    made = subprocess.run([baton, "run", "-", "--data", data, "--output", "json"], input=json.dumps(label), text=True,
                          stdout=subprocess.PIPE, timeout=120, check=True)
    tasks = {task["step"]: task for task in json.loads(made.stdout)["tasks"]}
    assert tasks["label"]["result"] == {"path": "a.png", "labels": ["cat", "dog"]}, tasks["label"]
    log = subprocess.run([baton, "logs", tasks["label"]["id"], "--data", data], text=True, stdout=subprocess.PIPE,
                         check=True).stdout
    assert "labelling a.png with resnet" in log, log
    at_work.terminate()
    assert at_work.wait(60) == 0, at_work.returncode
finally:
    server.terminate()
    server.wait()
print("a worker in C++: two functions, its log, an orderly end")
