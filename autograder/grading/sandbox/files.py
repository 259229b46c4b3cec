"""Landlock: the same list of files once more, held by the kernel's security module.

landlock(7); py-landlock handles every right that this kernel knows, so what no rule allows is denied.
"""

import os

from autograder.grading.sandbox.layers import Layer
from autograder.grading.sandbox.policy import Policy

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def load() -> str:
    """Load py-landlock and libc ahead of the sandbox. Returns why it cannot be used, or ''."""
    try:
        from py_landlock import get_abi_version

        get_abi_version()
    except Exception as error:  # the library's own errors, and ImportError off Linux
        return str(error) or type(error).__name__
    return ""


def apply(policy: Policy, own_proc: bool) -> Layer:
    """Restrict this thread and what it starts.

    own_proc: /proc shows only the kernel's own processes, so that it may be read whole.
    """
    missing = load()
    if missing:
        return Layer("landlock", False, f"not available: {missing}")
    from py_landlock import AccessFs, Landlock

    read_file = AccessFs.READ_FILE | AccessFs.EXECUTE
    read = read_file | AccessFs.READ_DIR
    write_file = AccessFs.READ_FILE | AccessFs.WRITE_FILE | AccessFs.TRUNCATE
    write = (
        read
        | write_file
        | AccessFs.MAKE_REG
        | AccessFs.MAKE_DIR
        | AccessFs.MAKE_SYM
        | AccessFs.MAKE_SOCK
        | AccessFs.MAKE_FIFO
        | AccessFs.REMOVE_FILE
        | AccessFs.REMOVE_DIR
        | AccessFs.REFER
    )
    try:
        rules = Landlock(strict=False)
        proc = ("/proc",) if own_proc else ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat")
        for path in (*policy.read, *proc):
            if os.path.exists(path):
                rules.add_path_rule(path, access=read if os.path.isdir(path) else read_file)
        for path in DEVICES:
            if os.path.exists(path):
                rules.add_path_rule(path, access=write_file)
        if own_proc:  # the view holds nothing else, and imports list the folders above a file
            rules.add_path_rule("/", access=AccessFs.READ_DIR)
        if own_proc and os.path.isdir("/dev/pts"):
            rules.add_path_rule("/dev/pts", access=write_file | AccessFs.IOCTL_DEV)
        shared = ("/dev/shm", "/tmp") if own_proc else ()
        for path in (*policy.write, *shared):
            rules.add_path_rule(path, access=write)
        rules.apply()
    except Exception as error:  # OSError and the library's own
        return Layer("landlock", False, f"refused: {error}")
    return Layer(
        "landlock", True, f"ABI {int(rules.abi_version)}, the same paths; no TCP; no signals out"
    )
