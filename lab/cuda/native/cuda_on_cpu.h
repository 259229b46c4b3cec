// CUDA C++ for the host's compiler: keywords, built-in variables, and what a kernel may call.
// Included ahead of a learner's source. CUDA C++ Programming Guide, "C++ Language Extensions".
#pragma once
// The C library brings names that NVRTC has not: a source would pass here alone, or clash with its own.
#define int8_t course_c_int8_t
#define int16_t course_c_int16_t
#define int32_t course_c_int32_t
#define int64_t course_c_int64_t
#define uint course_c_uint
#define ushort course_c_ushort
#define ulong course_c_ulong
#define gamma course_c_gamma
#include <math.h>
#include <stddef.h>
#undef int8_t
#undef int16_t
#undef int32_t
#undef int64_t
#undef uint
#undef ushort
#undef ulong
#undef gamma
#undef INFINITY
#undef NAN
#undef HUGE_VALF
#undef M_PI

#define __global__ __attribute__((noinline, used))
#define __device__
#define __host__
#define __managed__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))
// Thread-local: such variables lie together, in templates too, where a section's name is ignored.
#define __shared__ thread_local
#define __constant__
#define __CUDA_ARCH__ 800
#define __CUDACC__ 1

#define COURSE_CALL static inline __attribute__((always_inline))
// A call on the learner's line: the line is a default argument.
#define COURSE_LINE int line = __builtin_LINE()

typedef unsigned long long course_u64;
struct uint3;
struct dim3;

#include "vector_types.h"

struct dim3 {
    unsigned int x, y, z;
    constexpr dim3(unsigned int x_ = 1, unsigned int y_ = 1, unsigned int z_ = 1)
        : x(x_), y(y_), z(z_) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
    constexpr operator uint3() const { return {x, y, z}; }
};

extern "C" {
// const: a fiber's indices never change while it runs.
uint3 course_thread_idx() __attribute__((const));
uint3 course_block_idx() __attribute__((const));
dim3 course_block_dim() __attribute__((const));
dim3 course_grid_dim() __attribute__((const));
int course_lane_id() __attribute__((const));
int course_sync_block(int kind, int predicate, int line);
// `extern __shared__` is a reference to it (lab/cuda/source.py): one array for each launch.
extern char course_dynamic_shared[];
course_u64 course_warp(int kind, unsigned int mask, course_u64 value, int source, int line);
void course_atomic(const volatile void *address, unsigned int size, int line);
void course_fence(int whole_grid);
int course_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void course_stop(const char *why, int line) __attribute__((noreturn));
long long course_clock();
void *course_memcpy(void *to, const void *from, size_t size, unsigned to_align, unsigned from_align);
void *course_memset(void *to, int byte, size_t size);
}

#define threadIdx (course_thread_idx())
#define blockIdx (course_block_idx())
#define blockDim (course_block_dim())
#define gridDim (course_grid_dim())
#define warpSize 32
#define printf course_printf
#define memcpy course_copy
#define memset course_memset
#define __trap() course_stop("__trap() was called", __LINE__)
#undef assert
#define assert(condition) \
    ((condition) ? (void)0 : course_stop("the assertion `" #condition "` failed", __LINE__))

// Copied in pieces that the pointers' types allow: from `signed char *` byte by byte.
template <class T> struct course_aligned { static const unsigned bytes = alignof(T); };
template <> struct course_aligned<void> { static const unsigned bytes = 4; };
template <> struct course_aligned<const void> : course_aligned<void> {};
template <class A, class B> COURSE_CALL void *course_copy(A *to, B *from, size_t size) {
    return course_memcpy((void *)to, (const void *)from, size, course_aligned<A>::bytes,
                         course_aligned<B>::bytes);
}
COURSE_CALL void __syncthreads(COURSE_LINE) { course_sync_block(0, 0, line); }
COURSE_CALL int __syncthreads_count(int p, COURSE_LINE) { return course_sync_block(1, p != 0, line); }
COURSE_CALL int __syncthreads_and(int p, COURSE_LINE) { return course_sync_block(2, p != 0, line); }
COURSE_CALL int __syncthreads_or(int p, COURSE_LINE) { return course_sync_block(3, p != 0, line); }
COURSE_CALL void __threadfence() { course_fence(1); }
COURSE_CALL void __threadfence_block() { course_fence(0); }
COURSE_CALL void __threadfence_system() { course_fence(1); }
COURSE_CALL long long clock64() { return course_clock(); }
#define clock course_clock32
COURSE_CALL int clock() { return (int)course_clock(); }
COURSE_CALL void __nanosleep(unsigned int) {}

// Global loads with a cache hint: the hint changes nothing here.
template <class T> COURSE_CALL T __ldg(const T *p) { return *p; }
template <class T> COURSE_CALL T __ldca(const T *p) { return *p; }
template <class T> COURSE_CALL T __ldcg(const T *p) { return *p; }
template <class T> COURSE_CALL T __ldcs(const T *p) { return *p; }
template <class T> COURSE_CALL void __stcg(T *p, T v) { *p = v; }
template <class T> COURSE_CALL void __stcs(T *p, T v) { *p = v; }

#include "atomics.h"
#include "integers.h"
#include "simd.h"
#include "floats.h"
#include "warp.h"
