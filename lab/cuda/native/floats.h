// Float intrinsics and conversions. CUDA Math API Reference, "Single Precision Intrinsics" and
// "Type Casting Intrinsics". The fast ones (__expf ...) are computed exactly rounded or nearly so here.
#pragma once

// A NaN loses against a number, as in fminf.
COURSE_CALL float min(float a, float b) { return fminf(a, b); }
COURSE_CALL float max(float a, float b) { return fmaxf(a, b); }
COURSE_CALL double min(double a, double b) { return fmin(a, b); }
COURSE_CALL double max(double a, double b) { return fmax(a, b); }
COURSE_CALL double min(float a, double b) { return fmin((double)a, b); }
COURSE_CALL double min(double a, float b) { return fmin(a, (double)b); }
COURSE_CALL double max(float a, double b) { return fmax((double)a, b); }
COURSE_CALL double max(double a, float b) { return fmax(a, (double)b); }

// C's library has some of these names for functions of its own.
#define __expf course_expf
#define __exp10f course_exp10f
#define __logf course_logf
#define __log2f course_log2f
#define __log10f course_log10f
#define __powf course_powf
#define __sinf course_sinf
#define __cosf course_cosf
#define __tanf course_tanf
#define rsqrtf course_rsqrtf
#define rsqrt course_rsqrt
COURSE_CALL float rsqrtf(float x) { return (float)(1.0 / sqrt((double)x)); }
COURSE_CALL double rsqrt(double x) { return 1.0 / sqrt(x); }
COURSE_CALL float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }
COURSE_CALL float __fdividef(float a, float b) { return a / b; }
COURSE_CALL float __fadd_rn(float a, float b) { return a + b; }
COURSE_CALL float __fsub_rn(float a, float b) { return a - b; }
COURSE_CALL float __fmul_rn(float a, float b) { return a * b; }
COURSE_CALL float __fdiv_rn(float a, float b) { return a / b; }
COURSE_CALL float __frcp_rn(float x) { return 1.0f / x; }
COURSE_CALL float __fsqrt_rn(float x) { return sqrtf(x); }
COURSE_CALL float __frsqrt_rn(float x) { return rsqrtf(x); }
COURSE_CALL float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
COURSE_CALL double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
COURSE_CALL float __expf(float x) { return expf(x); }
COURSE_CALL float __exp10f(float x) { return (float)pow(10.0, (double)x); }
COURSE_CALL float __logf(float x) { return logf(x); }
COURSE_CALL float __log2f(float x) { return log2f(x); }
COURSE_CALL float __log10f(float x) { return log10f(x); }
COURSE_CALL float __powf(float x, float y) { return powf(x, y); }
COURSE_CALL float __sinf(float x) { return sinf(x); }
COURSE_CALL float __cosf(float x) { return cosf(x); }
COURSE_CALL float __tanf(float x) { return tanf(x); }

#define COURSE_BITS(NAME, TO, FROM)                                                          \
    COURSE_CALL TO NAME(FROM x) {                                                            \
        TO bits;                                                                             \
        __builtin_memcpy(&bits, &x, sizeof bits);                                            \
        return bits;                                                                         \
    }
COURSE_BITS(__float_as_int, int, float)
COURSE_BITS(__float_as_uint, unsigned int, float)
COURSE_BITS(__int_as_float, float, int)
COURSE_BITS(__uint_as_float, float, unsigned int)
COURSE_BITS(__double_as_longlong, long long, double)
COURSE_BITS(__longlong_as_double, double, long long)
#undef COURSE_BITS

// Conversions saturate, and NaN gives 0 (PTX ISA, cvt). rn: to nearest, ties to even.
template <class T> COURSE_CALL T course_to_integer(double x, double low, double high) {
    if (!(x == x)) return 0;
    if (x <= low) return (T)low;
    if (x >= high) return high == 18446744073709551616.0 ? ~(T)0
                          : high == 9223372036854775808.0 ? (T)(~0ull >> 1) : (T)high;
    return (T)x;
}
#define COURSE_CONVERT(FROM, F, TO, T, LOW, HIGH)                                            \
    COURSE_CALL T __##FROM##2##TO##_rn(F x) { return course_to_integer<T>(rint(x), LOW, HIGH); } \
    COURSE_CALL T __##FROM##2##TO##_rz(F x) { return course_to_integer<T>(trunc(x), LOW, HIGH); }\
    COURSE_CALL T __##FROM##2##TO##_ru(F x) { return course_to_integer<T>(ceil(x), LOW, HIGH); } \
    COURSE_CALL T __##FROM##2##TO##_rd(F x) { return course_to_integer<T>(floor(x), LOW, HIGH); }
COURSE_CONVERT(float, float, int, int, -2147483648.0, 2147483647.0)
COURSE_CONVERT(float, float, uint, unsigned int, 0.0, 4294967295.0)
COURSE_CONVERT(float, float, ll, long long, -9223372036854775808.0, 9223372036854775808.0)
COURSE_CONVERT(float, float, ull, unsigned long long, 0.0, 18446744073709551616.0)
COURSE_CONVERT(double, double, int, int, -2147483648.0, 2147483647.0)
COURSE_CONVERT(double, double, uint, unsigned int, 0.0, 4294967295.0)
COURSE_CONVERT(double, double, ll, long long, -9223372036854775808.0, 9223372036854775808.0)
#undef COURSE_CONVERT
COURSE_CALL float __int2float_rn(int x) { return (float)x; }
COURSE_CALL float __uint2float_rn(unsigned int x) { return (float)x; }
COURSE_CALL float __ll2float_rn(long long x) { return (float)x; }
COURSE_CALL float __ull2float_rn(unsigned long long x) { return (float)x; }
COURSE_CALL float __double2float_rn(double x) { return (float)x; }
COURSE_CALL double __int2double_rn(int x) { return (double)x; }
// Towards zero, up, down: the nearest float, moved by one step where it lies on the wrong side.
COURSE_CALL float course_step(double x, float nearest, int side) {
    if (side == 0) side = x < 0 ? 1 : -1;
    if (side > 0 && nearest < x) return nextafterf(nearest, __builtin_inff());
    if (side < 0 && nearest > x) return nextafterf(nearest, -__builtin_inff());
    return nearest;
}
COURSE_CALL float __int2float_rz(int x) { return course_step(x, (float)x, 0); }
COURSE_CALL float __int2float_ru(int x) { return course_step(x, (float)x, 1); }
COURSE_CALL float __int2float_rd(int x) { return course_step(x, (float)x, -1); }
COURSE_CALL float __double2float_rz(double x) { return course_step(x, (float)x, 0); }
