// Four bytes or two halves of a word at once. CUDA Math API Reference, "SIMD Intrinsics".
#pragma once

// Each part of a and b, with its sign (S) or without, through `what`, which also gets the part's range.
template <int BITS, bool S, class F>
COURSE_CALL unsigned int course_parts(unsigned int a, unsigned int b, F what) {
    const int high = (1 << (BITS - S)) - 1, low = S ? -high - 1 : 0;
    unsigned int result = 0, mask = (1u << BITS) - 1;
    for (int i = 0; i < 32; i += BITS) {
        int x = a >> i & mask, y = b >> i & mask;
        if (S) x = x > high ? x - (1 << BITS) : x, y = y > high ? y - (1 << BITS) : y;
        result |= ((unsigned int)what(x, y, low, high) & mask) << i;
    }
    return result;
}
#define COURSE_SIMD(NAME, S, VALUE)                                                          \
    COURSE_CALL unsigned int __v##NAME##4(unsigned int a, unsigned int b) {                  \
        return course_parts<8, S>(a, b, [](int x, int y, int low, int high) { return VALUE; });  \
    }                                                                                        \
    COURSE_CALL unsigned int __v##NAME##2(unsigned int a, unsigned int b) {                  \
        return course_parts<16, S>(a, b, [](int x, int y, int low, int high) { return VALUE; }); \
    }
#define COURSE_SIMD_ONE(NAME, VALUE)                                                         \
    COURSE_CALL unsigned int __v##NAME##4(unsigned int a) {                                  \
        return course_parts<8, true>(a, 0, [](int x, int, int, int high) { return VALUE; });  \
    }                                                                                        \
    COURSE_CALL unsigned int __v##NAME##2(unsigned int a) {                                  \
        return course_parts<16, true>(a, 0, [](int x, int, int, int high) { return VALUE; }); \
    }
#define COURSE_SIMD_BOTH(NAME, VALUE)                                                        \
    COURSE_SIMD(NAME##s, true, VALUE)                                                        \
    COURSE_SIMD(NAME##u, false, VALUE)
// All bits of a part where it holds, and 1.
#define COURSE_SIMD_COMPARE(NAME, S, HOLDS)                                                  \
    COURSE_SIMD(cmp##NAME, S, (HOLDS) ? -1 : 0)                                              \
    COURSE_SIMD(set##NAME, S, (HOLDS) ? 1 : 0)
#define COURSE_SIMD_ORDER(NAME, HOLDS)                                                       \
    COURSE_SIMD_COMPARE(NAME##s, true, HOLDS)                                                \
    COURSE_SIMD_COMPARE(NAME##u, false, HOLDS)
COURSE_SIMD(add, true, x + y)
COURSE_SIMD(sub, true, x - y)
COURSE_SIMD(addss, true, min(high, max(low, x + y)))
COURSE_SIMD(subss, true, min(high, max(low, x - y)))
COURSE_SIMD(addus, false, min(high, x + y))
COURSE_SIMD(subus, false, max(low, x - y))
COURSE_SIMD_BOTH(max, max(x, y))
COURSE_SIMD_BOTH(min, min(x, y))
COURSE_SIMD_BOTH(absdiff, x > y ? x - y : y - x)
COURSE_SIMD(avgu, false, (x + y + 1) >> 1)
COURSE_SIMD(haddu, false, (x + y) >> 1)
COURSE_SIMD_ONE(abs, x < 0 ? -x : x)
COURSE_SIMD_ONE(absss, min(high, x < 0 ? -x : x))
COURSE_SIMD_ONE(neg, -x)
COURSE_SIMD_ONE(negss, min(high, -x))
COURSE_SIMD_COMPARE(eq, true, x == y)
COURSE_SIMD_COMPARE(ne, true, x != y)
COURSE_SIMD_ORDER(gt, x > y)
COURSE_SIMD_ORDER(ge, x >= y)
COURSE_SIMD_ORDER(lt, x < y)
COURSE_SIMD_ORDER(le, x <= y)
#undef COURSE_SIMD_ORDER
#undef COURSE_SIMD_COMPARE
#undef COURSE_SIMD_BOTH
#undef COURSE_SIMD_ONE
#undef COURSE_SIMD
// Sums of absolute differences.
COURSE_CALL unsigned int __vsadu4(unsigned int a, unsigned int b) {
    return __dp4a(__vabsdiffu4(a, b), 0x01010101u, 0u);
}
COURSE_CALL unsigned int __vsads4(unsigned int a, unsigned int b) {
    return __dp4a(__vabsdiffs4(a, b), 0x01010101u, 0u);
}
