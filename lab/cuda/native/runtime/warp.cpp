// Warp functions: they complete when every lane of the mask that has not returned has come.
#include "rt.h"

namespace course {

enum { syncwarp, shuffle, ballot, active, match_any, match_all, add, min_, max_, and_, or_, xor_,
       umin, umax };
static const char *NAMES[] = {
    "__syncwarp", "a warp shuffle", "a warp vote", "__activemask", "__match_any_sync",
    "__match_all_sync", "__reduce_add_sync", "__reduce_min_sync", "__reduce_max_sync",
    "__reduce_and_sync", "__reduce_or_sync", "__reduce_xor_sync", "__reduce_min_sync",
    "__reduce_max_sync"};

const char *warp_function(int kind) { return NAMES[kind]; }

static bool same(const Thread &a, const Thread &b) {
    return b.state == State::at_warp && a.kind == b.kind && a.mask == b.mask;
}

static uint32_t reduce(int kind, uint32_t a, uint32_t b) {
    switch (kind) {
        case add: return a + b;
        case min_: return (int32_t)a < (int32_t)b ? a : b;
        case max_: return (int32_t)a > (int32_t)b ? a : b;
        case and_: return a & b;
        case or_: return a | b;
        case xor_: return a ^ b;
        case umin: return a < b ? a : b;
        default: return a > b ? a : b;
    }
}

static void complete(Thread *first, int count, unsigned present, int kind) {
    u64 all = 0;
    bool begun = false, equal = true;
    for (int i = 0; i < count; ++i) {
        if (!(present >> i & 1)) continue;
        if (kind == ballot) all |= first[i].value << i;
        if (kind >= add) all = begun ? reduce(kind, all, first[i].value) : first[i].value;
        if (kind == match_all && begun) equal = equal && all == first[i].value;
        if (kind == match_all && !begun) all = first[i].value;
        begun = true;
    }
    for (int i = 0; i < count; ++i) {
        Thread &lane = first[i];
        if (!(present >> i & 1)) continue;
        if (kind == active) all = present;
        if (kind == match_any) {
            all = 0;
            for (int j = 0; j < count; ++j)
                if (present >> j & 1 && first[j].value == lane.value) all |= 1u << j;
        }
        lane.result = kind == match_all ? (equal ? present : 0) : all;
        if (kind == shuffle) {
            // A lane that does not take part gives no value (PTX ISA, shfl.sync): never a useful one.
            bool there = lane.source < WARP && present >> lane.source & 1;
            lane.result = there ? first[lane.source].value : 0x5a5a5a5a5a5a5a5aull;
        }
    }
    for (int i = 0; i < count; ++i)
        if (present >> i & 1) first[i].state = State::ready;
    if (kind == syncwarp && launch.watch) watch_warp_barrier(first, count, present);
}

static void check_mask(const Thread &lane, int i) {
    if (lane.state != State::at_warp || lane.mask >> i & 1) return;
    Finding finding = here("mask", &lane, nullptr);
    finding.line = lane.line;
    finding.more = "\"lane\":" + std::to_string(i) + ",\"mask\":" + std::to_string(lane.mask) +
                   ",\"call\":\"" + NAMES[lane.kind] + "\"";
    stop(finding);
}

// Called when no lane can run. Returns whether one can now.
bool complete_warp_functions(Thread *first, int count) {
    unsigned seen = 0;
    bool went = false;
    for (int i = 0; i < count; ++i) check_mask(first[i], i);
    for (int i = 0; i < count; ++i) {
        Thread &lane = first[i];
        if (lane.state != State::at_warp || seen >> i & 1) continue;
        unsigned present = 0;
        bool all_here = true;
        for (int j = 0; j < count; ++j) {
            if (same(lane, first[j]) && (lane.kind != active || lane.line == first[j].line))
                present |= 1u << j;
            else if (lane.mask >> j & 1 && first[j].state != State::done)
                all_here = false;
        }
        seen |= present;
        if (all_here || lane.kind == active) {
            complete(first, count, present, lane.kind);
            went = true;
        }
    }
    return went;
}

}  // namespace course

extern "C" u64 course_warp(int kind, unsigned mask, u64 value, int source, int line) {
    using namespace course;
    Thread *lane = current;
    lane->kind = kind;
    lane->mask = mask;
    lane->value = value;
    lane->source = source;
    lane->line = line;
    yield(State::at_warp);
    return lane->result;
}
