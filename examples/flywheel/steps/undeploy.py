"""undeploy.py CLOUD: stops this run's deployment; one that is not there is stopped. As the step's cleanup it says that there
is nothing left to give back."""

import os
import subprocess
import sys

import flywheel

status, _ = flywheel.ask("DELETE", f"{sys.argv[1]}/deployments/{os.environ['BATON_RUN_ID']}", also=[404])
print("stopped" if status == 200 else "was not deployed")
if "BATON_RESOURCE" not in os.environ:  # which names what Baton is giving back itself
    subprocess.run(["baton", "task", "resource", "release", "deployment"], check=True)
