"""Answers to ncu-csv."""

import ast
import csv
import io
import re

from autograder.checks.bank import right, wrong


def _table(text, end=lambda line: line.startswith('"')):
    lines = text.splitlines()
    heads = [i for i, line in enumerate(lines) if line.startswith('"ID",')]
    if not heads:
        raise ValueError("no table")
    return "\n".join(line for line in lines[heads[0] :] if end(line))


def _value(cell):
    plain = cell.replace(",", "")
    if re.fullmatch(r"-?\d+(\.\d+)?", plain):
        return float(plain)
    return None if cell in ("", "n/a") else cell


def _three(cell):
    return tuple(int(v) for v in cell.strip("()").split(","))


def _launch(row, number=int, kernel=lambda name: name, three=_three):
    return {"id": number(row["ID"]), "kernel": kernel(row["Kernel Name"]),
            "block": three(row["Block Size"]), "grid": three(row["Grid Size"]), "metrics": {}}  # fmt: skip


def _read(text, value=_value, key="{s}: {m}", unit=lambda u: u, skip_units=True, advice=False,
          by=lambda row: row["ID"], behind=11, keep=lambda v: True, **how):  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(_table(text))))
    units = next((row for row in rows if not row["ID"]), {})
    found = {}
    for row in rows:
        if not row["ID"] and skip_units:
            continue
        metrics = found.setdefault(by(row), _launch(row, **how))["metrics"]
        if "Metric Name" in row:
            if row["Metric Name"] or advice:
                name = key.format(s=row["Section Name"], m=row["Metric Name"])
                if keep(value(row["Metric Value"])):
                    metrics[name] = (value(row["Metric Value"]), unit(row["Metric Unit"]))
            continue
        for name in list(row)[behind:]:
            if keep(value(row[name])):
                metrics[name] = (value(row[name]), unit(units.get(name) or ""))
    return list(found.values())


@right("DictReader")
def dict_reader(text):
    return _read(text)


@right("csv.reader over all rows")
def plain_reader(text):
    rows = list(csv.reader(_table(text).split("\n")))
    header, body = rows[0], rows[1:]
    at = {name: i for i, name in enumerate(header)}
    found, order, units = {}, [], [""] * len(header)
    for row in body:
        if row[0] == "":
            units = row
            continue
        if row[0] not in found:
            order.append(row[0])
            found[row[0]] = {"metrics": {}, "grid": list(ast.literal_eval(row[at["Grid Size"]])),
                             "block": list(ast.literal_eval(row[at["Block Size"]])),
                             "kernel": row[at["Kernel Name"]], "id": int(row[0])}  # fmt: skip
        metrics = found[row[0]]["metrics"]
        if "Metric Name" in at:
            label = row[at["Metric Name"]]
            if label:
                name = row[at["Section Name"]] + ": " + label
                metrics[name] = [_value(row[at["Metric Value"]]), row[at["Metric Unit"]]]
        else:
            for i in range(at["CC"] + 1, len(header)):
                metrics[header[i]] = [_value(row[i]), units[i]]
    return [found[number] for number in order]


@wrong(
    "split-at-commas",
    "Kernel names and numbers have commas inside their quotes: use the csv module.",
)
def split(text):
    lines = _table(text).split("\n")
    header = [cell.strip('"') for cell in lines[0].split(",")]
    rows = [
        dict(zip(header, [c.strip('"') for c in line.split(",")], strict=False))
        for line in lines[1:]
    ]
    return [_launch(row, three=lambda cell: (1, 1, 1)) for row in rows if row["ID"]]


@wrong("thousands-as-text", "1,234 is a number with a thousands separator.")
def thousands(text):
    def value(cell):
        try:
            return float(cell)
        except ValueError:
            return None if cell in ("n/a", "") else cell

    return _read(text, value=value)


@wrong("comma-as-decimal-point", "The comma separates thousands; the point is the decimal point.")
def decimal(text):
    def value(cell):
        new = _value(cell)
        if isinstance(new, float) and "," in cell:
            return float(cell.replace(".", "").replace(",", ".", 1).replace(",", ""))
        return new

    return _read(text, value=value)


@wrong("na-as-zero", "n/a is not 0: it was not collected.")
def na_zero(text):
    return _read(text, value=lambda cell: 0.0 if cell in ("n/a", "") else _value(cell))


@wrong("na-as-text", "n/a stands for no value: None.")
def na_text(text):
    return _read(text, value=lambda cell: cell if cell == "n/a" else _value(cell))


@wrong("na-as-nan", "n/a stands for no value: None, not nan.")
def na_nan(text):
    return _read(text, value=lambda cell: float("nan") if _value(cell) is None else _value(cell))


