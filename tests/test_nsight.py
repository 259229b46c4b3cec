"""Exports and tables in Nsight's form: the shipped recording, the generators, what is kept of an export."""

import sqlite3

import pytest

from autograder.checks.oracles import nsight, nsys_timeline
from data.nsys.__main__ import KEPT, command, keep
from lab import nsys_export
from lab.cuda import nvrtc, sass
from lab.errors import CourseError
from lab.ncu_text import Profiled, details, raw
from lab.nsight import record, recorded_tables, shipped_export
from lab.nsys_export import Launch, Range, connect, export


def _columns(connection, table):
    return {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({table})")}


@pytest.fixture
def shipped():
    connection = sqlite3.connect(f"file:{shipped_export()}?mode=ro", uri=True)
    yield connection
    connection.close()


def test_the_recording_is_whole_and_says_nothing_about_its_machine(shipped):
    tables = {name for (name,) in shipped.execute("SELECT name FROM sqlite_master")}
    assert tables == set(KEPT)
    steps = "SELECT count(*), min(end - start) FROM NVTX_EVENTS JOIN StringIds ON id = textId WHERE value = ?"
    for name in ("step", "fetch", "quantize", "matmul", "dequantize", "draw batch"):
        count, shortest_ns = shipped.execute(steps, (name,)).fetchone()
        assert count == 24 and shortest_ns > 0, name
    words = [value for (value,) in shipped.execute("SELECT value FROM StringIds")]
    words += [value for (value,) in shipped.execute("SELECT value FROM EXPORT_META_DATA")]
    assert not [w for w in words if "/" in w or "=" in w]


def test_generated_tables_have_the_columns_of_the_recording(shipped):
    made = connect(export([Range("a", 1, 2)], [Launch("k", (1, 2), (3, 4), 1)]))
    for table in ("NVTX_EVENTS", "StringIds"):
        real = _columns(shipped, table)
        assert _columns(made, table).items() <= real.items()
    kinds = dict(shipped.execute("SELECT name, id FROM ENUM_NSYS_EVENT_TYPE"))
    assert kinds["NvtxPushPopRange"] == nsys_export.PUSH_POP
    assert kinds["NvtxStartEndRange"] == nsys_export.START_END
    assert kinds["NvtxMark"] == nsys_export.MARK
    (note,) = made.execute("SELECT note FROM GENERATED_BY_THE_COURSE").fetchone()
    assert "no GPU ran" in note


def test_a_generated_export_takes_no_changes():
    connection = connect(export([Range("a", 1, 2)]))
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM NVTX_EVENTS")


def test_ids_of_threads_hold_their_process():
    tid = nsys_export.global_tid(2, 7)
    assert tid & 0xFFFFFFFFFF000000 == nsys_export.global_pid(2) != nsys_export.global_pid(1)


def test_only_the_named_tables_are_kept(tmp_path):
    full, small = tmp_path / "full.sqlite", tmp_path / "small.sqlite"
    with sqlite3.connect(full) as connection:
        connection.executescript(export([Range("step", 50, 90)]))
        connection.executescript("""
            CREATE TABLE OSRT_API (start INTEGER, end INTEGER, nameId INTEGER);
            CREATE TABLE ThreadNames (nameId INTEGER, globalTid INTEGER);
            CREATE TABLE ENUM_NSYS_EVENT_TYPE (id INTEGER, name TEXT);
            CREATE TABLE EXPORT_META_DATA (name TEXT, value TEXT);
            CREATE TABLE TARGET_INFO_SYSTEM_ENV (name TEXT, value TEXT);
            INSERT INTO StringIds VALUES (1, 'SECRET=x'), (2, 'read'), (3, 'open');
            INSERT INTO OSRT_API VALUES (10, 20, 3), (60, 70, 2);
            INSERT INTO EXPORT_META_DATA VALUES ('EXPORT_HOST', 'here'), ('EXPORT_ARCH', 'x64');
            INSERT INTO TARGET_INFO_SYSTEM_ENV VALUES ('DeviceEnvironment', 'SECRET=x');
        """)
    connection.close()
    keep(full, small)
    assert b"SECRET" not in small.read_bytes()
    kept = sqlite3.connect(small)
    assert kept.execute("SELECT name FROM EXPORT_META_DATA").fetchall() == [("EXPORT_ARCH",)]
    assert kept.execute("SELECT start FROM OSRT_API").fetchall() == [(60,)]
    strings = {value for (value,) in kept.execute("SELECT value FROM StringIds")}
    assert strings == {"step", "read"}
    kept.close()


def test_the_recording_command_is_one_that_nsys_reads(tmp_path):
    words = command("nsys", tmp_path / "report")
    options, program = nsight.parse_nsys(" ".join(words))
    assert options["--trace"] == "nvtx,osrt" and options["--cpuctxsw"] == "none"
    assert program[-1].endswith("workload.py")


def test_without_nsys_one_sentence_says_so(tmp_path):
    with pytest.raises(CourseError, match="shipped|ships"):
        record("no-such-nsys profile true", tmp_path)


def test_a_failed_recording_shows_its_last_lines(tmp_path):
    with pytest.raises(CourseError, match="unrecognised"):
        record("sh -c 'echo unrecognised option; exit 1'", tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        "nsys profile -s=none true",
        "nsys profile --force-overwrite true --bogus=1 true",
        "nsys profile --trace=cuda --trace=nvtx true",
        "nsys --trace=cuda true",
        "nsys profile --sample=cpu true",
    ],
)
def test_commands_that_nsys_refused_are_refused(command):
    with pytest.raises(nsight.BadCommand):
        nsight.parse_nsys(command)


