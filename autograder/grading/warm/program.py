"""The body of a program: the process becomes it (execve(2)); all layers of the sandbox stay."""

import os
import signal
import sys

NOT_FOUND = 127  # as a shell says it
# Python ignores these, and what is ignored stays so in the program.
RESTORED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)


def become(argv: list[str]) -> int:
    """Never returns when the program can be started. Returns the exit status when it cannot."""
    for number in RESTORED:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
    return NOT_FOUND
