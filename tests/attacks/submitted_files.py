"""Submission folders that are traps: archives, links, pipes, names, sizes, modules beside the notebook."""

import gzip
import io
import json
import os
import zipfile

from attacks.bank import attack
from attacks.handin import FIRST, SECOND

ITSELF = "nothing of it runs; it is read, or not"


def replace(h, name: str, data: bytes) -> None:
    h.skip.add(name)
    h.file(f"{name}.ipynb", data)


@attack(never=ITSELF)
def archive_named_as_a_notebook(h):
    """Hands in a zip archive and a gzip file under the notebooks' names."""
    text = json.dumps(h.notebooks[FIRST]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{FIRST}.ipynb", text)
    replace(h, FIRST, buffer.getvalue())
    replace(h, SECOND, gzip.compress(text))


@attack(never=ITSELF)
def zip_bomb(h):
    """Hands in an archive whose notebook has 400 MB once it is unpacked."""
    h.skip |= {FIRST, SECOND}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{FIRST}.ipynb", bytes(4 * 10**8))
    h.file("homework.zip", buffer.getvalue())


@attack(answers="right", never=ITSELF)
def archive_that_climbs(h):
    """Hands in an archive whose names lead out of the folder it is unpacked in."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, notebook in h.notebooks.items():
            archive.writestr(f"../../a-reference/1.1-attacked/{name}.ipynb", json.dumps(notebook))
        archive.writestr("/etc/cron.d/planted", "x")
    h.skip |= {FIRST, SECOND}
    h.file("homework.zip", buffer.getvalue())


@attack(never=ITSELF)
def json_that_swells(h):
    """Hands in 45 MB of empty lists."""
    replace(h, FIRST, b'{"cells": [' + b"[]," * 15_000_000 + b"[]]}")


@attack(never=ITSELF)
def deeply_nested_json(h):
    """Hands in a hundred thousand brackets, and metadata of that depth."""
    replace(h, FIRST, b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    text = json.dumps(h.notebooks[SECOND]).replace('"metadata": {}', '"metadata": {"x": DEEP}', 1)
    replace(h, SECOND, text.replace("DEEP", '{"a":' * 50_000 + "1" + "}" * 50_000).encode())


@attack(bare="stock")
def huge_numbers_in_the_file(h):
    """Writes points and versions of ten thousand digits into the file."""
    for name in (FIRST, SECOND):
        text = json.dumps(h.notebooks[name]).replace('"points": ', '"points": ' + "9" * 10_000, 1)
        replace(h, name, text.encode())


@attack(never=ITSELF)
def link_to_a_neighbour(h):
    """Hands in links to the reference's notebooks in place of its own."""
    h.skip |= {FIRST, SECOND}
    for name in (FIRST, SECOND):
        os.symlink(h.course.submission("a-reference") / f"{name}.ipynb", h.folder / f"{name}.ipynb")


@attack(never=ITSELF)
def links_to_secrets(h):
    """Hands in files beside the notebooks that are links to the secret and to the home folder."""
    os.symlink(h.course.work / "secret", h.folder / "data.csv")
    os.symlink(h.course.home, h.folder / "more")
    os.symlink(h.folder, h.folder / "loop")
    os.symlink("/proc/self/environ", h.folder / "environment.txt")
    h.first(
        "import os\n"
        "for name in ('data.csv', 'environment.txt', 'more/.netrc'):\n"
        "    reach(name, lambda: open(name).read())"
    )


@attack(never="the grader would wait for ever")
def pipe_as_a_notebook(h):
    """Hands in named pipes, and a device, in place of files."""
    h.skip |= {FIRST, SECOND}
    os.mkfifo(h.folder / f"{FIRST}.ipynb")
    (h.folder / f"{SECOND}.ipynb").mkdir()
    os.mkfifo(h.folder / "data.csv")
    os.mkfifo(h.folder / "timestamp.txt")


@attack(answers="right", never=ITSELF)
def names_that_climb_and_command(h):
    """Hands in files whose names are paths, options, markup, escapes and no text."""
    names = [
        b"--force.csv",
        b"$(touch pwned).csv",
        b"\x1b[2J.csv",
        b"\xff\xfe.csv",
        b"..\\..\\x.csv",
    ]
    names += [b"[red]x[bold].csv", b"<script>.ipynb", b"new\nline.csv", b"a" * 240 + b".csv"]
    for name in names:
        with open(os.path.join(os.fsencode(h.folder), name), "wb") as out:
            out.write(b"x")


@attack(bare="stock")
def modules_of_the_course_beside_the_notebook(h):
    """Hands in autograder.py and lab.py, whose check() accepts everything."""
    accept = "def check(*a, **k):\n    pass\n"
    for name in (
        "lab.py",
        "autograder.py",
        "autograder/__init__.py",
        "autograder/checks/__init__.py",
    ):
        h.file(name, accept)
    h.first("import autograder\ntamper('whose', lambda: autograder.__file__[-30:])")


@attack(answers="right", bare="stock")
def numpy_beside_the_notebook(h):
    """Hands in numpy.py and math.py, which end whoever imports them."""
    for name in ("numpy.py", "math.py", "numpy/__init__.py", "json.py"):
        h.file(name, "raise SystemExit")


@attack(bare="stock")
def startup_files_beside_the_notebook(h):
    """Hands in sitecustomize.py, ipython_config.py, ipython_kernel_config.py and the like."""
    code = "import builtins\nbuiltins.planted = 1\n"
    names = ("sitecustomize.py", "usercustomize.py", "jupyter_config.py", "conftest.py")
    for name in (*names, "ipython_config.py", "ipython_kernel_config.py", "planted.pth"):
        h.file(name, code + "c = get_config()\n" if "config" in name else code)
    h.file(
        "ipython_config.py",
        "c = get_config()\nc.InteractiveShellApp.exec_lines = ['check = print']",
    )
    h.first("tamper('planted', lambda: planted)")


@attack(never="stock nbgrader reads it from the folder that it is started in, as ours does")
def nbgrader_config_beside_the_notebook(h):
    """Hands in an nbgrader_config.py that gives everybody full points."""
    h.file("nbgrader_config.py", "c = get_config()\nc.Autograde.autograde_preprocessors = []\n")
    h.file(".jupyter/nbgrader_config.py", "raise SystemExit")


@attack(answers="right", never="stock nbgrader ends its run over it, for the whole class")
def timestamp_that_is_none(h):
    """Hands in a timestamp.txt that is no date."""
    h.file("timestamp.txt", "99999-99-99 not a date")


@attack(answers="right", never="stock nbgrader ends its run over it, for the whole class")
def timestamp_that_is_no_text(h):
    """Hands in a timestamp.txt that is no text."""
    h.file("timestamp.txt", b"\xff\xfe\x00")


@attack(answers="right", bare="stock")
def timestamp_from_the_past(h):
    """Hands in a timestamp.txt of the year 1, to be early, with an odd time zone."""
    h.file("timestamp.txt", "0001-01-01 00:00:00 +23:59")


@attack(never=ITSELF)
def file_of_a_terabyte(h):
    """Hands in sparse files of a terabyte, one of them a notebook."""
    h.skip.add(FIRST)
    for name in (f"{FIRST}.ipynb", "data.bin"):
        with open(h.folder / name, "wb") as out:
            out.truncate(10**12)


@attack(answers="right", never=ITSELF)
def thousands_of_files(h):
    """Hands in thousands of files, in folders a hundred deep."""
    for number in range(3000):
        h.file(f"many/{number}.txt", b"x")
    h.file("/".join(["d"] * 100) + "/x.txt", b"x")


@attack(answers="right", bare="stock")
def second_notebook_of_the_same_name(h):
    """Hands in further notebooks under names that differ by case, space and suffix."""
    forged = h.copy(FIRST)
    for cell in forged["cells"]:
        cell["source"] = "4.0"
    for name in (
        "1_SQNR.ipynb",
        "1_quantize (1).ipynb",
        "1_quantize.ipynb.ipynb",
        "old/1_quantize.ipynb",
    ):
        h.file(name, json.dumps(forged))
