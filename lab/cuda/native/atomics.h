// Atomic functions. One thread of the host runs all fibers, so a plain update is atomic here; the
// runtime is told first. CUDA C++ Programming Guide, "Atomic Functions".
#pragma once

template <class T> struct course_same { typedef T type; };

// Not instrumented: course_atomic counts the access, once, as an atomic one.
#define COURSE_ATOMIC(NAME, EXPRESSION)                                                      \
    template <class T>                                                                       \
    __attribute__((noinline, no_sanitize("thread"), no_sanitize_coverage))                   \
    T course_do_##NAME(T *p, T v, T w) {                                                     \
        T old = *p;                                                                          \
        (void)w;                                                                             \
        *p = EXPRESSION;                                                                     \
        return old;                                                                          \
    }
COURSE_ATOMIC(Add, old + v)
COURSE_ATOMIC(Sub, old - v)
COURSE_ATOMIC(Max, old > v ? old : v)
COURSE_ATOMIC(Min, old < v ? old : v)
COURSE_ATOMIC(Exch, v)
COURSE_ATOMIC(And, old & v)
COURSE_ATOMIC(Or, old | v)
COURSE_ATOMIC(Xor, old ^ v)
COURSE_ATOMIC(Inc, old >= v ? 0 : old + 1)
COURSE_ATOMIC(Dec, old == 0 || old > v ? v : old - 1)
COURSE_ATOMIC(CAS, old == v ? w : old)
#undef COURSE_ATOMIC

#define COURSE_OVERLOAD(NAME, T)                                                             \
    COURSE_CALL T atomic##NAME(T *p, T v, COURSE_LINE) {                                     \
        course_atomic(p, sizeof(T), line);                                                   \
        return course_do_##NAME<T>(p, v, v);                                                 \
    }                                                                                        \
    COURSE_CALL T atomic##NAME##_block(T *p, T v, COURSE_LINE) {                             \
        return atomic##NAME(p, v, line);                                                     \
    }
#define COURSE_INTEGERS(NAME)                                                                \
    COURSE_OVERLOAD(NAME, int)                                                               \
    COURSE_OVERLOAD(NAME, unsigned int)                                                      \
    COURSE_OVERLOAD(NAME, unsigned long long)
COURSE_INTEGERS(Add)
COURSE_OVERLOAD(Add, float)
COURSE_OVERLOAD(Add, double)
COURSE_OVERLOAD(Sub, int)
COURSE_OVERLOAD(Sub, unsigned int)
COURSE_INTEGERS(Max)
COURSE_OVERLOAD(Max, long long)
COURSE_INTEGERS(Min)
COURSE_OVERLOAD(Min, long long)
COURSE_INTEGERS(Exch)
COURSE_OVERLOAD(Exch, float)
COURSE_INTEGERS(And)
COURSE_INTEGERS(Or)
COURSE_INTEGERS(Xor)
COURSE_OVERLOAD(Inc, unsigned int)
COURSE_OVERLOAD(Dec, unsigned int)
#undef COURSE_INTEGERS
#undef COURSE_OVERLOAD

#define COURSE_CAS(T)                                                                        \
    COURSE_CALL T atomicCAS(T *p, T compare, T v, COURSE_LINE) {                             \
        course_atomic(p, sizeof(T), line);                                                   \
        return course_do_CAS<T>(p, compare, v);                                              \
    }
COURSE_CAS(int)
COURSE_CAS(unsigned int)
COURSE_CAS(unsigned long long)
COURSE_CAS(unsigned short)
#undef COURSE_CAS
