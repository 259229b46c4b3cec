"""Traces: read, recorded, drawn, and simulated with one planted fault each."""

import gzip
import json

import numpy as np
import pytest

from autograder.checks.oracles import traces as oracle
from autograder.checks.oracles.trace_cases import disguised
from lab.errors import CourseError
from lab.trace_simulator import COMPUTE, FAULTS, LOADER, simulate_trace
from lab.traces import (
    DEVICE,
    draw_timeline,
    gpu_traces,
    read_trace,
    record,
    shipped_traces,
    traces_dir,
    write_trace,
)

SEEDS = range(12)


def spans_of(fault, seed, steps=2):
    return oracle.read(simulate_trace(fault, seed, steps))


def test_simulated_trace_is_the_same_for_the_same_seed_and_says_what_it_is():
    one, again, other = (simulate_trace("sync", seed) for seed in (4, 4, 5))
    assert one == again != other
    assert "SIMULATED" in one["simulated"]
    names = [e["args"]["name"] for e in one["traceEvents"] if e["ph"] == "M"]
    assert any("SIMULATED" in name for name in names)


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_the_largest_loss_with_a_margin(fault):
    for seed in SEEDS:
        shares = oracle.lost_shares(spans_of(fault, seed))
        others = max(share for name, share in shares.items() if name != fault)
        assert others < 0.18, (seed, shares)
        assert fault == "healthy" or shares[fault] > 0.28, (seed, shares)


@pytest.mark.parametrize("fault", FAULTS)
def test_decoys_change_no_verdict_and_are_there(fault):
    for seed in SEEDS:
        spans = disguised(np.random.default_rng(seed), spans_of(fault, seed, 1))
        shares = oracle.lost_shares(spans)
        others = max(share for name, share in shares.items() if name != fault)
        assert others < 0.2, (seed, shares)
        assert fault == "healthy" or shares[fault] > 0.28, (seed, shares)
        decoys = {s["name"] for s in spans if s["tid"] in (4791, 4792, 4793)}
        assert decoys & {LOADER, "cudaFree", "cudaStreamSynchronize"}, seed
        assert not any(s["name"] == "aten::item" for s in spans)


@pytest.mark.parametrize("fault", FAULTS)
def test_simulated_device_obeys_its_queues(fault):
    """Streams in order, engines one at a time, nothing before its launch, spans of a thread nested."""
    spans = spans_of(fault, 3)
    device = [s for s in spans if s["cat"] in DEVICE]
    for key in (
        lambda s: s["tid"],
        lambda s: s["name"].split(" (")[0] if s["cat"] != "kernel" else "k",
    ):
        for group in {key(s) for s in device}:
            mine = sorted((s["start_us"], s["end_us"]) for s in device if key(s) == group)
            assert all(a[1] <= b[0] for a, b in zip(mine, mine[1:], strict=False)), group
    for op in device:
        assert oracle.call_of(spans, op)["start_us"] < op["start_us"]
    host = [s for s in spans if s["pid"] != 0]
    for a in host:
        for b in host:
            crosses = a["start_us"] < b["start_us"] < a["end_us"] < b["end_us"]
            assert not (crosses and a["tid"] == b["tid"]), (a["name"], b["name"])


def test_a_synchronisation_ends_behind_its_stream():
    spans = spans_of("sync", 2)
    waits = [s for s in spans if "Synchronize" in s["name"]]
    assert len(waits) > 5
    for wait in waits:
        before = [s for s in spans if s["cat"] in DEVICE and s["tid"] == COMPUTE
                  and oracle.call_of(spans, s)["start_us"] < wait["start_us"]]  # fmt: skip
        assert max(s["end_us"] for s in before) < wait["end_us"]


def test_simulator_refuses_what_it_does_not_know():
    with pytest.raises(CourseError, match="allocator"):
        simulate_trace("slow", 1)
    with pytest.raises(CourseError, match="1 step"):
        simulate_trace("sync", 1, steps=0)


def test_trace_survives_writing_and_reading(tmp_path):
    trace = simulate_trace("qdq", 1, 1)
    size = write_trace(trace, tmp_path / "t.json.gz")
    assert read_trace(tmp_path / "t.json.gz") == trace
    assert size == (tmp_path / "t.json.gz").stat().st_size
    # A file's header holds the time of writing, unless it is set.
    assert (tmp_path / "t.json.gz").read_bytes()[4:8] == bytes(4)


