"""The comparison with Nsight Compute, without a GPU: what ncu writes is read, what differs is told."""

import datetime
import shutil
from pathlib import Path

import pytest

from ci import ncu_counters
from ci.counted_kernels import KERNELS
from lab.cuda import compiler

LOADS = "l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum"
STORES = "l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum"
# The two layouts of the Nsight Compute CLI documentation, "CSV output".
SAMPLES = Path(__file__).with_name("ncu")
BY_ROW, RAW = ((SAMPLES / name).read_text() for name in ("by_row.csv", "raw.csv"))


def test_both_layouts_are_read():
    by_row = ncu_counters.parse(BY_ROW)
    assert by_row == {
        "contiguous": {LOADS: 512, STORES: 512},
        "transpose_naive": {STORES: 16384},
    }
    raw = ncu_counters.parse(RAW)
    assert raw["transpose_naive"] == {LOADS: 2048, STORES: 16384}
    assert raw["contiguous"] == by_row["contiguous"]


@pytest.mark.parametrize(
    "text", ["", "==ERROR== No kernels were profiled.", RAW.replace('"512"', '"n/a"', 1)]
)
def test_what_is_no_table_is_an_error(text):
    with pytest.raises(ValueError):
        ncu_counters.parse(text)


@pytest.mark.skipif(not any(map(shutil.which, compiler.CANDIDATES)), reason="needs a compiler")
def test_our_side_of_the_table():
    mine = ncu_counters.watched()
    assert len(mine) >= 12 and set(mine) == {counted.name for counted in KERNELS}
    rows = ncu_counters.compare(mine, ncu_counters.parse(RAW))
    equal = {(row.kernel, row.counter) for row in rows if row.equal}
    assert equal == {
        ("contiguous", "global load sectors"),
        ("contiguous", "global store sectors"),
        ("transpose_naive", "global load sectors"),
        ("transpose_naive", "global store sectors"),
    }
    wrong = ncu_counters.parse(RAW.replace("16,384", "16,000"))
    text = ncu_counters.table(ncu_counters.compare(mine, wrong), "a GPU")
    assert f"3 of {len(rows)} counters are equal" in text
    assert "| transpose_naive | global store sectors | 16,384 | 16,000 | differs |" in text
    assert "| transpose_tiled | shared load conflicts | 15,872 | none | differs |" in text


def test_the_recorded_table_is_ncus_with_machine_and_date():
    text = ncu_counters.recorded(BY_ROW, "a GPU", datetime.date(2026, 1, 2))
    assert text.startswith('# Recorded by python -m ci.ncu_counters on a GPU, 2026-01-02\n"ID",')
    assert "==PROF==" not in text and "device:" not in text
    assert ncu_counters.parse(text) == ncu_counters.parse(BY_ROW)


def test_the_command_names_every_kernel_and_metric():
    command = " ".join(ncu_counters.ncu_command("ncu"))
    assert all(counted.name in command for counted in KERNELS)
    assert all(metric in command for metric in ncu_counters.METRICS.values())
    assert command.endswith("-m ci.ncu_counters --launch")


def test_without_a_gpu_it_waits(monkeypatch, capsys):
    monkeypatch.setattr(ncu_counters.cuda, "on_gpu", lambda: False)
    assert ncu_counters.main([]) == 2
    assert "waits for a CUDA machine" in capsys.readouterr().out
