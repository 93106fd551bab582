"""undeploy.py CLOUD: stops this run's deployment; one that is not there is stopped."""

import os
import sys

import flywheel

status, _ = flywheel.ask("DELETE", f"{sys.argv[1]}/deployments/{os.environ['BATON_RUN_ID']}", also=[404])
print("stopped" if status == 200 else "was not deployed")
