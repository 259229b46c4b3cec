"""A cold kernel: the same keeper and the same sandbox, in a process that has nothing imported.

`python -m autograder.grading.warm.cold FD`, FD a connected socket. For machines and moments where
a fork from the warm server is not safe.
"""

import socket
import sys

from autograder.grading.sandbox import apply
from autograder.grading.warm import server


def main(descriptor: int) -> int:
    """Serve one client."""
    apply.load()
    if unsafe := server.threads():
        print(unsafe, file=sys.stderr)
        return 1
    server.become_keeper(socket.socket(fileno=descriptor))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
