"""The body of a kernel: fresh random numbers, then ipykernel on the client's connection file."""

import os
import random
import sys

PRELOAD = ("numpy", "numpy.random", "torch", "matplotlib.pyplot", "scipy", "lab")
MACHINERY = (
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.magics",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "faulthandler",
    "ipykernel.kernelapp",
    "ipykernel.comm",
    "ipykernel.debugger",
    "matplotlib_inline.backend_inline",
    "nbformat",
    "stack_data",
    "tornado.platform.asyncio",
)


def reseed() -> None:
    """New seeds for random, numpy and torch: every fork has the same state otherwise."""
    seed = int.from_bytes(os.urandom(8), "little")
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed % 2**32)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)


def output_over_ipc(address: str) -> type:
    """ipykernel's output thread, with the pipe for forked children on ipc.

    Its own is bound to a TCP port, and libzmq aborts the process where there is no TCP.
    """
    import zmq
    from ipykernel.iostream import IOPubThread
    from zmq.eventloop.zmqstream import ZMQStream

    class IpcOutput(IOPubThread):
        def _setup_pipe_in(self):
            self._pipe_uuid = os.urandom(16)
            pipe = self.socket.context.socket(zmq.PULL)
            pipe.linger = 0
            pipe.bind(address)
            self._pipe_in = ZMQStream(pipe, self.io_loop)
            self._pipe_in.on_recv(self._handle_pipe_msg)

        def _setup_pipe_out(self):
            context = zmq.Context()  # a context does not survive a fork
            pipe = context.socket(zmq.PUSH)
            pipe.linger = 3000
            pipe.connect(address)
            return context, pipe

    return IpcOutput


def run(connection_file: str) -> int:
    """Be the kernel until it is shut down. Returns the exit status."""
    reseed()
    from ipykernel import kernelapp

    folder = os.path.dirname(connection_file)
    kernelapp.IOPubThread = output_over_ipc(f"ipc://{folder}/output")
    sys.argv = ["ipykernel_launcher", "-f", connection_file]
    sys.path.insert(0, "")  # as in a kernel that is started by name
    app = kernelapp.IPKernelApp.instance()
    app.initialize(["-f", connection_file, "--HistoryManager.enabled=False"])
    app.start()
    return 0
