"""Ranks as threads and as processes: the same results, clear ends, nothing left behind."""

import multiprocessing
import os
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch
from warm_kernels import kernels_fixture, needs, run  # noqa: F401

from lab.errors import CourseError
from lab.thread_ranks import RankError, thread_ranks
from lab.two_processes import process_ranks


def _pass_around(me, x):
    """The sum of all arrays, passed whole around the ring."""
    total = out = x
    for _ in range(me.ranks - 1):
        me.send_next(out)
        out = me.recv_previous()
        total = total + out
    return total


def _reduce(me, x):
    return me.all_reduce(x), me.all_reduce(x, "max")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_threads_and_processes_agree(dtype):
    given = [(np.arange(5).astype(dtype) * (r + 1),) for r in range(3)]
    by_thread, members = thread_ranks(_pass_around, given)
    by_process = process_ranks(_pass_around, given, timeout_s=60)
    for result in by_thread + by_process:
        assert result.dtype == dtype and result.tolist() == [0, 6, 12, 18, 24]
    assert [m.sent for m in members] == [[(5, dtype)] * 2] * 3


def test_all_reduce_agrees_and_leaves_its_argument():
    given = [(torch.tensor([1.0, -2.0]) * (r + 1),) for r in range(2)]
    (threads, members), processes = thread_ranks(_reduce, given), process_ranks(_reduce, given)
    for total, largest in threads + processes:
        assert total.tolist() == [3.0, -6.0] and largest.tolist() == [2.0, -2.0]
    assert given[0][0].tolist() == [1.0, -2.0]
    assert [(op, x.tolist()) for op, x in members[1].reduced] == [
        ("sum", [2.0, -4.0]),
        ("max", [2.0, -4.0]),
    ]


def test_empty_messages_and_one_rank():
    assert thread_ranks(_pass_around, [(np.ones(2),)])[0][0].tolist() == [1, 1]
    assert process_ranks(_pass_around, [(np.ones(2),)])[0].tolist() == [1, 1]
    assert process_ranks(_pass_around, [(np.zeros(0),)] * 2)[0].size == 0


def test_threads_that_wait_for_ever_are_told_so():
    with pytest.raises(RankError, match="rank 0 waits for a message that rank 1 never sends"):
        thread_ranks(lambda me: me.recv_previous(), [(), ()])
    with pytest.raises(RankError, match="all-reduce that not every rank calls"):
        thread_ranks(
            lambda me: me.rank and me.all_reduce(torch.ones(1)), [(), ()]
        )  # rank 0 calls none
    with pytest.raises(RankError, match="different shapes"):
        thread_ranks(lambda me: me.all_reduce(torch.ones(me.rank + 1)), [(), ()])


def test_threads_raise_the_functions_own_error():
    def fails(me):
        if me.rank == 1:
            raise ZeroDivisionError("mine")
        me.recv_previous()

    with pytest.raises(ZeroDivisionError, match="mine"):
        thread_ranks(fails, [(), ()])


def test_what_is_sent_is_a_copy():
    def change(me, x):
        me.send_next(x)
        x[:] = -1
        return me.recv_previous()

    assert thread_ranks(change, [(np.ones(1),), (np.full(1, 2.0),)])[0][0].tolist() == [2.0]


def test_process_errors_name_the_rank_and_leave_nothing():
    def fails(me):
        if me.rank == 1:
            raise ZeroDivisionError("mine")
        me.recv_previous()

    start = time.monotonic()
    with pytest.raises(CourseError, match="Rank 1 failed: ZeroDivisionError: mine"):
        process_ranks(fails, [(), ()], timeout_s=30)
    assert time.monotonic() - start < 15, "the other rank is not waited for"
    assert not multiprocessing.active_children()


def test_processes_that_wait_or_die_are_ended():
    before = set(psutil.Process().children())  # other tests' own
    with pytest.raises(CourseError, match=r"Ranks \[0, 1\] did not finish in 1 s"):
        process_ranks(lambda me: time.sleep(60), [(), ()], timeout_s=1)
    with pytest.raises(CourseError, match="Rank 0 ended without a result"):
        process_ranks(lambda me: os._exit(3) if me.rank == 0 else time.sleep(60), [(), ()])
    assert not multiprocessing.active_children()
    assert set(psutil.Process().children()) <= before  # not even a zombie


@pytest.mark.parametrize("given, timeout_s", [([], 5), ([()] * 9, 5), ([()], 0)])
def test_process_limits(given, timeout_s):
    with pytest.raises(CourseError, match="1 to 8 ranks"):
        process_ranks(lambda me: 0, given, timeout_s=timeout_s)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux namespaces")
def test_without_a_network_the_reason_is_said():
    code = "from lab.two_processes import process_ranks; process_ranks(lambda me: 0, [(), ()])"
    command = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", code]
    if subprocess.run([*command[:4], "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "gloo cannot start, is there a loopback interface?" in done.stderr


@pytest.mark.slow
def test_threads_run_and_gloo_is_refused_where_answers_are_graded(kernels):
    code = "import numpy as np\nfrom lab.thread_ranks import thread_ranks\n"
    code += "from lab.two_processes import process_ranks\n"
    code += "def ring(me, x):\n    me.send_next(x)\n    return float((x + me.recv_previous())[0])"
    use = "print(thread_ranks(ring, [(np.ones(1),)] * 8)[0])"
    found = run(code, use, "process_ranks(ring, [(np.ones(1),)] * 2)")
    needs(found, "network")
    assert found.said[1] == str([2.0] * 8)
    assert "loopback interface" in found.said[2]
