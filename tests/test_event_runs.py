"""Event files read back, and the drawn training runs whose faults lesson 1.6.6 asks for."""

import numpy as np
import pytest
from torch.utils.tensorboard import SummaryWriter

from autograder.checks.oracles import qat_collapse as qat
from lab.event_runs import event_files, frame, read_run

LAYERS, STEPS = ("blocks.0/mlp", "head", "neck"), tuple(range(0, 160, 10))


def test_a_run_comes_back_whole_also_what_a_restart_repeats(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        for step in (*range(2000), 1990):  # TensorBoard keeps 1,000 scalars unless told otherwise
            writer.add_scalar("loss", step / 4, step)
        writer.add_histogram("w", np.array([0.0, 1.0, np.nan]), 7)
    run = read_run(tmp_path)
    assert len(run["scalars"]["loss"]) == 2001 and run["scalars"]["loss"][-1] == (1990, 497.5)
    (event,) = run["histograms"]["w"]
    assert event["step"] == 7 and event["num"] == 3 and event["counts"].sum() == 2


def test_a_frame_is_what_tensorboard_writes(tmp_path):
    from tensorboard.compat.proto.event_pb2 import Event

    SummaryWriter(str(tmp_path)).close()
    data = event_files(tmp_path)[0].read_bytes()
    payload = data[12:-4]
    assert Event.FromString(payload).file_version == "brain.Event:2"
    assert frame(payload) == data


@pytest.mark.parametrize("kind", qat.KINDS)
def test_the_planted_fault_is_the_verdict(kind):
    rng = np.random.default_rng(qat.KINDS.index(kind))
    for _ in range(20):
        run = qat.drawn_run(rng, LAYERS, STEPS)
        begin = int(rng.integers(5, len(STEPS) - 2))
        layer = LAYERS[int(rng.integers(3))]
        qat.plant(run[layer], kind, begin)
        assert qat.verdict(qat.as_scalars(run, STEPS)) == (layer, STEPS[begin], kind)


def test_harmless_runs_have_no_verdict():
    rng = np.random.default_rng(0)
    for _ in range(50):
        run = qat.drawn_run(rng, LAYERS, STEPS)
        for kind in qat.KINDS:  # a spike that heals
            qat.plant(run["head"], kind, 7, 10)
        assert qat.verdict(qat.as_scalars(run, STEPS)) is None