def test_a_bare_list_of_events_is_a_trace(tmp_path):
    (tmp_path / "t.json").write_text(json.dumps([{"ph": "X"}]))
    assert read_trace(tmp_path / "t.json") == {"traceEvents": [{"ph": "X"}]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"3",
        b'{"traceEvents": 5}',
        b"\x1f\x8b damaged",
        gzip.compress(b"[1")[:-9],
        b'{"a"',
    ],
)
def test_damaged_trace_is_refused_with_a_sentence(tmp_path, content):
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(CourseError, match="t.json"):
        read_trace(tmp_path / "t.json")


def test_missing_trace_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(CourseError, match="cannot be read"):
        read_trace(tmp_path / "none.json")


def test_record_keeps_the_active_steps_only():
    import torch

    calls = []

    def step():
        calls.append(1)
        return torch.ones(4, 4) @ torch.ones(4, 4)

    found = record(step, wait=1, warmup=1, active=2)
    names = [e["name"] for e in found.trace["traceEvents"] if e["ph"] == "X"]
    assert len(calls) == 4
    assert names.count("aten::mm") == 2
    assert [n for n in names if n.startswith("ProfilerStep#")] == [
        "ProfilerStep#2",
        "ProfilerStep#3",
    ]
    assert found.averages["aten::mm"][0] == 2
    assert found.trace["host_name"] == "" == found.trace["traceName"]


def test_self_times_are_the_profilers_own():
    """Of operators that call nothing of their own name: there the profiler's table drops the inner call."""
    import torch

    x = torch.ones(32, 32)
    found = record(lambda: torch.nn.functional.linear(x, x).softmax(0), active=3)
    mine = oracle.by_name([s for s in oracle.read(found.trace) if s["cat"] == "cpu_op"])
    assert len(mine) > 4
    for name, row in mine.items():
        calls, self_us, _ = found.averages[name]
        assert row["calls"] == calls
        assert row["self_us"] == pytest.approx(self_us, abs=0.01 * calls)


@pytest.mark.parametrize("wrong", [{"wait": -1}, {"warmup": -1}, {"active": 0}])
def test_record_refuses_impossible_schedules(wrong):
    with pytest.raises(CourseError, match="active >= 1"):
        record(lambda: None, **wrong)


def test_shipped_traces_are_recorded_ones_of_modest_size():
    found = shipped_traces()
    made = json.loads((traces_dir() / "made_by.json").read_text())
    assert list(found) == list("abcdef") == list(made["size_bytes"])
    assert sum(path.stat().st_size for path in found.values()) < 300_000
    for letter, path in found.items():
        trace = read_trace(path)
        assert path.stat().st_size == made["size_bytes"][letter]
        assert "simulated" not in trace and not trace["host_name"] and not trace["traceName"]
        assert sum(e["name"].startswith("ProfilerStep#") for e in trace["traceEvents"]) == 1


def test_shipped_folder_missing_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("lab.traces.repo_root", lambda: tmp_path)
    with pytest.raises(CourseError, match="data.record_traces"):
        shipped_traces()
    assert gpu_traces() == {}


def test_gpu_traces_are_found_by_name(monkeypatch, tmp_path):
    monkeypatch.setattr("lab.traces.repo_root", lambda: tmp_path)
    (tmp_path / "ci/reports").mkdir(parents=True)
    write_trace({"traceEvents": []}, tmp_path / "ci/reports/item.trace.json.gz")
    assert list(gpu_traces()) == ["item"]


def test_timeline_has_a_row_for_each_depth_and_stream():
    spans = spans_of("copies", 1, 1)
    end = max(s["end_us"] for s in spans)
    ax = draw_timeline(spans, 0.0, end, gaps=[(10.0, 30.0)]).axes[0]
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels[:2] == ["host, depth 0", "host, depth 1"]
    assert labels[-2:] == ["stream 20", "stream 7"]
    assert {"kernel", "gpu_memcpy", "idle"} <= {t.get_text() for t in ax.get_legend().get_texts()}


@pytest.mark.parametrize("part", [(5.0, 5.0), (9.0, 5.0), (1e9, 2e9)])
def test_timeline_of_nothing_is_refused(part):
    with pytest.raises(CourseError, match="nothing to draw"):
        draw_timeline(spans_of("sync", 1, 1), *part)
