"""Build llama.cpp once and install it: `make llamacpp`, or `python -m lab.llamacpp_build`.

llama-cpp-python comes as source only. Here it is built lean (libllama and ggml for the CPU; no tools, no
multimodal part), as a wheel in the user's cache: the second call only installs. Everything lies in one
folder of the cache, so an interrupted build goes on where it stopped, and the source stays there:
llama.cpp's own converter is in it.
"""

import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import click

from lab.doctor import installed_version
from lab.errors import CourseError
from lab.paths import cache_dir, repo_root

EXTRA = "llamacpp"
PACKAGE = "llama-cpp-python"
# Read by CMake at llama.cpp's own project(): its helper library is not needed, and the hundred model
# graphs, which take most of the time, gain nothing from more than -O1. The kernels keep -O3.
LEAN = """set(LLAMA_BUILD_COMMON OFF)
if(NOT MSVC)
  cmake_language(DEFER CALL target_compile_options llama PRIVATE -O1)
endif()
"""
OPTIONS = ("-DLLAVA_BUILD=OFF", "-DLLAMA_OPENSSL=OFF")
STEP = re.compile(r"\[(\d+)/(\d+)\]")


def pins() -> dict[str, str]:
    """Package: version, from pyproject.toml's extra."""
    project = tomllib.loads((repo_root() / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(line.split("==") for line in project["optional-dependencies"][EXTRA])


def build_dir() -> Path:
    """The cache's folder for this version on this kind of processor (the build uses all it has)."""
    text = platform.machine() + platform.system()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        found = re.search(r"^(flags|Features)\s*:(.*)$", cpuinfo.read_text(), re.MULTILINE)
        text += found[2] if found else ""
    key = hashlib.sha256((text + LEAN + " ".join(OPTIONS)).encode()).hexdigest()[:8]
    return cache_dir() / "wheels" / f"{PACKAGE}-{pins()[PACKAGE]}-{key}"


def source_dir() -> Path | None:
    """llama.cpp's source tree, where it has been unpacked; else None."""
    found = sorted(build_dir().glob("llama_cpp_python-*/vendor/llama.cpp"))
    return found[0] if found else None


def wheel() -> Path | None:
    """The finished wheel; None before it is built."""
    found = sorted(build_dir().glob("*.whl"))
    return found[0] if found else None


def build() -> Path:
    """The wheel, built where it is not there yet.

    Raises:
        CourseError: no compiler, no network for the source, or a build that fails.
    """
    if (done := wheel()) is not None:
        return done
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl")):
        raise CourseError("llama.cpp is compiled: install a C++ compiler (Debian: g++) first.")
    folder = build_dir()
    folder.mkdir(parents=True, exist_ok=True)
    lean = folder / "lean.cmake"
    if not lean.is_file() or lean.read_text() != LEAN:
        lean.write_text(LEAN)
    source, out = unpacked(folder), folder / "out"
    words = [*PIP, "wheel", "-v", "--no-deps", "-w", out, "-C", f"build-dir={folder / 'build'}",
             "-C", "wheel.exclude=lib/**;include/**;bin/**", source]  # fmt: skip
    arguments = [*OPTIONS, f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={lean}"]
    run(words, "building llama.cpp", {"CMAKE_ARGS": " ".join(arguments)}, folder / "build.log")
    made = next(out.glob("*.whl"), None)
    if made is None:
        raise CourseError(f"pip built no wheel: {folder / 'build.log'} has its words.")
    shutil.rmtree(folder / "build", ignore_errors=True)
    return made.replace(folder / made.name)


PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


def unpacked(folder: Path) -> Path:
    """The package's source in the cache, downloaded and unpacked where it is not there."""
    name = f"{PACKAGE.replace('-', '_')}-{pins()[PACKAGE]}"
    target, archive = folder / name, folder / f"{name}.tar.gz"
    if target.is_dir():
        return target
    if not archive.is_file():
        click.echo(f"Downloading {PACKAGE} {pins()[PACKAGE]} (77 MB of source).")
        part = folder / "download"
        words = [*PIP, "download", "--no-deps", "--no-binary", PACKAGE, "-d", part,
                 f"{PACKAGE}=={pins()[PACKAGE]}"]  # fmt: skip
        run(words, "downloading", {}, folder / "download.log")
        (part / archive.name).replace(archive)
    part = folder / "unpacking"
    shutil.rmtree(part, ignore_errors=True)
    try:
        with tarfile.open(archive) as file:
            file.extractall(part, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        archive.unlink(missing_ok=True)
        raise CourseError(f"{archive.name} was damaged and is removed: call this again.") from error
    (part / name).rename(target)
    archive.unlink()
    return target


def run(words: list, label: str, environment: dict[str, str], log: Path) -> None:
    """Run pip with its output in `log` and ninja's steps as a bar. Raises CourseError with the log's end."""
    with (
        log.open("w", encoding="utf-8") as file,
        click.progressbar(length=1, label=label, show_pos=False) as bar,
    ):
        process = subprocess.Popen(
            [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", env={**os.environ, **environment},
            start_new_session=True,
        )  # fmt: skip
        try:
            for line in process.stdout or ():
                file.write(line)
                if step := STEP.search(line):
                    bar.length = int(step[2])
                    bar.update(max(int(step[1]) - bar.pos, 0))
            process.wait()
        except BaseException:
            # pip's children, too: a compiler left behind would write into the next build.
            os.killpg(process.pid, signal.SIGTERM) if os.name == "posix" else process.terminate()
            process.wait()
            raise
    if process.returncode:
        tail = log.read_text(encoding="utf-8")[-2000:]
        raise CourseError(f"{label} failed; the end of {log}:\n{tail}")


@click.command()
def main() -> None:
    """Build llama.cpp (a few minutes, the first time) and install it beside this Python."""
    wanted = pins()
    try:
        if all(installed_version(name) == version for name, version in wanted.items()):
            click.echo(f"{PACKAGE} {wanted[PACKAGE]} is installed.")
            return
        built = build()
        others = [f"{name}=={version}" for name, version in wanted.items() if name != PACKAGE]
        run([*PIP, "install", *others], "installing", {}, build_dir() / "install.log")
        words = [*PIP, "install", "--no-deps", "--force-reinstall", built]
        run(words, "installing", {}, build_dir() / "install.log")
    except CourseError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("Stopped; the next call goes on from here.") from None
    click.echo(f"{PACKAGE} {wanted[PACKAGE]} is installed, built in {build_dir()}.")


if __name__ == "__main__":
    main()
