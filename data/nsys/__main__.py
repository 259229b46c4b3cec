"""Record the export that the lesson on Nsight reads: `python -m data.nsys --nsys PATH`.

Runs workload.py under `nsys profile`, exports to SQLite, and ships what says nothing about the machine:
an export holds every environment variable, the names of all processes, the host's name and paths.
"""

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SHIPPED = HERE / "quantized_layer.sqlite"
META = ("EXPORT_PRODUCT_NAME", "EXPORT_PRODUCT_VERSION", "EXPORT_SCHEMA_VERSION",
        "EXPORT_PLATFORM", "EXPORT_ARCH", "EXPORT_TIME_UTC")  # fmt: skip
WALL_S = 300
# What is kept of each table; nothing else of the export is.
KEPT = {
    "NVTX_EVENTS": "1",
    # Before the first range Python imports its modules: thousands of reads.
    "OSRT_API": "start >= (SELECT min(start) FROM NVTX_EVENTS)",
    "ThreadNames": "globalTid IN (SELECT globalTid FROM NVTX_EVENTS)",
    "ENUM_NSYS_EVENT_TYPE": "1",
    "EXPORT_META_DATA": f"name IN {META}",
    "StringIds": "id IN (SELECT textId FROM NVTX_EVENTS UNION SELECT nameId FROM kept.OSRT_API"
    " UNION SELECT nameId FROM kept.ThreadNames)",
}


def command(nsys: str, output: Path) -> list[str]:
    """The nsys command that writes OUTPUT.nsys-rep and OUTPUT.sqlite."""
    return [
        nsys, "profile", "--trace=nvtx,osrt", "--sample=none", "--cpuctxsw=none",
        f"--output={output}", "--force-overwrite=true", "--export=sqlite",
        sys.executable, str(HERE / "workload.py"),
    ]  # fmt: skip


def keep(export: Path, shipped: Path) -> None:
    """Copy the tables and rows of KEPT, with the table definitions of the export."""
    shipped.unlink(missing_ok=True)
    with sqlite3.connect(export) as connection:
        connection.execute("ATTACH ? AS kept", (str(shipped),))
        for table, rows in KEPT.items():
            (made,) = connection.execute(
                "SELECT sql FROM main.sqlite_master WHERE name = ?", (table,)
            ).fetchone()
            connection.execute(made.replace(f"TABLE {table}", f"TABLE kept.{table}", 1))
            connection.execute(f"INSERT INTO kept.{table} SELECT * FROM main.{table} WHERE {rows}")
    connection.close()
    with sqlite3.connect(shipped) as connection:
        connection.execute("VACUUM")
    connection.close()


def main() -> int:
    """Record, keep what may be shipped, say what there is."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--nsys", default="nsys", help="the nsys program (default: on PATH)")
    words.add_argument("--library-path", default="", help="LD_LIBRARY_PATH for nsys")
    chosen = words.parse_args()
    if not shutil.which(chosen.nsys):
        print(f"There is no {chosen.nsys}: install Nsight Systems, or give its path with --nsys.")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "report"
        few = {"PATH": "/usr/bin:/bin", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        few |= {"HOME": folder, "LD_LIBRARY_PATH": chosen.library_path}
        run = command(chosen.nsys, output)
        done = subprocess.run(run, env=few, capture_output=True, text=True, timeout=WALL_S)
        export = output.with_suffix(".sqlite")
        if done.returncode or not export.exists():
            print(f"nsys made no export:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
            return 1
        keep(export, SHIPPED)
    with sqlite3.connect(SHIPPED) as connection:
        for table in KEPT:
            print(
                f"{table}: {connection.execute(f'SELECT count(*) FROM {table}').fetchone()[0]} rows"
            )
    connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
