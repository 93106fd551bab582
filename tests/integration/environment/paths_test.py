"""Where things are: odd names, long paths, no home; and a caller with a huge environment."""

import json
import os
import stat
import unittest

from harness.case import BatonCase

NAMES = ("with space", "quote'and\"double", "new\nline", "tab\t", "$HOME;rm -rf *", "-dash", "--data", "%s%n", "ünïcödé", "back\\slash",
         "?#[]&=", os.fsdecode(b"not-utf8-\xff\xfe"), "x" * 255, "\x1b[31mred")


class PathsTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.definition = self.workflow({"work": self.step("work"), "where": {"run": "pwd"}})

    def check(self, data, cwd=None, **options):
        """A run with this data directory: it ends well, can be looked at, and only its user can."""
        path = self.write(self.definition)
        ended = json.loads(self.baton("run", path, f"--data={data}", "--output", "json", cwd=cwd or self.dir, **options).stdout)
        self.assertEqual(ended["run"]["status"], "completed")
        listed = json.loads(self.baton("runs", "list", f"--data={data}", "--output", "json", cwd=cwd or self.dir).stdout)
        self.assertEqual(listed["items"][0]["id"], ended["run"]["id"])
        folder = os.path.join(cwd or self.dir, data)
        self.assertTrue(os.path.exists(os.path.join(folder, "baton.db")))
        self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
        for parent, folders, files in os.walk(folder):
            for name in folders + files:
                mode = os.stat(os.path.join(parent, name), follow_symlinks=False).st_mode
                self.assertEqual(stat.S_IMODE(mode) & 0o077, 0, os.path.join(parent, name))
        return ended

    def test_names_of_data_directories(self):
        for name in NAMES:
            with self.subTest(name=name):
                self.check(name)

    def test_names_of_folders_and_definitions(self):
        for name in NAMES:
            if len(name) > 200:
                continue
            with self.subTest(name=name):
                folder = self.dir / "definitions" / name
                folder.mkdir(parents=True)
                file = self.write(self.definition, f"definitions/{name}/{name}.json")
                if "\udcff" in name:
                    self.assertIn("not UTF-8", self.baton("run", file, code=74).stderr)
                    continue
                ended = self.json("run", "./" + name + ".json", cwd=folder)
                where = [task["result"]["stdout"] for task in ended["tasks"] if task["step"] == "where"][0]
                self.assertEqual(where, str(folder) + "\n")
                self.assertEqual(self.json("run", file)["run"]["status"], "completed")

    def test_relative_paths(self):
        (self.dir / "deep").mkdir()
        for data in ("relative", "./dotted", "deep/../up", "trailing/", "many//slashes", "new/folders/inside"):
            with self.subTest(data=data):
                self.check(data)

    def test_a_relative_path_means_the_same_to_every_command(self):
        """The background owner works somewhere else."""
        self.env["BATON_DATA"] = "relative"
        path = self.write(self.workflow({"work": self.step("work", *self.gate("work"))}))
        run = self.baton("run", path, "--detach").stdout.strip()
        self.eventually(lambda: self.ledger.count("start"), "the task")
        self.assertEqual(self.json("runs", "get", run)["status"], "running")
        self.open_gate("work")
        self.assertEqual(self.json("run", "--resume", run)["run"]["status"], "completed")
        self.assertTrue((self.dir / "relative" / "baton.db").exists())

    def test_symbolic_links(self):
        (self.dir / "real").mkdir(mode=0o700)
        (self.dir / "link").symlink_to("real")
        self.check("link")
        self.assertTrue((self.dir / "real" / "baton.db").exists())
        (self.dir / "dangling").symlink_to("nowhere")
        self.assertIn("dangling", self.baton("runs", "list", "--data", "dangling", code=74).stderr)

    def test_a_path_that_is_longer_than_a_socket_address(self):
        long = "/".join(["long" * 20] * 5)
        self.check(long)
        self.check(os.path.join(self.dir, "absolute", long))

    def test_a_path_that_is_too_long(self):
        room = 480 - len(str(self.dir)) - 1
        self.check("/".join(["x" * (room // 2), "y" * (room - room // 2 - 1)]))  # as long as it may be
        for data in ("x" * 256, "/".join(["x" * (room // 2), "y" * (room - room // 2)]), "/".join(["x" * 200] * 30)):
            done = self.baton("runs", "list", "--data", data, code=74)
            self.assertIn("File name too long", done.stderr)

    def test_no_home(self):
        path = self.write(self.definition)
        for home in ("/dev/null", "/proc", "/nonexistent/" + "x" * 300):
            with self.subTest(home=home):
                del self.env["BATON_DATA"]
                self.env["HOME"] = home
                done = self.baton("run", path, code=None)
                self.assertIn(done.returncode, (8, 74))
                self.assertIn("--data", done.stderr)
                self.env["BATON_DATA"] = str(self.data)
                self.baton("run", path)  # with --data or BATON_DATA, a home is not needed

    def test_where_data_is_without_a_word(self):
        del self.env["BATON_DATA"]
        for env, expected in (({"HOME": "/h"}, "/h/.local/state/baton"),
                              ({"HOME": "/h", "XDG_STATE_HOME": "/s"}, "/s/baton"),
                              ({"HOME": "/h", "XDG_STATE_HOME": "relative"}, "/h/.local/state/baton"),
                              ({"HOME": "/h", "XDG_STATE_HOME": ""}, "/h/.local/state/baton")):
            with self.subTest(env=env):
                settings = self.baton("config", "show", "--output", "json", env=env).stdout
                self.assertIn(f'"{expected}"', settings)
        for home in ("", "relative"):  # then the user database says
            settings = self.baton("config", "show", "--output", "json", env={"HOME": home}).stdout
            self.assertNotIn('"/tmp/.local', settings)
            self.assertNotIn('"relative', settings)

    def test_a_huge_environment(self):
        huge = {f"VARIABLE_{n}": "x" * 100_000 for n in range(15)} | {f"v{n}": str(n) for n in range(5_000)}
        self.check("data", env=huge)
        huge["LC_ALL"] = "x" * 100_000  # on the list of what tasks get
        self.check("data", env=huge)

    def test_odd_environments(self):
        self.check("data", env={"TMPDIR": "/nonexistent", "USER": "", "TERM": "\x1b[31m", "NO_COLOR": ""})


if __name__ == "__main__":
    unittest.main()
