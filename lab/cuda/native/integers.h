// Integer intrinsics. CUDA Math API Reference, "Integer Intrinsics" and "SIMD Intrinsics".
#pragma once

COURSE_CALL int __popc(unsigned int x) { return __builtin_popcount(x); }
COURSE_CALL int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
COURSE_CALL int __clz(int x) { return x ? __builtin_clz((unsigned int)x) : 32; }
COURSE_CALL int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
COURSE_CALL int __ffs(int x) { return __builtin_ffs(x); }
COURSE_CALL int __ffsll(long long x) { return __builtin_ffsll(x); }
COURSE_CALL unsigned int __brev(unsigned int x) {
    x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
    x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
    x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(x);
}
COURSE_CALL unsigned long long __brevll(unsigned long long x) {
    return (unsigned long long)__brev((unsigned int)x) << 32 | __brev((unsigned int)(x >> 32));
}
// Each selector's low three bits pick a byte of b:a; its fourth bit repeats that byte's sign.
COURSE_CALL unsigned int __byte_perm(unsigned int a, unsigned int b, unsigned int selector) {
    unsigned long long both = (unsigned long long)b << 32 | a;
    unsigned int result = 0;
    for (int i = 0; i < 4; ++i) {
        unsigned int which = selector >> (4 * i);
        unsigned int byte = (unsigned int)(both >> (8 * (which & 7))) & 0xff;
        if (which & 8) byte = byte & 0x80 ? 0xff : 0;
        result |= byte << (8 * i);
    }
    return result;
}
COURSE_CALL int __mulhi(int a, int b) { return (int)(((long long)a * b) >> 32); }
COURSE_CALL unsigned int __umulhi(unsigned int a, unsigned int b) {
    return (unsigned int)(((unsigned long long)a * b) >> 32);
}
COURSE_CALL long long __mul64hi(long long a, long long b) {
    return (long long)(((__int128)a * b) >> 64);
}
COURSE_CALL unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
COURSE_CALL unsigned int __umul24(unsigned int a, unsigned int b) {
    return (a & 0xffffff) * (b & 0xffffff);
}
// Means without overflow, rounded down and up.
COURSE_CALL int __hadd(int a, int b) { return (int)(((long long)a + b) >> 1); }
COURSE_CALL int __rhadd(int a, int b) { return (int)(((long long)a + b + 1) >> 1); }
COURSE_CALL unsigned int __uhadd(unsigned int a, unsigned int b) {
    return (unsigned int)(((unsigned long long)a + b) >> 1);
}
COURSE_CALL unsigned int __urhadd(unsigned int a, unsigned int b) {
    return (unsigned int)(((unsigned long long)a + b + 1) >> 1);
}
COURSE_CALL int __mul24(int a, int b) { return (int)((unsigned)(a << 8 >> 8) * (unsigned)(b << 8 >> 8)); }
COURSE_CALL unsigned int __usad(unsigned int a, unsigned int b, unsigned int c) {
    return (a > b ? a - b : b - a) + c;
}
COURSE_CALL unsigned int __sad(int a, int b, unsigned int c) {
    return (a > b ? (unsigned)a - (unsigned)b : (unsigned)b - (unsigned)a) + c;
}
COURSE_CALL unsigned int __funnelshift_l(unsigned int low, unsigned int high, unsigned int shift) {
    return (unsigned int)((((unsigned long long)high << 32 | low) << (shift & 31)) >> 32);
}
COURSE_CALL unsigned int __funnelshift_r(unsigned int low, unsigned int high, unsigned int shift) {
    return (unsigned int)(((unsigned long long)high << 32 | low) >> (shift & 31));
}
// A shift of 32 and more is one of 32.
COURSE_CALL unsigned int __funnelshift_lc(unsigned int low, unsigned int high, unsigned int shift) {
    return shift > 31 ? low : __funnelshift_l(low, high, shift);
}
COURSE_CALL unsigned int __funnelshift_rc(unsigned int low, unsigned int high, unsigned int shift) {
    return shift > 31 ? high : __funnelshift_r(low, high, shift);
}

// Four products of bytes and a 32-bit sum that wraps (PTX ISA, dp4a).
COURSE_CALL int __dp4a(int a, int b, int c) {
    unsigned int sum = (unsigned int)c;
    for (int i = 0; i < 32; i += 8)
        sum += (unsigned int)((int)(signed char)(a >> i) * (int)(signed char)(b >> i));
    return (int)sum;
}
COURSE_CALL unsigned int __dp4a(unsigned int a, unsigned int b, unsigned int c) {
    for (int i = 0; i < 32; i += 8) c += (a >> i & 0xff) * (b >> i & 0xff);
    return c;
}
COURSE_CALL int __dp4a(char4 a, char4 b, int c) {
    return (int)((unsigned int)c + (unsigned int)(a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w));
}
COURSE_CALL unsigned int __dp4a(uchar4 a, uchar4 b, unsigned int c) {
    return c + (unsigned int)(a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w);
}
// Two products: the halves of a with the lower or upper two bytes of b (PTX ISA, dp2a).
COURSE_CALL int __dp2a_lo(int a, int b, int c) {
    return (int)((unsigned int)c + (unsigned int)((short)a * (signed char)b) +
                 (unsigned int)((a >> 16) * (signed char)(b >> 8)));
}
COURSE_CALL int __dp2a_hi(int a, int b, int c) { return __dp2a_lo(a, b >> 16, c); }
COURSE_CALL unsigned int __dp2a_lo(unsigned int a, unsigned int b, unsigned int c) {
    return c + (a & 0xffff) * (b & 0xff) + (a >> 16) * (b >> 8 & 0xff);
}
COURSE_CALL unsigned int __dp2a_hi(unsigned int a, unsigned int b, unsigned int c) {
    return __dp2a_lo(a, b >> 16, c);
}

#define COURSE_MINMAX(T)                                                                     \
    COURSE_CALL constexpr T min(T a, T b) { return a < b ? a : b; }                          \
    COURSE_CALL constexpr T max(T a, T b) { return a > b ? a : b; }
COURSE_MINMAX(int)
COURSE_MINMAX(unsigned int)
COURSE_MINMAX(long)
COURSE_MINMAX(unsigned long)
COURSE_MINMAX(long long)
COURSE_MINMAX(unsigned long long)
#undef COURSE_MINMAX
// As in CUDA: signed and unsigned meet as unsigned.
#define COURSE_MIXED(S, U)                                                                   \
    COURSE_CALL constexpr U min(S a, U b) { return min((U)a, b); }                           \
    COURSE_CALL constexpr U min(U a, S b) { return min(a, (U)b); }                           \
    COURSE_CALL constexpr U max(S a, U b) { return max((U)a, b); }                           \
    COURSE_CALL constexpr U max(U a, S b) { return max(a, (U)b); }
COURSE_MIXED(int, unsigned int)
COURSE_MIXED(long, unsigned long)
COURSE_MIXED(long long, unsigned long long)
#undef COURSE_MIXED
COURSE_CALL long long llmin(long long a, long long b) { return min(a, b); }
COURSE_CALL long long llmax(long long a, long long b) { return max(a, b); }
COURSE_CALL unsigned long long ullmin(unsigned long long a, unsigned long long b) { return min(a, b); }
COURSE_CALL unsigned long long ullmax(unsigned long long a, unsigned long long b) { return max(a, b); }
COURSE_CALL unsigned int umin(unsigned int a, unsigned int b) { return min(a, b); }
COURSE_CALL unsigned int umax(unsigned int a, unsigned int b) { return max(a, b); }
