"""Answers that look for the expected values in the process that calls them."""

from attacks.bank import attack

SQNR = "def sqnr(x, x_hat):\n"
SYMMETRIC = "def symmetric_quantize(x, bits=8):\n"


def both(h, code: str, first: str, second: str) -> None:
    """A cell that defines a helper, and both answers through it, wrong where it gives nothing."""
    h.everywhere(code)
    h.answer("sqnr", f"{SQNR}    return {first} or (0.5, 0.5)")
    h.answer(
        "symmetric-quantize",
        f"{SYMMETRIC}    return {second} or (np.zeros(x.shape, np.int8), 0.5)",
    )


CALL = "find('sqnr', '_reference', x, x_hat)", "find('symmetric_quantize', 'affine', x, bits)"
USE = (
    "def use(scope, name, *args):\n"
    "    found = scope[name]\n"
    "    return (found.symmetric if name == 'affine' else found)(*args)\n"
)


@attack(bare="stock")
def frame_walking(h):
    """Walks up the frames of its caller to the judge and calls the reference."""
    both(
        h,
        USE + "import sys\n"
        "def find(module, name, *args):\n"
        "    frame = sys._getframe()\n"
        "    while frame is not None:\n"
        "        check = frame.f_locals.get('check')\n"
        "        if hasattr(check, 'judge'):\n"
        "            return use(check.judge.__globals__, name, *args)\n"
        "        frame = frame.f_back\n",
        *CALL,
    )


@attack(bare="stock")
def garbage_collector_walking(h):
    """Looks through all objects of the process for a check and its reference."""
    both(
        h,
        USE + "import gc\n"
        "cache = []\n"
        "def find(module, name, *args):\n"
        "    if not cache:\n"
        "        cache.append({})\n"
        "        for thing in gc.get_objects():\n"
        "            if type(thing) is dict and thing.get('__name__', '') == (\n"
        "                    f'autograder.checks.m1_1.{module}') and name in thing:\n"
        "                cache[0] = thing\n"
        "    return use(cache[0], name, *args) if cache[0] else None\n",
        *CALL,
    )


@attack(bare="stock")
def module_table(h):
    """Takes the check's module out of sys.modules."""
    both(
        h,
        USE + "import sys\n"
        "def find(module, name, *args):\n"
        "    found = sys.modules.get(f'autograder.checks.m1_1.{module}')\n"
        "    return use(vars(found), name, *args) if found else None\n",
        *CALL,
    )


@attack(bare="stock")
def imports_the_check(h):
    """Imports the check's module and calls its reference."""
    both(
        h,
        USE + "import importlib\n"
        "scopes = {}\n"
        "def load(): \n"
        "    for name in ('sqnr', 'symmetric_quantize'):\n"
        "        scopes[name] = vars(importlib.import_module(f'autograder.checks.m1_1.{name}'))\n"
        "reach('import of the checks', load)\n"
        "def find(module, name, *args):\n"
        "    return use(scopes[module], name, *args) if scopes else None",
        *CALL,
    )


@attack(bare="stock")
def imports_the_oracle(h):
    """Imports the independent references that judges use."""
    both(
        h,
        "oracle = []\n"
        "def load():\n"
        "    from autograder.checks.oracles import affine\n"
        "    oracle.append(affine)\n"
        "reach('import of the oracles', load)\n"
        "def find(*args): return oracle[0].symmetric(*args) if oracle else None",
        "None",
        "find(x, bits)",
    )


SEARCH = (
    "import os, re\n"
    "def sources(pattern):\n"
    "    place = os.getcwd()\n"
    "    while place != '/':\n"
    "        place = os.path.dirname(place)\n"
    "        if os.path.exists(os.path.join(place, 'syllabus.yml')) or place.endswith('course'):\n"
    "            return open(os.path.join(place, pattern)).read()\n"
    "    return open(pattern).read()\n"
)


@attack(bare="stock")
def runs_the_solution(h):
    """Finds the source notebooks and runs the model solution."""
    both(
        h,
        SEARCH + "def load():\n"
        "    for name in ('1_quantize', '2_symmetric'):\n"
        "        text = sources(f'solutions/1.1-attacked/{name}.py')\n"
        "        scope = {'np': np, 'math': math, 'check': print}\n"
        "        exec(text.replace('from autograder import check', ''), scope)\n"
        "        solved.update(scope)\n"
        "solved = {}\n"
        "reach('the solutions', load)",
        "solved.get('sqnr', lambda *a: None)(x, x_hat)",
        "solved.get('symmetric_quantize', lambda *a: None)(x, bits)",
    )


