#!/usr/bin/env python3
"""Installs a wheel into a fresh virtual environment and uses what it brings, with nothing but Python.

usage: try_wheel.py WHEEL

Everywhere: workloads, measurements of others, a report. On Linux also the handler of the wheel, as a process on this machine.
"""

import os
import platform
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

# Twenty blocks in which one side takes half the time of the other.
MEASUREMENTS = "block,architecture,ms\n" + "".join(
    f"{block},{name},{base + block % 3}\n" for block in range(20) for name, base in [("x86_64", 40), ("arm64", 19)]
)


def fail(message):
    sys.exit(f"try_wheel.py: {message}")


class Installation:
    """A virtual environment with the wheel, and a directory to work in."""

    def __init__(self, wheel, directory):
        self.directory = Path(directory)
        self.prefix = self.directory / "environment"
        venv.create(self.prefix, with_pip=True)
        self.programs = self.prefix / ("Scripts" if os.name == "nt" else "bin")
        pip = [self.programs / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"]
        subprocess.run([*pip, wheel], check=True)

    def duet(self, *arguments):
        """What duet prints."""
        print("$ duet", *arguments, flush=True)
        result = subprocess.run(
            [self.programs / "duet", *arguments], cwd=self.directory, stdout=subprocess.PIPE, check=True, encoding="utf-8"
        )
        print(result.stdout, flush=True)
        return result.stdout

    def handler(self):
        """The handler for this machine, from the zip that the wheel brings."""
        architecture = ARCHITECTURES[platform.machine()]
        with zipfile.ZipFile(self.prefix / f"share/lambda-duet/handler-{architecture}.zip") as archive:
            path = Path(archive.extract("bootstrap", self.directory))
        path.chmod(0o755)
        return path


def expect(text, *parts):
    for part in parts:
        if part not in text:
            fail(f'"{part}" is missing above')


def main(wheel):
    with tempfile.TemporaryDirectory() as directory:
        installation = Installation(Path(wheel).resolve(), directory)
        duet = installation.duet
        expect(duet("--version"), "duet ")
        expect(duet("workloads"), "sorting/", "math/", "string/")
        (Path(directory) / "measurements.csv").write_text(MEASUREMENTS, encoding="utf-8")
        columns = ["--variant", "architecture", "--value", "ms", "--block", "block", "--each-row-an-environment"]
        duet("import", "measurements.csv", *columns, "--out", "imported")
        expect(duet("report", "imported"), "arm64 takes 51% less time than x86_64")
        if sys.platform == "linux":
            target = f"exec:{installation.handler()}"
            campaign = ["--workload", "math/primes", "--size", "small", "--invocations", "128", "--out", "campaign"]
            duet("run", "--targets", f"one={target}", f"other={target}", *campaign)
            expect(duet("report", "campaign"), "math/primes", "one", "other")


if __name__ == "__main__":
    # Where output goes to a file, Windows would not take all of it.
    sys.stdout.reconfigure(encoding="utf-8")
    if len(sys.argv) != 2:
        fail(__doc__)
    main(sys.argv[1])
