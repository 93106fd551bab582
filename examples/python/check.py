"""Starts a server and two workers, runs pipeline.py as a user does, and compares the words with those that sort and uniq find."""

import os
import pathlib
import subprocess
import sys

baton, data, output = sys.argv[1:]
here = pathlib.Path(__file__).resolve().parent
env = {**os.environ, "BATON_DATA": data, "PYTHONPATH": f"{here.parents[1] / 'sdk/python/src'}:{here}", "BATON_LOG_LEVEL": "error",
       "PYTHONDONTWRITEBYTECODE": "1"}

server = subprocess.Popen([baton, "server", "--data", data, "--listen", "127.0.0.1:0", "--output", "json", "--quiet"], stdout=subprocess.PIPE,
                          env=env)
workers = []
try:
    assert server.stdout is not None and server.stdout.readline(), "the server does not start"
    for words in (["--pool", "process", "--max-tasks-per-child", "2"], ["--queues", "publishing"]):
        workers.append(subprocess.Popen([sys.executable, "-m", "baton", "worker", "tasks", "--log-level", "warning", *words], env=env, cwd=here))
    made = subprocess.run([sys.executable, here / "pipeline.py", here / "texts", output], env=env, stdout=subprocess.PIPE, text=True, timeout=120,
                          check=True).stdout
    assert made.splitlines()[-2] == "publish: completed", made
    script = "cat \"$1\"/*.txt | tr A-Z a-z | tr -cs a-z '\\n' | sed '/^$/d' | LC_ALL=C sort | uniq -c | LC_ALL=C sort -k1,1nr -k2 | head -10 | awk '{print $1, $2}'"
    expected = subprocess.run(["sh", "-c", script, "sh", here / "texts"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = pathlib.Path(output).read_text(encoding="utf-8")
    assert found == expected, f"{found}\nis not\n{expected}"
    for worker in workers:
        worker.terminate()
    assert [worker.wait(60) for worker in workers] == [0, 0]
finally:
    for worker in workers:
        worker.kill()
    server.terminate()
    server.wait()
print("a pipeline in Python: two workers, the words that sort and uniq find")
