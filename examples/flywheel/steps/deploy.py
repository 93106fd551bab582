"""Deploys the model under the run's name: a repeated attempt finds what an earlier one made. Before anything is made it is
registered with the command that gives it back, so that it is given back whatever happens to this step, or to Baton."""

import os
import subprocess
import sys

import flywheel


def main():
    values = flywheel.values()
    name = os.environ["BATON_RUN_ID"]
    subprocess.run(["baton", "task", "resource", "add", "deployment", "--cleanup-exec",
                    sys.executable, "-B", "steps/undeploy.py", values["cloud"]], check=True)
    status, answer = flywheel.ask("POST", f"{values['cloud']}/deployments", {"name": name, "model": values["model"]},
                                  also=[409])
    if status == 409:
        print("no GPU is free", file=sys.stderr)
        flywheel.result({"retry_after": "200ms"})
        sys.exit(75)
    flywheel.result({"name": name, "url": answer["url"]})


main()
