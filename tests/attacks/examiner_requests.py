"""Cells that take over the examiner's runner in the kernel and send it data made to hurt.

The kernel may always return wrong data; it must gain nothing by it and harm nothing.
"""

from attacks.bank import attack

ONLY = "it aims at the examiner's own request"
# The text of one "ok" outcome that holds `body`, as the codec writes it.
FORGE = (
    "import builtins\n"
    "real = builtins.exec\n"
    "def outcomes(body, count=30):\n"
    "    one = '{\"l\": [\"ok\", ' + body + ']}'\n"
    "    return '{\"l\": [' + ', '.join([one] * count) + ']}'\n"
    "def forge(text):\n"
    "    def fake(code, scope=None, *rest):\n"
    "        real(code, scope, *rest)\n"
    "        if scope is not None and 'run_probes' in scope:\n"
    "            scope['run_probes'] = lambda *a: text() if callable(text) else text\n"
    "    builtins.exec = fake\n"
)


def sends(h, text: str) -> None:
    h.everywhere(f"{FORGE}tamper('exec', lambda: forge({text}))")


@attack(never=ONLY)
def forged_ok_outcomes(h):
    """Replaces exec, through which the runner is loaded, and reports "ok" with guessed values."""
    sends(h, 'outcomes(\'{"l": [{"f": "0x1p-2"}, {"f": "0x1.0fd5p+4"}]}\')')


@attack(never=ONLY)
def patched_globals_and_compile(h):
    """Replaces compile and globals, so that the runner is compiled from another text."""
    h.everywhere(
        "import builtins\n"
        "real = builtins.compile\n"
        "def swap(text, *rest, **more):\n"
        "    if 'run_probes' in str(text):\n"
        '        text = \'def run_probes(*a): return \\\'{"l": [{"l": ["ok", null]}]}\\\'\'\n'
        "    return real(text, *rest, **more)\n"
        "def patch():\n"
        "    builtins.compile, builtins.globals = swap, lambda: {}\n"
        "tamper('compile', patch)"
    )


@attack(never=ONLY)
def own_course_load(h):
    """Defines names of the runner beforehand, in a namespace that cannot be overwritten."""
    h.everywhere(
        "class Stuck(dict):\n"
        "    def __setitem__(self, key, value):\n"
        "        if not key.startswith('_course'): super().__setitem__(key, value)\n"
        "def stick():\n"
        "    get_ipython().user_ns = Stuck(get_ipython().user_ns)\n"
        "    get_ipython().user_ns.update(_course_answer='{\"l\": []}', _course_load=lambda t: print)\n"
        "tamper('user_ns', stick)"
    )


@attack(never=ONLY)
def patched_json_and_base64(h):
    """Replaces json.dumps and base64 in the kernel, so that every outcome leaves as it likes."""
    h.everywhere(
        "import json, base64\n"
        "def patch():\n"
        '    json.dumps = lambda *a, **k: \'{"l": [{"l": ["ok", {"l": []}]}]}\'\n'
        "    base64.b64encode = lambda data: b'AAAA'\n"
        "tamper('json', patch)"
    )


@attack(never=ONLY)
def outcomes_of_unknown_kinds(h):
    """Sends outcomes with kinds, counts and tags that do not exist."""
    sends(
        h,
        '\'{"l": [{"l": ["full marks", 1]}, {"l": ["ok"]}, {"l": []}, {"pickle": "gASV"},\'\n'
        '\' {"l": ["ok", 1, 2]}, {"l": [{"l": []}, 2]}, 5]}\'',
    )


@attack(never=ONLY)
def pickled_outcome(h):
    """Sends a pickle, and an object array, that would run a command where they are loaded."""
    sends(
        h,
        '\'{"a": ["object", [1], "gASVIQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAZ0b3VjaCB4lIWUUpQu", "C"]}\'',
    )


@attack(never=ONLY)
def tensor_larger_than_memory(h):
    """Sends a tensor without data and with a shape of a million million."""
    sends(h, 'outcomes(\'{"torch": ["float64", [1000000, 1000000], ""]}\')')


@attack(never=ONLY)
def tensor_of_another_shape(h):
    """Sends tensors whose data do not fit their shape or their dtype."""
    sends(h, 'outcomes(\'{"torch": ["float64", [7, 7], "AAAA"]}\')')


@attack(never=ONLY)
def text_array_that_swells(h):
    """Sends one long string and many short ones as an array, in which each is as wide as the longest."""
    sends(
        h,
        "lambda: outcomes('{\"a\": [\"text\", [25000], [\"' + 'a' * 25000 + '\"' + ', \"b\"' * 24999 + ']]}', 1)",
    )


@attack(never=ONLY)
def millions_of_empty_lists(h):
    """Sends 40 MB of empty lists, which take thirty times as much once they are read."""
    sends(h, "lambda: '{\"l\": [' + ', '.join(['{\"l\": []}'] * 4_000_000) + ']}'")


@attack(never=ONLY)
def reply_of_300_megabytes(h):
    """Sends one string of 300 million characters."""
    sends(h, "lambda: outcomes('\"' + 'x' * 300_000_000 + '\"', 1)")


@attack(never=ONLY)
def text_that_crashes_a_parser(h):
    """Lets the reply's text be a Python expression so deep that reading it overflows the stack."""
    h.everywhere(
        "class Deep(str):\n"
        "    def __repr__(self): return '-' * 3_000_000 + '1'\n"
        "plain = get_ipython().display_formatter.formatters['text/plain']\n"
        "def deep(text, printer, cycle): printer.text('-' * 3_000_000 + '1')\n"
        "tamper('repr', lambda: plain.for_type(str, deep))"
    )


@attack(never=ONLY)
def text_of_nested_brackets(h):
    """Sends a million opening brackets, in JSON and in Python's notation."""
    sends(h, "lambda: '[' * 1_000_000")


@attack(never=ONLY)
def integer_of_a_hundred_million_bits(h):
    """Sends an integer of 25 million hexadecimal digits in place of a scale."""
    sends(
        h, 'lambda: outcomes(\'{"l": [{"i": "0x\' + \'f\' * 25_000_000 + \'"}, {"i": "0x1"}]}\', 1)'
    )


@attack(never=ONLY)
def flood_beside_the_reply(h):
    """Publishes messages of 8 MB without end while a check waits for the reply."""
    h.answer(
        "sqnr",
        "def sqnr(x, x_hat):\n"
        "    kernel = get_ipython().kernel\n"
        "    data = {'name': 'stdout', 'text': 'x' * 2**23}\n"
        "    for _ in range(250):\n"
        "        kernel.session.send(kernel.iopub_socket, 'stream', data, ident=b'stream')\n"
        "    return 0.5, 0.5",
    )


@attack(never=ONLY)
def replies_to_other_requests(h):
    """Sends a thousand replies to requests that were never made, before its own."""
    h.everywhere(
        "kernel = get_ipython().kernel\n"
        "real = kernel.session.send\n"
        "def send(stream, kind, content=None, **more):\n"
        "    if kind == 'execute_reply':\n"
        "        for n in range(1000):\n"
        "            wrong = {'header': {'msg_id': f'x{n}'}}\n"
        "            real(stream, kind, content, **{**more, 'parent': wrong})\n"
        "    return real(stream, kind, content, **more)\n"
        "tamper('send', lambda: setattr(kernel.session, 'send', send))"
    )
