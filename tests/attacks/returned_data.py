"""Answers that are not what they seem: objects, subclasses, and numbers that satisfy any bound."""

from attacks.bank import attack

EQUAL = "'__eq__': lambda s, o: True, '__ne__': lambda s, o: False, '__hash__': lambda s: 0"
MINE = "it aims at the codec, which only the examiner has"


def returns(h, first: str, second: str = "", before: str = "") -> None:
    h.everywhere(before or "pass")
    h.answer("sqnr", f"def sqnr(x, x_hat):\n    return {first}")
    second = second or first
    h.answer("symmetric-quantize", f"def symmetric_quantize(x, bits=8):\n    return {second}")


@attack(bare="stock")
def object_that_equals_everything(h):
    """Returns an object whose comparisons are all true, and stops the copy to plain data."""
    returns(
        h,
        "Always(0.0), Always(0.0)",
        before=f"Always = type('Always', (float,), {{{EQUAL}, '__sub__': lambda s, o: 0.0,\n"
        " '__float__': lambda s: s})\n"
        "import autograder.checks.runner as runner\n"
        "import autograder.checks.expect as e\n"
        "tamper('plain', lambda: setattr(runner, 'to_plain', lambda v, depth=0: v))\n"
        "tamper('scalar', lambda: setattr(e, '_scalar', lambda v, *a: v))\n"
        "tamper('float', lambda: setattr(e, 'float', lambda v: v))\n"
        "e.math = type('M', (), {'isnan': lambda v: False, 'isinf': lambda v: False,\n"
        " 'isfinite': lambda v: True})",
    )


@attack(bare="stock")
def array_subclass_that_differs_from_nothing(h):
    """Returns an ndarray subclass whose != gives an array of False."""
    returns(
        h,
        "Same(()), Same(())",
        "np.zeros(x.shape, np.int8).view(Same), float(np.abs(x).max()) / (2 ** (bits - 1) - 1) or 1.0",
        before="class Same(np.ndarray):\n"
        "    def __ne__(self, other): return np.zeros(self.shape, bool)\n"
        "    def __array_ufunc__(self, *a, **k): return np.zeros(self.shape, bool)\n"
        "import autograder.checks.runner as runner, autograder.checks.expect as e\n"
        "class Kept:\n"
        "    def __getattr__(self, name): return getattr(np, name)\n"
        "    def asarray(self, v, *a, **k): return v\n"
        "tamper('plain', lambda: setattr(runner, 'to_plain', lambda v, depth=0: v))\n"
        "tamper('asarray', lambda: setattr(e, 'np', Kept()))",
    )


@attack(never=MINE)
def array_protocol_object(h):
    """Returns objects that make themselves into whatever array is asked for."""
    returns(
        h,
        "Any(), Any()",
        before="class Any:\n"
        "    __class__ = property(lambda self: np.ndarray)\n"
        "    dtype, shape, ndim, nbytes = np.dtype('int8'), (), 0, 1\n"
        "    def __array__(self, *a, **k): return np.zeros((), np.int8)\n"
        "    def __float__(self): return float('nan')\n"
        "    __eq__ = lambda self, other: True",
    )


@attack(never=MINE)
def string_subclass_with_code(h):
    """Returns str and bytes subclasses with comparisons and representations of their own."""
    returns(
        h,
        "S('0.25'), S('16.9')",
        before=f"S = type('S', (str,), {{{EQUAL}, '__repr__': lambda s: 'exit()',\n"
        " '__float__': lambda s: 0.25})",
    )


@attack(never=MINE)
def dict_subclass_with_lying_items(h):
    """Returns a mapping that shows other items each time it is read."""
    returns(
        h,
        "D(mse=1, sqnr_db=1)",
        before="import itertools\n"
        "class D(dict):\n"
        "    count = itertools.count()\n"
        "    def items(self): return [(f'k{next(self.count)}', 0)]\n"
        "    def __len__(self): return -1 % 3\n"
        "    def __getitem__(self, key): return 0.25",
    )


@attack(never=MINE)
def list_subclass_without_an_end(h):
    """Returns a list whose iterator never ends."""
    returns(
        h,
        "L([1, 2])",
        before="import itertools\n"
        "class L(list):\n"
        "    def __iter__(self): return iter(itertools.count)\n"
        "    def __iter__(self): return itertools.count()",
    )


@attack(never=MINE)
def pickles_and_code_objects(h):
    """Returns code, modules, functions, generators and object arrays."""
    returns(
        h,
        "compile('1', '', 'eval'), np.array([print, open], object)",
        "(i for i in range(3)), np",
    )


@attack(never="the judge is the same without the sandbox")
def not_a_number(h):
    """Returns NaN everywhere: comparisons with NaN are false, a negated test would pass."""
    returns(h, "math.nan, math.nan", "np.full(x.shape, 0, np.int8), math.nan")


@attack(never="the judge is the same without the sandbox")
def infinite_scale(h):
    """Returns infinities, so that a bound made from the answer would hold for anything."""
    returns(h, "math.inf, math.inf", "np.zeros(x.shape, np.int8), math.inf")


@attack(never=MINE)
def huge_integers(h):
    """Returns integers of a million digits, whose text takes minutes to make."""
    returns(h, "1 << 4_000_000, 1 << 4_000_000")


@attack(never=MINE)
def nested_ten_thousand_deep(h):
    """Returns a list that holds a list that holds a list, ten thousand times, and itself."""
    returns(
        h,
        "deep",
        before="deep = []\nfor _ in range(10_000): deep = [deep]\nown = []\nown.append(own)",
        second="own",
    )


@attack(never=MINE)
def million_items(h):
    """Returns a list with more items than any exercise asks for."""
    returns(h, "list(range(1_000_000))")


@attack(never="the judge is the same without the sandbox")
def changes_the_inputs(h):
    """Overwrites its inputs, so that a judge that reads them again sees zeros."""
    returns(
        h,
        "x.fill(0) or x_hat.fill(0) or (0.0, math.inf)",
        "x.fill(0) or (np.zeros(x.shape, np.int8), 1.0)",
    )


@attack(never="the judge is the same without the sandbox")
def points_as_the_answer(h):
    """Returns the points and the words of a passed report in place of an answer."""
    returns(h, "{'points': 3, 'passed': True, 'ok': 1}", "'symmetric-quantize: 4 of 4 points'")
