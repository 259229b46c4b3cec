// __half and __half2. Each operation is one in float, rounded once to 11 bits: exact for + - * /,
// because float has more than twice the bits (Figueroa 1995). CUDA Math API, "Half Precision".
#pragma once
#define COURSE_HALF_HERE 1

struct __align__(2) __half;
COURSE_CALL unsigned short course_half_bits(double value) {
    // Nearest, ties to even. A double holds every float and every product of two halves.
    unsigned long long bits;
    __builtin_memcpy(&bits, &value, 8);
    unsigned short sign = (unsigned short)(bits >> 48 & 0x8000);
    double size = fabs(value);
    if (size != size) return (unsigned short)0x7fff;
    if (size >= 65520.0) return (unsigned short)(sign | 0x7c00);
    int exponent = size < 6.103515625e-05 ? -14 : ilogb(size);
    double steps = rint(ldexp(size, 10 - exponent));  // 1024 steps in each binade
    return (unsigned short)(sign + (unsigned)((exponent + 14) << 10) + (unsigned)steps);
}
COURSE_CALL float course_half_float(unsigned short bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float size = exponent == 31 ? (fraction ? __builtin_nanf("") : __builtin_inff())
                 : exponent ? ldexpf((float)(1024 + fraction), exponent - 25)
                            : ldexpf((float)fraction, -24);
    return bits & 0x8000 ? -size : size;
}

struct __align__(2) __half {
    unsigned short course;
    __half() = default;
    __half(float x) : course(course_half_bits(x)) {}
    __half(double x) : course(course_half_bits(x)) {}
    __half(int x) : course(course_half_bits(x)) {}
    __half(unsigned int x) : course(course_half_bits(x)) {}
    operator float() const { return course_half_float(course); }
};
struct __align__(4) __half2 {
    __half x, y;
    __half2() = default;
    __half2(const __half &a, const __half &b) : x(a), y(b) {}
};
typedef __half half;
typedef __half2 half2;

COURSE_CALL __half __float2half(float x) { return __half(x); }
COURSE_CALL __half __float2half_rn(float x) { return __half(x); }
COURSE_CALL __half __double2half(double x) { return __half(x); }
COURSE_CALL __half __int2half_rn(int x) { return __half(x); }
COURSE_CALL float __half2float(__half x) { return (float)x; }
COURSE_CALL int __half2int_rn(__half x) { return __float2int_rn((float)x); }
COURSE_CALL int __half2int_rz(__half x) { return __float2int_rz((float)x); }
COURSE_CALL unsigned short __half_as_ushort(__half x) { return x.course; }
COURSE_CALL short __half_as_short(__half x) { return (short)x.course; }
COURSE_CALL __half __ushort_as_half(unsigned short bits) {
    __half x;
    x.course = bits;
    return x;
}
COURSE_CALL __half __short_as_half(short bits) { return __ushort_as_half((unsigned short)bits); }

#define COURSE_HALF(NAME, SYMBOL)                                                            \
    COURSE_CALL __half __h##NAME(__half a, __half b) { return __half((float)a SYMBOL (float)b); } \
    COURSE_CALL __half operator SYMBOL(__half a, __half b) { return __h##NAME(a, b); }       \
    COURSE_CALL __half &operator SYMBOL##=(__half &a, __half b) { return a = __h##NAME(a, b); } \
    COURSE_CALL __half2 __h##NAME##2(__half2 a, __half2 b) {                                 \
        return __half2(__h##NAME(a.x, b.x), __h##NAME(a.y, b.y));                            \
    }                                                                                        \
    COURSE_CALL __half2 operator SYMBOL(__half2 a, __half2 b) { return __h##NAME##2(a, b); }
COURSE_HALF(add, +)
COURSE_HALF(sub, -)
COURSE_HALF(mul, *)
COURSE_HALF(div, /)
#undef COURSE_HALF
COURSE_CALL __half2 __h2div(__half2 a, __half2 b) { return __hdiv2(a, b); }
#define COURSE_HALF(NAME, SYMBOL)                                                            \
    COURSE_CALL bool __h##NAME(__half a, __half b) { return (float)a SYMBOL (float)b; }      \
    COURSE_CALL bool operator SYMBOL(__half a, __half b) { return (float)a SYMBOL (float)b; }
COURSE_HALF(eq, ==)
COURSE_HALF(ne, !=)
COURSE_HALF(lt, <)
COURSE_HALF(gt, >)
COURSE_HALF(le, <=)
COURSE_HALF(ge, >=)
#undef COURSE_HALF
COURSE_CALL __half __hneg(__half x) { return __ushort_as_half((unsigned short)(x.course ^ 0x8000)); }
COURSE_CALL __half operator-(__half x) { return __hneg(x); }
COURSE_CALL __half __habs(__half x) { return __ushort_as_half((unsigned short)(x.course & 0x7fff)); }
COURSE_CALL bool __hisnan(__half x) { return (x.course & 0x7fff) > 0x7c00; }
COURSE_CALL __half __hmax(__half a, __half b) { return __half(fmaxf(a, b)); }
COURSE_CALL __half __hmin(__half a, __half b) { return __half(fminf(a, b)); }
COURSE_CALL __half __hfma(__half a, __half b, __half c) {
    return __half((double)(float)a * (double)(float)b + (double)(float)c);
}
COURSE_CALL __half2 __hfma2(__half2 a, __half2 b, __half2 c) {
    return __half2(__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y));
}
COURSE_CALL __half hsqrt(__half x) { return __half(sqrtf(x)); }
COURSE_CALL __half hexp(__half x) { return __half(expf(x)); }
COURSE_CALL __half hrint(__half x) { return __half(rintf(x)); }
COURSE_CALL __half2 __halves2half2(__half a, __half b) { return __half2(a, b); }
COURSE_CALL __half2 make_half2(__half a, __half b) { return __half2(a, b); }
COURSE_CALL __half2 __half2half2(__half a) { return __half2(a, a); }
COURSE_CALL __half2 __float2half2_rn(float x) { return __half2(__half(x), __half(x)); }
COURSE_CALL __half2 __floats2half2_rn(float x, float y) { return __half2(__half(x), __half(y)); }
COURSE_CALL __half2 __float22half2_rn(float2 v) { return __floats2half2_rn(v.x, v.y); }
COURSE_CALL float2 __half22float2(__half2 v) { return make_float2((float)v.x, (float)v.y); }
COURSE_CALL __half __low2half(__half2 v) { return v.x; }
COURSE_CALL __half __high2half(__half2 v) { return v.y; }
COURSE_CALL float __low2float(__half2 v) { return v.x; }
COURSE_CALL float __high2float(__half2 v) { return v.y; }
