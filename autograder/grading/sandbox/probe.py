"""Which layers hold on this machine: every layer is tried in a process of its own."""

import json
import subprocess
import sys

from autograder.grading.sandbox.layers import NAMES, Layer, from_plain, none_here

TIMEOUT_S = 30


def probe_layers() -> list[Layer]:
    """Try every layer on a process that then ends. Takes some tenths of a second.

    Changes nothing and raises nothing: a failure is a layer that is not held.
    """
    if not sys.platform.startswith("linux"):
        return none_here()
    command = [sys.executable, "-P", "-m", "autograder.grading.sandbox"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True
        )
        return from_plain(json.loads(done.stdout.splitlines()[-1]))
    except (subprocess.SubprocessError, OSError, ValueError, IndexError, KeyError) as error:
        detail = f"the trial failed: {type(error).__name__}"
        return [Layer(name, False, detail) for name in NAMES]
