// Warp functions: shuffles, votes, reductions. CUDA C++ Programming Guide, "Warp Shuffle Functions",
// "Warp Vote Functions", "Warp Reduce Functions".
#pragma once

enum {
    course_syncwarp, course_shuffle, course_ballot, course_active, course_match_any, course_match_all,
    course_reduce_add, course_reduce_min, course_reduce_max, course_reduce_and, course_reduce_or,
    course_reduce_xor, course_reduce_umin, course_reduce_umax
};

template <class T> COURSE_CALL course_u64 course_bits(T value) {
    static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
    course_u64 bits = 0;
    __builtin_memcpy(&bits, &value, sizeof(T));
    return bits;
}
template <class T> COURSE_CALL T course_value(course_u64 bits) {
    T value;
    __builtin_memcpy(&value, &bits, sizeof(T));
    return value;
}

COURSE_CALL void __syncwarp(unsigned int mask = 0xffffffffu, COURSE_LINE) {
    course_warp(course_syncwarp, mask, 0, 0, line);
}
COURSE_CALL unsigned int __activemask(COURSE_LINE) {
    return (unsigned int)course_warp(course_active, 0xffffffffu, 0, 0, line);
}
COURSE_CALL unsigned int __ballot_sync(unsigned int mask, int p, COURSE_LINE) {
    return (unsigned int)course_warp(course_ballot, mask, p != 0, 0, line);
}
COURSE_CALL int __any_sync(unsigned int mask, int p, COURSE_LINE) {
    return course_warp(course_ballot, mask, p != 0, 0, line) != 0;
}
COURSE_CALL int __all_sync(unsigned int mask, int p, COURSE_LINE) {
    return course_warp(course_ballot, mask, p == 0, 0, line) == 0;
}

COURSE_CALL void course_width(int width, int line) {
    if (width < 1 || width > 32 || width & (width - 1))
        course_stop("the width of a shuffle must be 1, 2, 4, 8, 16 or 32", line);
}
// The source lane is this one where the asked one lies outside the segment of `width` lanes.
template <class T>
COURSE_CALL T __shfl_sync(unsigned int mask, T v, int source, int width = 32, COURSE_LINE) {
    course_width(width, line);
    int lane = course_lane_id();
    int from = (lane & ~(width - 1)) + (source & (width - 1));
    return course_value<T>(course_warp(course_shuffle, mask, course_bits(v), from, line));
}
template <class T>
COURSE_CALL T __shfl_up_sync(unsigned int mask, T v, unsigned int delta, int width = 32, COURSE_LINE) {
    course_width(width, line);
    int lane = course_lane_id(), from = lane - (int)delta;
    if (from < (lane & ~(width - 1))) from = lane;
    return course_value<T>(course_warp(course_shuffle, mask, course_bits(v), from, line));
}
template <class T>
COURSE_CALL T __shfl_down_sync(unsigned int mask, T v, unsigned int delta, int width = 32,
                               COURSE_LINE) {
    course_width(width, line);
    int lane = course_lane_id(), from = lane + (int)delta;
    if (from > (lane | (width - 1))) from = lane;
    return course_value<T>(course_warp(course_shuffle, mask, course_bits(v), from, line));
}
template <class T>
COURSE_CALL T __shfl_xor_sync(unsigned int mask, T v, int bits, int width = 32, COURSE_LINE) {
    course_width(width, line);
    int lane = course_lane_id(), from = lane ^ bits;
    // PTX shfl.bfly: an earlier segment may be read, a later one may not.
    if (from > (lane | (width - 1))) from = lane;
    return course_value<T>(course_warp(course_shuffle, mask, course_bits(v), from, line));
}

template <class T> COURSE_CALL unsigned int __match_any_sync(unsigned int mask, T v, COURSE_LINE) {
    return (unsigned int)course_warp(course_match_any, mask, course_bits(v), 0, line);
}
template <class T>
COURSE_CALL unsigned int __match_all_sync(unsigned int mask, T v, int *all, COURSE_LINE) {
    unsigned int same = (unsigned int)course_warp(course_match_all, mask, course_bits(v), 0, line);
    *all = same != 0;
    return same;
}

#define COURSE_REDUCE(NAME, KIND, T)                                                         \
    COURSE_CALL T __reduce_##NAME##_sync(unsigned int mask, T v, COURSE_LINE) {              \
        return (T)course_warp(KIND, mask, (unsigned int)v, 0, line);                         \
    }
COURSE_REDUCE(add, course_reduce_add, int)
COURSE_REDUCE(add, course_reduce_add, unsigned int)
COURSE_REDUCE(min, course_reduce_min, int)
COURSE_REDUCE(max, course_reduce_max, int)
COURSE_REDUCE(min, course_reduce_umin, unsigned int)
COURSE_REDUCE(max, course_reduce_umax, unsigned int)
COURSE_REDUCE(and, course_reduce_and, unsigned int)
COURSE_REDUCE(or, course_reduce_or, unsigned int)
COURSE_REDUCE(xor, course_reduce_xor, unsigned int)
#undef COURSE_REDUCE
