// Happens-before: barriers order a block, warp barriers their lanes, and a fence with an atomic after
// it orders what came before it with what another thread does after an atomic of its own.
#pragma once
#include <unordered_map>

#include "rt.h"
#include "shadow.h"

namespace course {

struct Order {
    uint32_t now = 1;
    uint32_t barrier = 1;   // the last barrier of the block that runs
    uint32_t acquired = 0;  // the last atomic of the block that runs
    std::unordered_map<uint64_t, uint32_t> released;  // by block

    uint32_t id(const Thread &thread) const {
        return (uint32_t)(block_number * launch.threads + thread.number + 1);
    }
    bool same_block(uint32_t other) const { return (other - 1) / launch.threads == block_number; }

    // Whether what `other` did at `time` comes before what `thread` does now.
    bool before(const Thread &thread, uint32_t other, uint32_t time) const {
        time &= ~ATOMIC;
        if (!same_block(other)) {
            auto found = released.find((other - 1) / launch.threads);
            return found != released.end() && found->second > time && acquired >= found->second;
        }
        if (time < barrier) return true;
        const Thread &o = threads[(other - 1) % launch.threads];
        if (o.warp == thread.warp) {
            if (time < thread.warp_sync) return true;
            if (time < thread.part_sync && (thread.part_mask >> o.lane & 1)) return true;
        }
        return o.released > time && thread.acquired >= o.released;
    }
    void atomic(Thread &thread) {
        ++now;
        if (thread.fenced) {
            thread.released = now;
            released[block_number] = now;
        }
        thread.acquired = acquired = now;
    }
};

extern Order order;

}  // namespace course