@wrong("na-left-out", "A metric without a value stays in the dict, with None.")
def na_dropped(text):
    return _read(text, keep=lambda value: value is not None)


@wrong("text-left-out", "A value that is no number is kept as text.")
def text_dropped(text):
    return _read(text, keep=lambda value: not isinstance(value, str))


@wrong("text-as-none", "A value that is no number is kept as text.")
def text_none(text):
    def value(cell):
        new = _value(cell)
        return None if isinstance(new, str) else new

    return _read(text, value=value)


@wrong(
    "units-row-as-a-launch", "Below the raw page's header stands a row of units: its ID is empty."
)
def units_row(text):
    return _read(text, skip_units=False, number=lambda cell: int(cell or -1),
                 three=lambda cell: _three(cell) if cell else (0, 0, 0))  # fmt: skip


@wrong("units-dropped", "The unit stands beside its value: byte and Kbyte differ by a thousand.")
def no_units(text):
    return _read(text, unit=lambda unit: "")


@wrong(
    "label-without-section", "The same label occurs in several sections: put the section before it."
)
def no_section(text):
    return _read(text, key="{m}")


@wrong("advice-as-a-metric", "Rows of the details page without a Metric Name are advice.")
def advice(text):
    return _read(text, advice=True)


@wrong("launches-of-a-name-merged", "Two launches of a kernel are two: the ID tells them apart.")
def by_name(text):
    return _read(text, by=lambda row: row["Kernel Name"])


@wrong("a-row-a-launch", "On the details page a launch has many rows, with the same ID.")
def each_row(text):
    numbers = iter(range(10**6))
    return _read(text, by=lambda row: next(numbers))


@wrong("name-cut-at-the-parenthesis", "The kernel's name was asked for in full.")
def short_name(text):
    return _read(text, kernel=lambda name: name.split("(")[0])


@wrong("block-and-grid-swapped", "Block Size is the block, Grid Size the grid.")
def sizes(text):
    return [one | {"block": one["grid"], "grid": one["block"]} for one in _read(text)]


@wrong("sizes-as-text", "block and grid are three ints.")
def size_text(text):
    return _read(text, three=lambda cell: cell)


@wrong(
    "fixed-columns-too", "The columns up to CC describe the launch; metrics are those behind it."
)
def fixed_too(text):
    return _read(text, behind=8)


@wrong("id-as-text", "The id is an int.")
def id_text(text):
    return _read(text, number=str)


@wrong(
    "from-the-first-quote",
    'The table begins at the line that starts with "ID": the program prints quotes too.',
)
def first_quote(text):
    lines = [line for line in text.splitlines() if line.startswith('"')]
    if not lines:
        raise ValueError("no table")
    return _read("\n".join(['"ID",' + lines[0]] if not lines[0].startswith('"ID"') else [lines[0]])
                 + "\n" + "\n".join(lines[1:]))  # fmt: skip


@wrong(
    "lines-behind-kept", "Behind the table come lines of ncu and of the program: they are no rows."
)
def behind(text):
    start = text.find('"ID",')
    if start < 0:
        raise ValueError("no table")
    return [
        _launch(row, number=lambda cell: int(cell) if cell.isdigit() else -1,
                three=lambda cell: _three(cell) if cell else (0, 0, 0))
        for row in csv.DictReader(io.StringIO(text[start:]))
        if row["ID"]
    ]  # fmt: skip


@wrong("raw-page-alone", "The details page has a metric a row: look for the column Metric Name.")
def raw_alone(text):
    rows = [row for row in csv.DictReader(io.StringIO(_table(text)))]
    units = next((row for row in rows if not row["ID"]), {})
    found = []
    for row in rows:
        if row["ID"]:
            one = _launch(row)
            one["metrics"] = {k: (_value(row[k]), units.get(k, "")) for k in list(row)[11:]}
            found.append(one)
    return found


@wrong(
    "no-table-accepted",
    "Without a table of ncu raise ValueError: an empty list says that nothing was launched.",
)
def accepted(text):
    return _read(text) if any(x.startswith('"ID",') for x in text.splitlines()) else []


@wrong("integers", "Every number is a float, or int() drops what stands behind the point.")
def integers(text):
    def value(cell):
        new = _value(cell)
        return float(int(new)) if isinstance(new, float) else new

    return _read(text, value=value)


@wrong("commas-taken-from-texts", "Only numbers lose their commas: a text stays as it is.")
def bare_texts(text):
    return _read(text, value=lambda cell: _value(cell.replace(",", "")))


@wrong("stopped-at-another-line", "Rows may follow behind lines of ncu or of the program.")
def stopped(text):
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith('"ID",')), len(lines))
    ends = (i for i in range(first, len(lines)) if not lines[i].startswith('"'))
    return _read("\n".join(lines[: next(ends, len(lines))]))
