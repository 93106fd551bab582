"""Prometheus' own checker, from the distribution's package: only the program, since installing the package would start a service."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from .case import ROOT

KEPT = ROOT / "build/tools/promtool"


def promtool():
    """Its path. The first time, it is fetched (19 MB) and kept under build/. None: it is not here and cannot be fetched."""
    found = shutil.which("promtool")
    if found or os.access(KEPT, os.X_OK):
        return found or str(KEPT)
    with tempfile.TemporaryDirectory() as folder:
        fetched = subprocess.run(["apt-get", "download", "prometheus"], cwd=folder, check=False, capture_output=True)
        packages = list(pathlib.Path(folder).glob("prometheus_*.deb"))
        if fetched.returncode != 0 or not packages:
            return None
        subprocess.run(["dpkg-deb", "-x", str(packages[0]), folder], check=True)
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        arriving = KEPT.with_suffix(f".{os.getpid()}")  # others may fetch it at the same time
        shutil.copy(pathlib.Path(folder) / "usr/bin/promtool", arriving)
        os.replace(arriving, KEPT)
    return str(KEPT)
