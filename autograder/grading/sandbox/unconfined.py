"""A program with resource limits alone, where there is no sandbox. It has its caller's rights.

`python -P -m autograder.grading.sandbox.unconfined LIMITS PROGRAM ...` lowers the limits and becomes the
program. What it starts in a session of its own may outlive it here.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict

from autograder.grading.sandbox.layers import Layer, none_here
from autograder.grading.sandbox.policy import Limits, Policy

LOOK_EVERY_S = 0.1


def refusal() -> str:
    """Why a program is not run here, and what to do."""
    return (
        f"There is no sandbox on {sys.platform}: a learner's program would run with your rights. "
        "Grade it on Linux, or allow it to run unconfined if you trust it."
    )


def run(argv: list[str], policy: Policy) -> tuple[dict, list[Layer]]:
    """Run it in policy.folder, its output in policy.private. Returns the end and the layers."""
    from autograder.grading.warm import session, watch

    command = [sys.executable, "-P", "-m", __name__, json.dumps(asdict(policy.limits)), *argv]
    for name in ("home", "tmp"):
        os.makedirs(f"{policy.private}/{name}", mode=0o700, exist_ok=True)
    with (
        open(f"{policy.private}/stdout", "ab") as out,
        open(f"{policy.private}/stderr", "ab") as err,
    ):
        process = subprocess.Popen(
            command,
            cwd=policy.folder,
            env=policy.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    looking, reason = watch.Watch(process.pid, policy), ""
    try:
        while process.poll() is None and not reason:
            time.sleep(LOOK_EVERY_S)
            reason = looking.broken()
    finally:
        _end(process)
    code = process.returncode
    status = code if code >= 0 or reason else 128 - code
    layers = [
        Layer("limits", True, "resource limits only") if layer.name == "limits" else layer
        for layer in none_here()
    ]
    said = reason or session.say(status, policy)
    return {"status": status, "reason": said, "peak_mb": round(looking.peak_mb, 1)}, layers


def _end(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended with its group
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main(limits: str, argv: list[str]) -> int:
    """In the process that becomes the program."""
    from autograder.grading.sandbox import limits as resources
    from autograder.grading.warm import program

    resources.apply(Limits(**json.loads(limits)), own_user=False)
    return program.become(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
