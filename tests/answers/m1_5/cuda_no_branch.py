"""Answers to cuda-no-branch: sources in CUDA C."""

from autograder.checks.bank import right, wrong

SIGNATURE = "quantize_two(const float* x, signed char* q, float low, float high, int n)"


def _source(body: str, guard="if (i >= n) return;") -> str:
    return f"""extern "C" __global__ void {SIGNATURE}
{{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    {guard}
    float v = x[i];
    {body}
}}
"""


CLIP = "q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, rintf(v / s)));"


@right("the scale chosen")
def chosen():
    return _source("float s = v < 0.0f ? low : high;\n    " + CLIP)


@right("both ratios, then chosen")
def both():
    return _source("""float a = rintf(v / low), b = rintf(v / high);
    float r = v < 0.0f ? a : b;
    q[i] = (signed char)fminf(fmaxf(r, -128.0f), 127.0f);""")


@right("the negative and the positive part added")
def parts():
    return _source("""float r = fminf(v, 0.0f) / low + fmaxf(v, 0.0f) / high;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, rintf(r)));""")


@right("a product with 0 and 1")
def product():
    return _source("float m = (float)(v < 0.0f), s = m * low + (1.0f - m) * high;\n    " + CLIP)


@right("the scale set by an if")
def assigned():
    return _source("float s = high;\n    if (v < 0.0f) s = low;\n    " + CLIP)


@right("a table of two scales")
def table():
    return _source("float scales[2] = {high, low}, s = scales[v < 0.0f];\n    " + CLIP)


@right("a ternary clip")
def ternary_clip():
    return _source("""float s = v < 0.0f ? low : high, r = rintf(v / s);
    r = r > 127.0f ? 127.0f : r < -128.0f ? -128.0f : r;
    q[i] = (signed char)r;""")


@right("both clipped to the same ends, by ifs on a value")
def if_clip():
    return _source("""float s = v < 0.0f ? low : high;
    float r = rintf(v / s);
    if (r < -128.0f) r = -128.0f;
    if (r > 127.0f) r = 127.0f;
    q[i] = (signed char)r;""")


@right("the sign bit, clipped as an integer")
def integers():
    return _source("""float s = signbit(v) ? low : high;
    int r = (int)fmaxf(-1000.0f, fminf(1000.0f, rintf(v / s)));
    r = min(max(r, -128), 127);
    q[i] = (signed char)r;""")


@wrong("branch-kept", "if and else with a division in each: lanes of both signs go separate ways.")
def branch():
    return _source("""if (v < 0.0f) q[i] = (signed char)fmaxf(-128.0f, rintf(v / low));
    else q[i] = (signed char)fminf(127.0f, rintf(v / high));""")


@wrong(
    "work-in-the-arms",
    "A ?: with a division in its arms is a branch as well: compute before, then choose.",
)
def arms():
    return _source("""float r = v < 0.0f ? rintf(v / low) : rintf(v / high);
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, r));""")


@wrong("two-ifs", "Two ifs instead of an if with an else: the lanes still part, twice.")
def two_ifs():
    return _source("""if (v < 0.0f) q[i] = (signed char)fmaxf(-128.0f, rintf(v / low));
    if (v >= 0.0f) q[i] = (signed char)fminf(127.0f, rintf(v / high));""")


@wrong("clipped-by-ifs", "The clipping branches: return from inside an if parts the lanes too.")
def clip_ifs():
    return _source("""float s = v < 0.0f ? low : high, r = rintf(v / s);
    if (r > 127.0f) { q[i] = 127; return; }
    if (r < -128.0f) { q[i] = -128; return; }
    q[i] = (signed char)r;""")


@wrong(
    "product-with-the-reciprocal",
    "x * (1 / s) rounds twice: a quotient that is a half exactly is missed by a hair. Divide.",
)
def reciprocal():
    return _source("""float a = 1.0f / low, b = 1.0f / high;
    float r = rintf(v * (v < 0.0f ? a : b));
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, r));""")


@wrong("scales-swapped", "low is for negative values.")
def swapped():
    return _source("float s = v < 0.0f ? high : low;\n    " + CLIP)


@wrong("one-scale", "You use one scale for both signs.")
def one_scale():
    return _source("float s = high;\n    " + CLIP)


@wrong("half-away-from-zero", "roundf rounds halves away from zero; rintf to even.")
def roundf():
    return _source("float s = v < 0.0f ? low : high;\n    " + CLIP.replace("rintf", "roundf"))


@wrong("cut-off", "The cast cuts the fraction off: round first.")
def cut():
    return _source("float s = v < 0.0f ? low : high;\n    " + CLIP.replace("rintf(v / s)", "v / s"))


@wrong("narrow-range", "The lowest code is -128.")
def narrow():
    return _source("float s = v < 0.0f ? low : high;\n    " + CLIP.replace("-128.0f", "-127.0f"))


@wrong("not-clipped", "A code beyond the range does not fit INT8: clip before the cast.")
def wraps():
    return _source("float s = v < 0.0f ? low : high;\n    q[i] = (signed char)(int)rintf(v / s);")


@wrong("no-guard", "The last block has threads past the end: guard them.")
def no_guard():
    return _source("float s = v < 0.0f ? low : high;\n    " + CLIP, guard="")


@wrong("read-twice", "x[i] is loaded in both arms of the choice, and so is a branch.")
def volatile_read():
    return _source("""const volatile float* y = x;
    float r = rintf(y[i] / low);
    r = v < 0.0f ? r : rintf(v / high);
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, r));""")


@wrong("multiplied", "Quantizing divides by the scale.")
def multiplied():
    return _source("float s = v < 0.0f ? low : high;\n    " + CLIP.replace("v / s", "v * s"))


@wrong("zero-takes-low", "The sign decides before the clipping: you choose by the ratio's size.")
def by_size():
    return _source("float s = v < 1.0f ? low : high;\n    " + CLIP)
