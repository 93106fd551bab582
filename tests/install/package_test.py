"""The Debian package: made, installed into a folder, run, removed and purged there.

    package_test.py BUILD

dpkg works on another root than the system's (`--root`), and runs the package's scripts outside of it with DPKG_ROOT set
(`--force-script-chrootless`, dpkg(1)): they make no user and touch no service then, everything else is as on a real system.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/release").resolve()
PATIENCE = 120
OWNED = ("var/lib/baton", "var/lib/baton-worker", "var/log/baton", "etc/baton")


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE, **options)


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="baton-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        made = run("cpack", "-G", "DEB", "-B", cls.dir / "made", cwd=BUILD)
        if made.returncode != 0:
            raise RuntimeError(made.stdout + made.stderr)
        (cls.deb,) = (cls.dir / "made").glob("baton_*.deb")
        (cls.library,) = (cls.dir / "made").glob("libbaton[0-9]*.deb")
        (cls.headers,) = (cls.dir / "made").glob("libbaton-dev_*.deb")

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
        admin = self.root / "var/lib/dpkg"
        for name in ("info", "updates", "triggers"):
            (admin / name).mkdir(parents=True)
        for name in ("status", "available"):
            (admin / name).touch()

    def dpkg(self, *words, code=0):
        done = run("dpkg", "--root", self.root, "--log=/dev/null", "--force-script-chrootless", "--force-depends", "--force-not-root",
                   "--force-bad-path", *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def baton(self, *words, **options):
        done = run(self.root / "usr/bin/baton", *words, env={"PATH": os.environ["PATH"], "HOME": str(self.root)}, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_what_it_says_of_itself(self):
        fields = run("dpkg-deb", "-f", self.deb).stdout
        self.assertIn("Package: baton\n", fields)
        depends = next(line for line in fields.splitlines() if line.startswith("Depends:"))
        for needed in ("libc6", "libsqlite3-0", "libssl3", "tzdata", "adduser"):
            self.assertIn(needed, depends)
        files = run("dpkg-deb", "-c", self.deb).stdout
        for file in ("usr/bin/baton", "usr/lib/systemd/system/baton.service",
                     "usr/lib/systemd/system/baton-worker.service",
                     "usr/lib/systemd/system/baton.service.d/hardening.conf",
                     "usr/lib/systemd/system/baton-worker.service.d/hardening.conf", "usr/share/man/man1/baton.1",
                     "usr/share/bash-completion/completions/baton", "usr/share/baton/alerts.yml",
                     "usr/share/doc/baton/docs/index.md"):
            self.assertIn(f" ./{file}\n", files)
        for line in files.splitlines():  # of root, and nobody else may write
            self.assertIn(" root/root ", line)
            self.assertFalse(line[0] != "l" and (line[5] == "w" or line[8] == "w"), line)

    def test_the_library_is_in_packages_of_its_own(self):
        files = {deb: run("dpkg-deb", "-c", deb).stdout for deb in (self.deb, self.library, self.headers)}
        for wanted, deb in ((r"/libbaton\.so\.[0-9.]+\n", self.library), (r"/baton/baton-spawner\n", self.library),
                            (r" \./usr/include/baton/baton\.hpp\n", self.headers), (r"/cmake/baton/baton-config\.cmake\n", self.headers),
                            (r"/pkgconfig/baton\.pc\n", self.headers), (r"/libbaton\.so -> ", self.headers)):
            for other, listed in files.items():
                (self.assertRegex if other == deb else self.assertNotRegex)(listed, wanted)
        self.assertRegex(run("dpkg-deb", "-f", self.library, "Depends").stdout, r"libsqlite3-0")
        self.assertRegex(run("dpkg-deb", "-f", self.headers, "Depends").stdout, r"^libbaton\d+ \(= [0-9.]+\)")
        self.dpkg("--install", self.library, self.headers)
        self.dpkg("--install", self.deb)

    def test_is_installed_run_and_removed(self):
        self.dpkg("--install", self.deb)
        self.assertIn("install ok installed", (self.root / "var/lib/dpkg/status").read_text())
        self.assertEqual((self.root / "var/lib/baton").stat().st_mode & 0o777, 0o700)
        config = self.root / "etc/baton/config.yaml"
        hello = self.root / "usr/share/doc/baton/examples/hello/workflow.yaml"
        self.baton("run", hello, "--data", self.root / "var/lib/baton", "--config", config)
        self.assertIn("baton run", self.baton("manual"))

        config.write_text("concurrency: 3\n")
        self.dpkg("--install", self.deb)  # an upgrade
        self.assertEqual(config.read_text(), "concurrency: 3\n")
        self.assertIn("hello", self.baton("runs", "list", "--data", self.root / "var/lib/baton"))

        self.dpkg("--remove", "baton")
        self.assertFalse((self.root / "usr/bin/baton").exists())
        for folder in OWNED:
            self.assertTrue((self.root / folder).is_dir(), folder)
        self.dpkg("--purge", "baton")
        for folder in OWNED:
            self.assertFalse((self.root / folder).exists(), folder)

    def start_of(self, unit, **specifiers):
        """The command that the unit starts, in this root."""
        text = (self.root / "usr/lib/systemd/system" / unit).read_text()
        (start,) = [line.removeprefix("ExecStart=").split() for line in text.splitlines() if line.startswith("ExecStart=")]
        words = [str(self.root) + word if word.startswith(("/usr", "/var", "/etc")) else word for word in start]
        return [specifiers.get(word, word) for word in words if not word.startswith("$")]

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        self.assertEqual(process.returncode, 0)

    def test_the_units_start_what_is_there(self):
        self.dpkg("--install", self.deb)
        server = subprocess.Popen([*self.start_of("baton.service"), "--listen", "127.0.0.1:0", "--no-worker"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(server.kill)
        self.addCleanup(server.stdout.close)
        said = server.stdout.readline().decode()
        self.assertIn("serves http://127.0.0.1:", said)
        data = self.root / "var/lib/baton"
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root), "BATON_URL": said.split()[-1],
               "BATON_API_KEY_FILE": str(data / "admin.key")}
        worker = subprocess.Popen(self.start_of("baton-worker.service", **{"%H": "here"}), env=env,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(worker.kill)
        hello = self.root / "usr/share/doc/baton/examples/hello/workflow.yaml"
        self.assertIn("completed", self.baton("run", hello, "--data", data))
        self.assertIn("here", self.baton("workers", "list", "--data", data))
        self.end(worker)
        self.end(server)


if __name__ == "__main__":
    unittest.main()
