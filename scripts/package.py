#!/usr/bin/env python3
"""Makes what a release consists of, on Linux, macOS and Windows.

usage: package.py handler BUILD OUT           the two functions of a build (.aws-sam/build), each as a zip for Lambda
       package.py wheel TARGET HANDLER OUT    the command line as a wheel, with the zips in HANDLER
       package.py archive TARGET OUT          from the wheel in OUT: the same as an archive, and its bill of materials
       package.py checksums OUT               SHA256SUMS of what is in OUT

TARGET is one of Rust's names, such as x86_64-unknown-linux-musl. `wheel` needs maturin, and zig for the targets that are
static. The same files make the same zips and archives.
"""

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = {"arm64": "Arm64Function", "x86_64": "X86Function"}

# A static program runs with either C library of Linux.
STATIC = ["--zig", "--compatibility", "manylinux2014", "musllinux_1_1"]
TARGETS = {
    "x86_64-unknown-linux-musl": STATIC,
    "aarch64-unknown-linux-musl": STATIC,
    "x86_64-apple-darwin": [],
    "aarch64-apple-darwin": [],
    "x86_64-pc-windows-msvc": [],
}

# What maturin puts into a wheel, for the prefix of an installation.
SHARE = ROOT / "scripts/wheel-data/data/share/lambda-duet"
EARLIEST = (1980, 1, 1, 0, 0, 0)


def fail(message):
    sys.exit(f"package.py: {message}")


def add(archive, name, content, mode):
    """Adds a file to a zip, with nothing of when and where."""
    entry = zipfile.ZipInfo(name, EARLIEST)
    entry.create_system, entry.external_attr = 3, (0o100000 | mode) << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)


def version():
    lines = (ROOT / "Cargo.toml").read_text(encoding="utf-8").splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))


def handler(build, out):
    for architecture, function in FUNCTIONS.items():
        program = Path(build, function, "bootstrap")
        if not program.is_file():
            fail(f"{program} is missing; scripts/build.sh makes it")
        path = Path(out, f"handler-{architecture}.zip")
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            add(archive, "bootstrap", program.read_bytes(), 0o755)
            # `duet deploy` takes the functions of its own release.
            archive.comment = f"lambda-duet {version()}".encode()
        print(path, f"{path.stat().st_size / 1e6:.2f} MB")


def wheel(target, handlers, out):
    if target not in TARGETS:
        fail(f'unknown target "{target}"; the targets are {", ".join(TARGETS)}')
    copies = [shutil.copy(Path(handlers, f"handler-{architecture}.zip"), SHARE) for architecture in FUNCTIONS]
    command = ["maturin", "build", "--release", "--locked", "--target", target, *TARGETS[target]]
    # Without the runtime library of Visual C++, which a fresh Windows does not have.
    static = {"CARGO_TARGET_X86_64_PC_WINDOWS_MSVC_RUSTFLAGS": "-C target-feature=+crt-static"}
    try:
        subprocess.run([*command, "--out", Path(out).resolve()], cwd=ROOT, env={**os.environ, **static}, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(error)
    finally:
        for copy in copies:
            os.remove(copy)
    print(wheel_for(target, out), f"{wheel_for(target, out).stat().st_size / 1e6:.2f} MB")


def wheel_for(target, out):
    """The wheel for a target, which its tags tell."""
    machine, *system = target.split("-")
    systems = {"linux": "linux_", "darwin": "macosx_", "windows": "win_"}
    system = next(tag for name, tag in systems.items() if name in system)
    machines = {"aarch64": ["aarch64", "arm64"], "x86_64": ["x86_64", "amd64"]}[machine]
    found = [path for path in Path(out).glob("*.whl") if system in path.name and any(it in path.name for it in machines)]
    if len(found) != 1:
        fail(f"{out} has {len(found)} wheels for {target}, not one")
    return found[0]


def contents(path):
    """The files of a wheel as an installation has them, with their modes; and its bill of materials."""
    files, bill = {}, None
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            _, _, rest = name.partition("/")
            inner = name.partition(".data/")[2]
            if inner.startswith("scripts/"):
                files["bin/" + inner[len("scripts/") :]] = archive.read(name), 0o755
            elif inner.startswith("data/"):
                files[inner[len("data/") :]] = archive.read(name), 0o644
            elif rest.startswith("sboms/"):
                bill = archive.read(name)
    if bill is None:
        fail(f"{path} has no bill of materials")
    for name in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md"]:
        files[name] = (ROOT / name).read_bytes(), 0o644
    return dict(sorted(files.items())), bill


def archive(target, out):
    path = wheel_for(target, out)
    files, bill = contents(path)
    name = f"lambda-duet-{target}"
    Path(out, f"{name}.cdx.json").write_bytes(bill)
    if "windows" in target:
        result = Path(out, f"{name}.zip")
        with zipfile.ZipFile(result, "w") as archive:
            for inner, (content, mode) in files.items():
                add(archive, f"{name}/{inner}", content, mode)
    else:
        result = Path(out, f"{name}.tar.gz")
        with gzip.GzipFile(result, "wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
            for inner, (content, mode) in files.items():
                entry = tarfile.TarInfo(f"{name}/{inner}")
                entry.size, entry.mode = len(content), mode
                archive.addfile(entry, io.BytesIO(content))
    print(result, f"{result.stat().st_size / 1e6:.2f} MB")


def checksums(out):
    files = sorted(path for path in Path(out).iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    Path(out, "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")


COMMANDS = {"handler": (handler, 2), "wheel": (wheel, 3), "archive": (archive, 2), "checksums": (checksums, 1)}

if __name__ == "__main__":
    command, count = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
    if command is None or len(sys.argv) != 2 + count:
        fail(__doc__)
    command(*sys.argv[2:])
