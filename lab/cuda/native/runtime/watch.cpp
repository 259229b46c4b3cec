// A warp's lanes in step: each runs to its next access or branch, the lanes at the same place go on
// together. Deeper calls first, then the lowest address of code, so that lanes meet again after a branch.
#include "counters.h"
#include "order.h"
#include "rt.h"
#include "space.h"

namespace course {

Order order;
static const int SLICE = 200000;     // steps before another warp of the block has its turn
static const int PATIENCE = 100000;  // steps of one place before lanes that wait elsewhere go on

void watch_start() { spaces_start(); }
void watch_block() { order.start_block(); }
// What one thread knows of others, all know that wait with it.
static void meet(Thread *first, size_t count, unsigned mask) {
    uint32_t latest = 0;
    for (size_t i = 0; i < count; ++i) {
        if (!(mask >> i % WARP & 1)) continue;
        latest = std::max(latest, first[i].acquired);
        order.met(first[i]);
    }
    for (size_t i = 0; i < count; ++i)
        if (mask >> i % WARP & 1) first[i].acquired = latest;
}
void watch_barrier() {
    order.barrier = ++order.now;
    meet(threads.data(), threads.size(), ~0u);
    count_barrier();
}
void watch_warp_barrier(Thread *first, int count, unsigned mask) {
    ++order.now;
    meet(first, count, mask);
    unsigned everyone = count == WARP ? ~0u : (1u << count) - 1, gone = 0;
    for (int i = 0; i < count; ++i)
        if (first[i].state == State::done) gone |= 1u << i;
    for (int i = 0; i < count; ++i) {
        if (!(mask >> i & 1)) continue;
        if ((mask | gone) == everyone) first[i].warp_sync = order.now;
        first[i].part_sync = order.now;
        first[i].part_mask = mask;
    }
}

static bool waits_here(const Thread &lane) {
    return lane.state == State::at_access || lane.state == State::ready ||
           lane.state == State::fresh;
}

static bool earlier(const Thread &a, const Thread &b) {
    return a.depth != b.depth ? a.depth > b.depth : a.next.pc < b.next.pc;
}

static bool same_place(const Thread &a, const Thread &b) {
    return a.state == b.state && a.depth == b.depth && a.next.pc == b.next.pc &&
           a.next.kind == b.next.kind && a.next.size == b.next.size;
}

// The lanes that go on now, as a mask; 0 when none can.
static unsigned choose(Thread *first, int count, bool other_way) {
    const Thread *best = nullptr;
    for (int i = 0; i < count; ++i) {
        Thread &lane = first[i];
        if (!waits_here(lane)) continue;
        if (lane.state != State::at_access) lane.next = Access();  // a start, or after a barrier
        if (!best || (earlier(lane, *best) != other_way && !same_place(lane, *best))) best = &lane;
    }
    unsigned chosen = 0;
    for (int i = 0; best && i < count; ++i)
        if (waits_here(first[i]) && same_place(first[i], *best)) chosen |= 1u << i;
    return chosen;
}

static void step(Thread *first, int count, unsigned chosen) {
    int lead = __builtin_ctz(chosen);
    bool at_access = first[lead].state == State::at_access;
    Access access = first[lead].next;
    if (at_access) count_step(first, count, chosen);
    for (int i = 0; i < count; ++i) {
        if (!(chosen >> i & 1)) continue;
        Doubt doubt;
        if (at_access && access.kind != Kind::branch) look(first[i], doubt);
        resume(first[i]);
        doubt.settle();
    }
    count_paths(first, count, chosen, access.pc);
}

void run_warp_watched(Thread *first, int count) {
    int steps = 0, patience = PATIENCE;
    do {
        unsigned chosen;
        while ((chosen = choose(first, count, patience == 0))) {
            step(first, count, chosen);
            patience = patience ? patience - 1 : PATIENCE;
            if (++steps > SLICE) return;
        }
    } while (complete_warp_functions(first, count));
}

}  // namespace course
