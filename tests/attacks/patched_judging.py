"""Wrong answers, and a kernel in which the tools of a judge were replaced."""

from attacks.bank import attack


@attack(bare="stock")
def patched_asserts(h):
    """Replaces the comparisons of the checks by functions that accept everything."""
    h.everywhere(
        "import autograder.checks.expect as e\n"
        "def accept():\n"
        "    for name in ('number', 'integer', 'codes', 'close', 'that', 'wrong'):\n"
        "        setattr(e, name, lambda value=None, *a, **k: value)\n"
        "tamper('checks.expect', accept)"
    )


@attack(bare="stock")
def patched_numpy(h):
    """Replaces numpy's functions so that no two arrays differ."""
    h.everywhere(
        "def patch():\n"
        "    np.atleast_1d = lambda v: np.zeros(1, bool)\n"
        "    np.array_equal = np.allclose = lambda *a, **k: True\n"
        "    np.argwhere = lambda v: []\n"
        "tamper('numpy', patch)"
    )
    h.answer(
        "symmetric-quantize",
        "def symmetric_quantize(x, bits=8):\n"
        "    scale = float(np.abs(x).max()) / (2 ** (bits - 1) - 1)\n"
        "    return np.zeros(x.shape, np.int8), scale or 1.0",
    )


@attack(bare="stock")
def patched_torch(h):
    """Replaces torch's comparisons, and answers with tensors that claim to be equal."""
    h.everywhere(
        "import torch\n"
        "def patch():\n"
        "    torch.equal = torch.allclose = lambda *a, **k: True\n"
        "    torch.Tensor.__eq__ = lambda s, o: True\n"
        "    torch.Tensor.__ne__ = lambda s, o: False\n"
        "tamper('torch', patch)"
    )
    h.answer("sqnr", "def sqnr(x, x_hat):\n    return torch.zeros(()), torch.zeros(())")


@attack(bare="stock")
def patched_math(h):
    """Makes math.isnan true, so that every number is the expected NaN."""
    h.everywhere("tamper('math', lambda: setattr(math, 'isnan', lambda v: True))")


@attack(bare="stock")
def patched_builtins(h):
    """Replaces abs, bool and isinstance, which any comparison leans on."""
    h.everywhere(
        "import builtins\n"
        "def patch():\n"
        "    builtins.abs = lambda v: 0\n"
        "    math.isfinite = lambda v: True\n"
        "    math.isinf = lambda v: False\n"
        "    real = builtins.bool\n"
        "    np.atleast_1d = lambda v: type('Never', (), {'any': lambda s: False})()\n"
        "tamper('builtins', patch)"
    )


@attack(bare="stock")
def patched_check_function(h):
    """Replaces check() itself, in the notebook and in its module."""
    h.everywhere(
        "import autograder, autograder.checks.api as api\n"
        "def patch():\n"
        "    global check\n"
        "    check = autograder.check = api.check = lambda *a, **k: None\n"
        "tamper('check', patch)"
    )


@attack(bare="stock")
def patched_engine(h):
    """Has the engine return a report with full points."""
    h.everywhere(
        "import autograder.checks.engine as engine\n"
        "from autograder.checks.report import Report\n"
        "def run(check, solution, points, seed=0):\n"
        "    return Report(check.id, points, points, [])\n"
        "tamper('engine', lambda: setattr(engine, 'run', run))"
    )


@attack(bare="stock")
def patched_judge_in_the_registry(h):
    """Wraps load_check so that every check comes with a judge that accepts."""
    h.everywhere(
        "import dataclasses, autograder.checks.registry as registry\n"
        "real = registry.load_check\n"
        "def soft(name): return dataclasses.replace(real(name), judge=lambda case, answer: None)\n"
        "tamper('registry', lambda: setattr(registry, 'load_check', soft))"
    )


@attack(bare="stock")
def patched_failure_class(h):
    """Turns a failed check into an exception whose constructor never fails a cell."""
    h.everywhere(
        "import autograder.checks.api as api\n"
        "def patch():\n"
        "    real = api.engine.run\n"
        "    def run(*a, **k):\n"
        "        report = real(*a, **k)\n"
        "        report.findings.clear()\n"
        "        return report\n"
        "    api.engine.run = run\n"
        "tamper('findings', patch)"
    )


@attack(bare="stock")
def swapped_modules(h):
    """Puts modules of its own into sys.modules in place of the course's."""
    h.everywhere(
        "import sys, types\n"
        "def swap():\n"
        "    fake = types.ModuleType('autograder')\n"
        "    fake.check = lambda *a, **k: None\n"
        "    for name in [n for n in sys.modules if n.startswith('autograder')]:\n"
        "        sys.modules[name] = fake\n"
        "    globals()['check'] = fake.check\n"
        "tamper('sys.modules', swap)"
    )
