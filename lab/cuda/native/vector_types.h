// char1 ... double4 and make_*: plain structures, aligned as CUDA aligns them.
// CUDA C++ Programming Guide, "Built-in Vector Types".
#pragma once

#define COURSE_VECTOR(T, NAME, A1, A2, A4)                                                  \
    struct NAME##1 { T x; };                                                                \
    struct __align__(A2) NAME##2 { T x, y; };                                               \
    struct NAME##3 { T x, y, z; };                                                          \
    struct __align__(A4) NAME##4 { T x, y, z, w; };                                         \
    static inline NAME##1 make_##NAME##1(T x) { return {x}; }                               \
    static inline NAME##2 make_##NAME##2(T x, T y) { return {x, y}; }                       \
    static inline NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; }               \
    static inline NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }

COURSE_VECTOR(signed char, char, 1, 2, 4)
COURSE_VECTOR(unsigned char, uchar, 1, 2, 4)
COURSE_VECTOR(short, short, 2, 4, 8)
COURSE_VECTOR(unsigned short, ushort, 2, 4, 8)
COURSE_VECTOR(int, int, 4, 8, 16)
COURSE_VECTOR(unsigned int, uint, 4, 8, 16)
COURSE_VECTOR(long long, longlong, 8, 16, 16)
COURSE_VECTOR(unsigned long long, ulonglong, 8, 16, 16)
COURSE_VECTOR(float, float, 4, 8, 16)
COURSE_VECTOR(double, double, 8, 16, 16)
#undef COURSE_VECTOR
