// Happens-before: barriers order a block, warp barriers their lanes, and a fence with an atomic after
// it orders what came before the fence with what another thread does after a later atomic of its own.
#pragma once
#include <algorithm>
#include <unordered_map>

#include "rt.h"
#include "shadow.h"

namespace course {

// What came before `limit` is known to whom an atomic came after `at`.
struct Released {
    uint32_t limit = 0, at = 0;
};

struct Order {
    typedef std::unordered_map<uint32_t, Released> Known;
    uint32_t now = 1;
    uint32_t barrier = 1;       // the last barrier of the block that runs
    Known near, wide, blocks;   // by thread: in the block, in the grid; by block: before its barrier

    uint32_t id(unsigned number) const {
        return (uint32_t)(block_number * launch.threads + number + 1);
    }
    uint32_t id(const Thread &thread) const { return id(thread.number); }
    bool same_block(uint32_t other) const { return (other - 1) / launch.threads == block_number; }

    // Whether what `other` did at `time` comes before what `thread` does now.
    bool before(const Thread &thread, uint32_t other, uint32_t time) const {
        time &= ~ATOMIC;
        if (!same_block(other))
            return known(wide, other, time, thread) ||
                   known(blocks, (other - 1) / launch.threads, time, thread);
        if (time < barrier) return true;
        const Thread &o = threads[(other - 1) % launch.threads];
        if (o.warp == thread.warp) {
            if (time < thread.warp_sync) return true;
            if (time < thread.part_sync && (thread.part_mask >> o.lane & 1)) return true;
        }
        return known(near, other, time, thread);
    }
    void start_block() {
        barrier = ++now;
        near.clear();
        passed.clear();
    }
    void fence(Thread &thread, bool whole_grid) {
        thread.near = {++now, thread.warp_sync, thread.part_sync, barrier, thread.part_mask, false};
        if (whole_grid) thread.wide = thread.near;
    }
    // At a barrier: who waited there may pass on what this thread has fenced.
    void met(Thread &thread) {
        if (!thread.wide.own || thread.wide.passed) return;
        thread.wide.passed = true;
        passed.push_back({thread.number, thread.wide});
    }
    void atomic(Thread &thread) {
        ++now;
        for (auto &[number, fence] : passed) release(threads[number], fence);
        passed.clear();
        if (thread.near.own) release(thread, thread.near, near);
        if (thread.wide.own) release(thread, thread.wide);
        thread.acquired = now;
    }

  private:
    std::vector<std::pair<unsigned, Fence>> passed;
    static bool known(const Known &where, uint32_t key, uint32_t time, const Thread &thread) {
        auto found = where.find(key);
        return found != where.end() && found->second.limit > time &&
               thread.acquired > found->second.at;
    }
    // A second atomic after the same fence tells nothing new, and must not look like a later one.
    void raise(Released &entry, uint32_t limit) {
        if (limit > entry.limit) entry = {limit, now};
    }
    void release(const Thread &thread, const Fence &fence) {
        release(thread, fence, wide);
        raise(blocks[(uint32_t)block_number], fence.block);
    }
    void release(const Thread &thread, const Fence &fence, Known &where) {
        raise(where[id(thread)], fence.own);
        unsigned first = thread.number - thread.lane;
        for (int i = 0; i < WARP && first + i < launch.threads; ++i) {
            uint32_t limit = std::max(fence.warp, fence.mask >> i & 1 ? fence.part : 0);
            if (limit) raise(where[id(first + i)], limit);
        }
    }
};

extern Order order;

}  // namespace course
