"""A file system of the kernel's own: only what the policy names is there at all.

mount_namespaces(7), pivot_root(2). Paths keep their names, so that imported modules still find
their files. Sockets, other submissions and the home folder have no name inside.
"""

import os
from pathlib import Path

from autograder.grading.sandbox import libc
from autograder.grading.sandbox.layers import Layer
from autograder.grading.sandbox.policy import Policy

DEVICES = ("null", "zero", "full", "random", "urandom")
HOST_PROC = ("cpuinfo", "meminfo", "stat", "version", "uptime", "loadavg")


def apply(policy: Policy) -> Layer:
    """Build the view and move into it. Called in a process that may mount."""
    try:
        libc.unshare(libc.CLONE_NEWNS)
    except OSError as error:
        return Layer("view", False, f"no mount namespace: {os.strerror(error.errno)}")
    try:
        libc.mount("", "/", flags=libc.MS_REC | libc.MS_PRIVATE)
        new = f"{policy.private}/view"
        os.makedirs(new, exist_ok=True)
        nothing_extra = libc.MS_NOSUID | libc.MS_NODEV
        libc.mount("tmpfs", new, "tmpfs", nothing_extra, "mode=755,size=4m")
        _system(new, policy)
        for path in policy.read:
            _bind(new, path, read_only=True)
        for path in policy.write:
            _bind(new, path, read_only=False)
        os.makedirs(f"{new}/.old", exist_ok=True)
        libc.pivot_root(new, f"{new}/.old")
        os.chdir("/")
        libc.unmount("/.old")
        os.rmdir("/.old")
        libc.make_read_only("/", below=False)
        os.chdir(policy.folder)
    except OSError as error:
        return Layer("view", False, f"cannot be built: {error}")
    return Layer("view", True, f"{len(policy.read)} paths to read, its own two folders to write")


def _system(new: str, policy: Policy) -> None:
    for name in ("proc", "dev", "tmp"):
        os.makedirs(f"{new}/{name}", exist_ok=True)
    nothing_extra = libc.MS_NOSUID | libc.MS_NODEV
    libc.mount("tmpfs", f"{new}/tmp", "tmpfs", nothing_extra, "mode=1777,size=64m")
    for name in DEVICES:
        _bind(new, f"/dev/{name}", read_only=False)
    os.makedirs(f"{new}/dev/shm", exist_ok=True)
    size = f"mode=1777,size={policy.limits.memory_mb // 4 or 1024}m"
    libc.mount("tmpfs", f"{new}/dev/shm", "tmpfs", nothing_extra, size)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"{new}/dev/{name}")
    _terminals(new)
    try:
        libc.mount("proc", f"{new}/proc", "proc", nothing_extra | libc.MS_NOEXEC)
    except OSError:  # a container that masks parts of /proc: only the figures of the machine
        for name in HOST_PROC:
            _bind(new, f"/proc/{name}", read_only=True)


def _terminals(new: str) -> None:
    """Terminals of its own (devpts), which `!command` in a notebook runs in."""
    os.makedirs(f"{new}/dev/pts", exist_ok=True)
    flags = libc.MS_NOSUID | libc.MS_NOEXEC
    try:
        libc.mount("devpts", f"{new}/dev/pts", "devpts", flags, "newinstance,ptmxmode=0666,max=16")
        os.symlink("pts/ptmx", f"{new}/dev/ptmx")
    except OSError:
        return  # `!command` then says that there are no terminals; subprocess works


def _bind(new: str, path: str, read_only: bool) -> None:
    target = new + path
    if os.path.islink(path) and os.path.dirname(path) == "/":  # /bin -> usr/bin
        if not os.path.lexists(target):
            os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()
    libc.mount(path, target, flags=libc.MS_BIND | libc.MS_REC)
    if read_only:
        libc.make_read_only(target)
