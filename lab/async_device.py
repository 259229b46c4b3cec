"""A device that works while the host goes on: a worker thread, or CUDA, behind one interface.

`submit` returns before the work is done, `synchronize` waits for all of it. The worker thread stands
in for a CUDA stream on a machine without a GPU: one queue, one executor, in order. It computes what
it is given and no time is made up.
"""

import queue
import threading
from collections.abc import Callable

from lab.errors import CourseError
from lab.profile import Profile


class WorkerDevice:
    """A queue and one thread that runs what is submitted, in order. Use it in a `with` block."""

    name = "worker thread"

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="worker-device", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[..., object], *args: object) -> None:
        """Queue `fn(*args)` and return at once; its result is thrown away.

        Raises:
            CourseError: the device is closed.
        """
        if not self._thread.is_alive():
            raise CourseError("This device is closed: open another with open_device(profile).")
        self._queue.put((fn, args))

    def synchronize(self) -> None:
        """Wait until everything submitted so far has run.

        Raises:
            Exception: the first error of the work since the last call. What was queued behind it has
                not run; as on a GPU, an error shows at the next wait and not where it was made.
        """
        if self._thread.is_alive():
            done = threading.Event()
            self._queue.put(done)
            done.wait()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Let the queued work finish, end the thread, and raise an error that nobody waited for."""
        self._queue.put(None)
        self._thread.join()
        self.synchronize()

    def __enter__(self) -> "WorkerDevice":
        return self

    def __exit__(self, kind: type | None, *_exception: object) -> None:
        try:
            self.close()
        except BaseException:
            if kind is None:  # else the error that ended the block is the one to show
                raise

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
            elif self._error is None:
                fn, args = item
                try:
                    fn(*args)
                except BaseException as error:  # handed to the host at its next wait
                    self._error = error


class CudaDevice:
    """CUDA behind the same interface: PyTorch launches kernels on its current stream."""

    name = "CUDA"

    def submit(self, fn: Callable[..., object], *args: object) -> None:
        """Call `fn(*args)`: its kernels are queued, and it returns when they are launched."""
        fn(*args)

    def synchronize(self) -> None:
        """Wait for all kernels of the device (`torch.cuda.synchronize`)."""
        import torch

        torch.cuda.synchronize()

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> "CudaDevice":
        return self

    def __exit__(self, *_exception: object) -> None:
        pass


def open_device(profile: Profile) -> WorkerDevice | CudaDevice:
    """CUDA on the GPU profile, a worker thread on the CPU profile."""
    return CudaDevice() if profile.device == "cuda" else WorkerDevice()
