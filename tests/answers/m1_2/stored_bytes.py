"""Answers to stored-bytes."""

from autograder.checks.bank import right, wrong


def _count(model, *, level2=True, offset=4, scale_bytes=None, float_bytes=None, twice=False,
           buffers=False, codes_times=1):  # fmt: skip
    codes = scales = floats = 0
    parameters = model.named_parameters(remove_duplicate=not twice)
    for _, p in parameters:
        state = getattr(p, "quant_state", None)
        if state is None:
            floats += p.numel() * (float_bytes or p.element_size())
            continue
        codes += p.nbytes * codes_times
        scales += state.absmax.numel() * (scale_bytes or state.absmax.element_size())
        if state.nested and level2:
            scales += state.state2.absmax.nbytes + offset
    if buffers:
        floats += sum(b.nbytes for b in model.buffers())
    return {"codes": codes, "scales": scales, "float": floats, "total": codes + scales + floats}


@right("over parameters")
def over_parameters(model):
    return _count(model)


@right("over modules, shared weights by identity")
def over_modules(model):
    out = {"codes": 0, "scales": 0, "float": 0}
    seen = set()
    for module in model.modules():
        for p in module.parameters(recurse=False):
            if id(p) in seen:
                continue
            seen.add(id(p))
            if type(module).__name__ == "Linear4bit" and p is module.weight:
                q = p.quant_state
                out["codes"] += p.numel()
                out["scales"] += q.absmax.numel() * q.absmax.itemsize
                if q.nested:
                    out["scales"] += 4 * q.state2.absmax.numel() + q.offset.nbytes
            else:
                out["float"] += p.numel() * p.element_size()
    return {**out, "total": sum(out.values())}


@wrong("no-scales", "The scales are missing: they are in quant_state, not among the parameters.")
def no_scales(model):
    return {**_count(model), "scales": 0}


@wrong("footprint", "get_memory_footprint counts parameters and buffers, and no scales.")
def footprint(model):
    codes = sum(p.nbytes for p in model.parameters() if hasattr(p, "quant_state"))
    floats = sum(p.nbytes for p in model.parameters() if not hasattr(p, "quant_state"))
    return {"codes": codes, "scales": 0, "float": floats, "total": codes + floats}


@wrong("no-second-level", "The scales' own scales and their mean are stored too.")
def no_second(model):
    return _count(model, level2=False)


@wrong("no-offset", "The mean that is taken off the scales is one float32 more.")
def no_offset(model):
    return _count(model, offset=0)


@wrong("scales-in-float32", "With double quantization a scale takes one byte, not four.")
def four_byte_scales(model):
    return _count(model, scale_bytes=4)


@wrong("one-byte-scales-always", "Without double quantization a scale takes four bytes.")
def one_byte_scales(model):
    return _count(model, scale_bytes=1)


@wrong("shared-twice", "A weight that two layers share is stored once.")
def shared(model):
    return _count(model, twice=True)


@wrong("all-float32", "Each parameter has the bytes of its own dtype.")
def all_float32(model):
    return _count(model, float_bytes=4)


@wrong("buffers-too", "Buffers are not asked for here.")
def buffers_too(model):
    return _count(model, buffers=True)


@wrong("a-byte-a-code", "Two codes share a byte; the packed parameter's bytes are all.")
def a_byte(model):
    return _count(model, codes_times=2)