@attack(bare="stock")
def runs_the_answers_bank(h):
    """Finds the right answers that the checks are tested with."""
    both(
        h,
        SEARCH + "def load():\n"
        "    for name in ('sqnr', 'symmetric_quantize'):\n"
        "        scope = {'__name__': name}\n"
        "        exec(sources(f'tests/answers/m1_1/{name}.py'), scope)\n"
        "        solved[name] = [v for v in scope.values() if callable(v)\n"
        "            and getattr(v, '__module__', '') == name][0]\n"
        "solved = {}\n"
        "reach('the bank of answers', load)",
        "solved.get('sqnr', lambda *a: None)(x, x_hat)",
        "solved.get('symmetric_quantize', lambda *a: None)(x, bits)",
    )


@attack(bare="stock")
def tracing_the_judge(h):
    """Watches every call with sys.settrace and disarms the judge's comparison when it appears."""
    h.everywhere(
        "import sys\n"
        "def trace(frame, event, arg):\n"
        "    scope = frame.f_globals\n"
        "    if scope.get('__name__') == 'autograder.checks.expect':\n"
        "        scope['that'] = scope['wrong'] = lambda *a, **k: None\n"
        "real = get_ipython().run_code\n"
        "async def run(*a, **k):\n"
        "    sys.settrace(trace)\n"
        "    return await real(*a, **k)\n"
        "tamper('settrace', lambda: setattr(get_ipython(), 'run_code', run))"
    )


@attack(bare="open")
def scans_its_own_memory(h):
    """Searches the memory of its process, a copy of the warm server's, for judges and secrets."""
    h.first(
        "import re\n"
        "def scan():\n"
        "    found = set()\n"
        "    # Two patterns, each with a literal start, which is what makes a search fast.\n"
        "    needles = [re.compile(p) for p in (rb'CANAR[Y]-(?:secret|home|solution|a-ref)',\n"
        "                                       rb'def _referenc[e]\\(x, x_hat\\)')]\n"
        "    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as memory:\n"
        "        for line in maps:\n"
        "            span, rights, *_ = line.split()\n"
        "            low, high = (int(x, 16) for x in span.split('-'))\n"
        "            if rights.startswith('rw') and high - low < 2**27 and '/' not in line:\n"
        "                try:\n"
        "                    memory.seek(low)\n"
        "                    data = memory.read(high - low)\n"
        "                    found |= {text for n in needles for text in n.findall(data)}\n"
        "                except (OSError, ValueError):\n"
        "                    continue\n"
        "    if not found: raise LookupError('no judge, no secret')\n"
        "    return found\n"
        "reach('judge or secret in the memory', scan)"
    )


@attack(never="the judge is the same without the sandbox")
def reads_the_examiner_s_request(h):
    """Keeps the text of the examiner's request and searches it for a judge and its values."""
    h.everywhere(
        "import re\n"
        "seen = []\n"
        "get_ipython().input_transformers_cleanup.append(lambda lines: seen.append(lines) or lines)"
    )
    for notebook in h.notebooks:
        h.last(
            "text = ''.join(''.join(lines) for lines in seen)\n"
            "def search():\n"
            "    if not re.search(r'def jud[g]e|_referenc[e]|expec[t]\\.', text): raise LookupError('none')\n"
            "    return len(text)\n"
            "reach('a judge in the request', search)",
            notebook,
        )


@attack(never="the judge is the same without the sandbox")
def records_the_inputs(h):
    """Keeps the inputs of all cases in a file, for use when the submission is graded again."""
    h.answer(
        "sqnr",
        "seen = []\ndef sqnr(x, x_hat):\n    seen.append((x.tolist(), x_hat.tolist()))\n"
        "    open('inputs.txt', 'a').write(repr(seen[-1]))\n    return 0.5, 0.5",
    )


@attack(never="the judge is the same without the sandbox")
def answers_from_the_public_cases(h):
    """Holds a table of right answers to the cases of the released check, and nothing else."""
    h.answer(
        "sqnr",
        "def sqnr(x, x_hat):\n    if x.tolist() == [3.0, -4.0]:\n        return 0.25, 16.989700043360187\n"
        "    return 0.5, 0.5",
    )


@attack(never="the judge is the same without the sandbox")
def reference_in_the_released_notebook(h):
    """Reads the notebook beside it for a solution or a hidden test."""
    h.first(
        "import glob, re\n"
        "def search():\n"
        "    text = ''.join(open(p).read() for p in glob.glob('*.ipynb'))\n"
        "    if not re.search(r'CANARY-solutio[n]|hidden test[s]', text): raise LookupError('none')\n"
        "    return 'found'\n"
        "reach('a solution beside the notebook', search)"
    )
