"""Resource limits that the kernel itself enforces (setrlimit(2)); memory is watched from outside."""

import resource

from autograder.grading.sandbox.layers import Layer
from autograder.grading.sandbox.policy import Limits

MB = 2**20
CPU_GRACE_S = 2


def apply(limits: Limits, own_user: bool) -> Layer:
    """Lower the soft and hard limits of this process.

    own_user: the user id, or the user namespace, is the kernel's own, so that processes of the
        instructor's do not count towards it.
    """
    wanted = {
        resource.RLIMIT_FSIZE: limits.file_mb * MB,
        resource.RLIMIT_NOFILE: limits.open_files,
        # Private writable memory: the backstop of the watch, which looks ten times a second.
        resource.RLIMIT_DATA: 2 * limits.memory_mb * MB,
        resource.RLIMIT_NPROC: limits.processes if own_user else 0,
    }
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if limits.cpu_s:  # SIGXCPU names the reason, SIGKILL follows where it is ignored
            _lower(resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + CPU_GRACE_S)
        for kind, value in wanted.items():
            if value:
                _lower(kind, value, value)
    except (OSError, ValueError) as error:
        return Layer("limits", False, f"refused: {error}")
    detail = (
        f"CPU {limits.cpu_s} s, memory {limits.memory_mb} MB, {limits.processes} processes, "
        f"files {limits.file_mb} MB each, no core dumps"
    )
    return Layer("limits", True, detail)


def _lower(kind: int, soft: int, hard: int) -> None:
    """setrlimit, without raising a hard limit that is lower already."""
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))
