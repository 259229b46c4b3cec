"""Capture on the stand-in: what it refuses, and that a replay runs on the same buffers."""

import pytest
import torch

from lab.errors import CourseError
from lab.stream_capture import capture


def test_a_replay_reads_and_writes_the_same_buffers():
    x, y = torch.zeros(3), torch.zeros(3)
    replay = capture(lambda a, b: b.copy_(a * 2), x, y)
    assert y.tolist() == [0, 0, 0], "capturing runs nothing"
    x.copy_(torch.tensor([1.0, 2.0, 3.0]))
    replay()
    assert y.tolist() == [2, 4, 6]


def test_python_is_frozen_at_capture():
    calls, out = [], torch.zeros(1)

    def step(buffer):
        calls.append(1)
        buffer.fill_(len(calls))

    replay = capture(step, out)
    seen = len(calls)
    replay()
    replay()
    assert len(calls) == seen and out.item() == seen


REFUSED = {
    "item": lambda x, m: x.mul_(x.max().item()),
    "if": lambda x, m: x.add_(1) if m.any() else x,
    "boolean index": lambda x, m: x[m].sum(),
    "nonzero": lambda x, m: m.nonzero(),
    "unique": lambda x, m: x.unique(),
    "cpu": lambda x, m: x.copy_(x.cpu()),
    "numpy": lambda x, m: x.numpy(),
    "tolist": lambda x, m: x.tolist(),
    "a slice with a bound on the device": lambda x, m: x[: m.sum()],
    "a tensor made elsewhere": lambda x, m: torch.where(m, x, torch.zeros(4)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_host_reads_are_refused(name):
    with pytest.raises(CourseError, match="cannot be captured"):
        capture(REFUSED[name], torch.zeros(4), torch.zeros(4, dtype=torch.bool))
