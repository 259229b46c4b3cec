"""lab.async_device: work runs later, in order, and `synchronize` waits for it."""

import threading

import pytest

from lab.async_device import CudaDevice, WorkerDevice, open_device
from lab.errors import CourseError
from lab.profile import Profile


def test_submit_returns_before_the_work_and_synchronize_waits():
    gate, seen = threading.Event(), []
    with WorkerDevice() as device:
        device.submit(gate.wait)
        device.submit(seen.append, 1)
        device.submit(seen.append, 2)
        assert seen == []  # the worker stands at the gate, and the host is here
        gate.set()
        device.synchronize()
        assert seen == [1, 2]
        device.synchronize()  # nothing queued: returns at once
    assert seen == [1, 2]


def test_work_runs_on_another_thread():
    where = []
    with WorkerDevice() as device:
        device.submit(lambda: where.append(threading.current_thread()))
        device.synchronize()
    assert where[0] is not threading.current_thread()


def test_an_error_shows_at_the_next_wait_only():
    seen = []
    with WorkerDevice() as device:
        device.submit(int, "no number")
        device.submit(seen.append, 1)
        with pytest.raises(ValueError, match="no number"):
            device.synchronize()
        assert seen == []
        device.submit(seen.append, 2)
        device.synchronize()
    assert seen == [2]


def test_closing_finishes_the_queue_and_refuses_more():
    seen = []
    device = WorkerDevice()
    device.submit(seen.append, 1)
    device.close()
    assert seen == [1]
    device.close()
    device.synchronize()  # does not wait for a thread that has ended
    with pytest.raises(CourseError, match="closed"):
        device.submit(seen.append, 2)


def test_an_error_that_nobody_waited_for_shows_at_the_end():
    with pytest.raises(ValueError, match="no number"), WorkerDevice() as device:
        device.submit(int, "no number")
    with pytest.raises(KeyError), WorkerDevice() as device:
        device.submit(int, "no number")
        raise KeyError("the block's own error")


@pytest.mark.parametrize(("torch_name", "kind"), [("cpu", WorkerDevice), ("cuda", CudaDevice)])
def test_the_profile_chooses(torch_name, kind):
    with open_device(Profile("p", torch_name, "a machine")) as device:
        assert isinstance(device, kind)
