"""What `import baton` gives, and what it loads."""

import json
import os
import subprocess
import sys
import unittest

import baton


def loaded_by(statement):
    """Names of the modules that a fresh interpreter has after it."""
    ran = subprocess.run([sys.executable, "-c", statement + "\nimport json, sys\nprint(json.dumps(list(sys.modules)))"], check=True,
                         capture_output=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    return set(json.loads(ran.stdout))


class Package(unittest.TestCase):
    def test_every_public_name_is_there(self):
        for name in baton.__all__:
            self.assertIsNotNone(getattr(baton, name), name)
            self.assertIn(name, dir(baton))
        self.assertEqual(sorted(set(baton.__all__)), sorted(baton.__all__))

    def test_a_name_that_is_not_there_says_so(self):
        with self.assertRaisesRegex(AttributeError, "module 'baton' has no attribute 'Wokrer'"):
            baton.Wokrer  # noqa: B018

    def test_functions_are_loaded_without_what_runs_them(self):
        """Processes of a pool are started anew after each crash: what they load is what poisonous tasks cost others."""
        for module in ("baton", "baton.worker.child"):
            loaded = loaded_by(f"import {module}")
            self.assertLessEqual({"baton.tasks", "baton.context"}, loaded)
            self.assertFalse(loaded & {"asyncio", "subprocess", "baton.client", "baton.workflow", "baton.worker.worker"}, module)

    def test_names_do_not_depend_on_what_was_loaded_before(self):
        loaded_by("import baton.aio, baton.embedded, baton.worker.worker, baton\nassert callable(baton.local) and baton.Worker")
        loaded_by("from baton import local, Worker, AsyncClient\nassert callable(local)")


if __name__ == "__main__":
    unittest.main()