@pytest.mark.parametrize("command", ["ncu -f=true true", "ncu --page=foo true", "ncu --bogus true"])
def test_commands_that_ncu_refused_are_refused(command):
    with pytest.raises(nsight.BadCommand):
        nsight.parse_ncu(command)


def test_options_end_at_the_program():
    options, program = nsight.parse_ncu("ncu -k regex:^a --launch-count 2 prog -c 9 --csv")
    assert options == {"--kernel-name": ["regex:^a"], "--launch-count": ["2"]}
    assert program == ["prog", "-c", "9", "--csv"]
    assert nsight.matched("regex:^a", ["abc", "ba"]) == ["abc"]
    assert nsight.matched("a", ["abc", "a"]) == ["a"]


def test_the_oracles_know_a_timeline_by_heart():
    ranges = [Range("a", 0, 100), Range("b", 10, 60), Range("c", 20, 30), Range("a", 70, 90)]
    assert nsys_timeline.range_times(ranges) == {
        "a": [2, 120, 50],
        "b": [1, 50, 40],
        "c": [1, 10, 10],
    }
    launches = [
        Launch("k", (22, 24), (200, 230), 1),
        Launch("k", (95, 97), (210, 240), 2, stream=8),
    ]
    found = nsys_timeline.gpu_times(ranges, launches)
    assert found == {"a": [2, 60], "b": [1, 30], "c": [1, 30]}
    assert nsys_timeline.busy(launches, 190, 290) == (40, 50, {"k": 60})


def test_both_pages_quote_every_field():
    one = Profiled(3, "f<int, 2>(T1 *)", metrics=[("Occupancy", "Achieved", "%", "1,000.5")])
    for page in (details([one]), raw([one])):
        assert page.startswith('"ID","Process ID"') and '"f<int, 2>(T1 *)"' in page
    assert raw([one]).splitlines()[1].startswith('"",')


def test_only_tables_of_ncu_count_as_recorded(tmp_path):
    (tmp_path / "a.csv").write_text("Time,Name\n1,2\n")
    assert recorded_tables(tmp_path) == {}
    (tmp_path / "b.csv").write_text("# a note\n" + raw([Profiled(0, "k")]))
    assert set(recorded_tables(tmp_path)) == {"b.csv"}


@pytest.mark.skipif(not nvrtc.installed() or not sass.nvdisasm(), reason="needs NVRTC and nvdisasm")
def test_sass_shows_the_dot_product_instruction():
    code = 'extern "C" __global__ void k(int* d) { d[0] = __dp4a(d[1], d[2], d[3]); }'
    assert sass.instructions(code, "sm_80")["IDP.4A.S8.S8"] == 1
    with pytest.raises(CourseError):
        sass.instructions("not CUDA", "sm_80")
