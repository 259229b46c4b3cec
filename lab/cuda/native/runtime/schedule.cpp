// Runs the grid: blocks one after the other, a fiber for each thread, held at barriers.
#include <sys/mman.h>

#include "fiber.h"
#include "rt.h"

namespace course {

Launch launch;
Thread *current;
course_dim block_index;
uint64_t block_number;
std::vector<Thread> threads;

static void *scheduler;
static std::vector<char *> free_stacks;
static char *stacks;
static int stacks_made;
const size_t GUARD_BYTES = 4096, SLOT_BYTES = STACK_BYTES + GUARD_BYTES;
const int MOST_STACKS = 1024;

static char *take_stack() {
    if (!free_stacks.empty()) {
        char *stack = free_stacks.back();
        free_stacks.pop_back();
        return stack;
    }
    if (!stacks)
        stacks = (char *)mmap(nullptr, MOST_STACKS * SLOT_BYTES, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    // From the top down: below each stack lies a guard page, and then room that nobody uses yet.
    char *stack = stacks + SLOT_BYTES * (MOST_STACKS - ++stacks_made) + GUARD_BYTES;
    mprotect(stack, STACK_BYTES, PROT_READ | PROT_WRITE);
    return stack;
}

bool in_stack(const Thread &thread, uintptr_t address) {
    return thread.stack && address - (uintptr_t)thread.stack < STACK_BYTES;
}

// Whether an address lies among the stacks, a thread's own or another's.
bool among_stacks(uintptr_t address) {
    return stacks && address - (uintptr_t)stacks < MOST_STACKS * SLOT_BYTES;
}

void yield(State state) {
    Thread *thread = current;
    thread->state = state;
    course_switch(&thread->sp, scheduler);
}

static void entry() {
    launch.kernel->call(launch.arguments.data());
    yield(State::done);
}

void resume(Thread &thread) {
    if (thread.state == State::fresh) {
        thread.stack = take_stack();
        // Tops at different distances from a page's end: 64 KB apart they would share cache sets.
        char *top = thread.stack + STACK_BYTES - (thread.number % 61) * 64;
        thread.sp = course_prepare(thread.stack, top, entry);
    }
    thread.state = State::ready;
    current = &thread;
    course_switch(&scheduler, thread.sp);
    current = nullptr;
    if (thread.state == State::done) {
        free_stacks.push_back(thread.stack);
        thread.stack = nullptr;
    }
}

static bool runnable(const Thread &thread) {
    return thread.state == State::fresh || thread.state == State::ready ||
           thread.state == State::at_access;
}

// One lane after the other, each as far as it gets: to a barrier, its end, or many atomics in a row.
static void run_warp_plain(Thread *first, int count) {
    do {
        for (int i = 0; i < count; ++i)
            if (runnable(first[i])) resume(first[i]);
    } while (complete_warp_functions(first, count));
}

static std::string waits(const Thread &thread) {
    if (thread.state == State::at_barrier) return "__syncthreads";
    return thread.state == State::at_warp ? warp_function(thread.kind) : "";
}

// Nobody can go on: two threads that wait for each other, or for one that has returned.
[[noreturn]] static void stuck() {
    const Thread *a = nullptr, *b = nullptr;
    size_t returned = 0, waiting = 0;
    for (auto &thread : threads)
        if (thread.state == State::at_warp && !a) a = &thread;
    for (auto &thread : threads)
        if (thread.state == State::at_barrier && !a) a = &thread;
    for (auto &thread : threads) {
        returned += thread.state == State::done;
        waiting += thread.state == a->state && thread.line == a->line && thread.kind == a->kind;
        bool other = thread.state != State::done &&
                     (thread.state != a->state || thread.line != a->line || thread.kind != a->kind);
        if (!b && other) b = &thread;
    }
    for (auto &thread : threads)
        if (!b && thread.state == State::done) b = &thread;
    Finding finding = here("barrier", a, nullptr);
    finding.line = a->line;
    finding.more = "\"call\":\"" + waits(*a) + "\",\"waiting\":" + std::to_string(waiting) +
                   ",\"threads\":" + std::to_string(threads.size()) +
                   ",\"returned\":" + std::to_string(returned);
    if (b) {
        auto &i = b->index;
        finding.more += ",\"other\":[" + std::to_string(i.x) + "," + std::to_string(i.y) + "," +
                        std::to_string(i.z) + "],\"other_call\":\"" + waits(*b) +
                        "\",\"other_line\":" + std::to_string(waits(*b).empty() ? 0 : b->line);
    }
    stop(finding);
}

static void release_barrier() {
    int count = 0, all = 1, any = 0, line = threads[0].line, kind = threads[0].kind;
    for (auto &thread : threads) {
        if (thread.state != State::at_barrier || thread.line != line || thread.kind != kind) stuck();
        count += thread.predicate;
        all &= thread.predicate;
        any |= thread.predicate;
    }
    for (auto &thread : threads) {
        thread.result = kind == 1 ? count : kind == 2 ? all : any;
        thread.state = State::ready;
    }
    if (launch.watch) watch_barrier();
}

static void run_block() {
    unsigned n = launch.threads;
    for (unsigned i = 0; i < n; ++i) {
        Thread &thread = threads[i];
        thread.state = State::fresh;
        thread.depth = 0;
        thread.near = thread.wide = Fence();
        thread.acquired = thread.warp_sync = thread.part_sync = 0;
    }
    if (launch.watch) watch_block();
    for (;;) {
        bool went = false;
        unsigned done = 0;
        for (unsigned at = 0; at < n; at += WARP) {
            int count = n - at < (unsigned)WARP ? n - at : WARP;
            for (int i = 0; i < count && !went; ++i) went = runnable(threads[at + i]);
            (launch.watch ? run_warp_watched : run_warp_plain)(&threads[at], count);
        }
        for (auto &thread : threads) done += thread.state == State::done;
        if (done == n) break;
        if (!went) release_barrier();
    }
    for (auto &thread : threads) {
        kernel_output += thread.text;
        thread.text.clear();
    }
}

extern "C" char course_dynamic_shared[];

void run_grid() {
    auto &block = launch.block;
    threads.resize(launch.threads);
    for (unsigned i = 0; i < launch.threads; ++i) {
        threads[i].number = i;
        threads[i].lane = i % WARP;
        threads[i].warp = i / WARP;
        threads[i].index = {i % block.x, i / block.x % block.y, i / block.x / block.y};
    }
    if (launch.watch) watch_start();
    block_number = 0;
    for (unsigned z = 0; z < launch.grid.z; ++z)
        for (unsigned y = 0; y < launch.grid.y; ++y)
            for (unsigned x = 0; x < launch.grid.x; ++x, ++block_number) {
                block_index = {x, y, z};
                // What an earlier block left there must not pass for initialised.
                clear_shared();
                run_block();
            }
}

}  // namespace course

using namespace course;

extern "C" {
alignas(256) char course_dynamic_shared[course::DYNAMIC_BYTES];
course_dim course_thread_idx() { return current->index; }
course_dim course_block_idx() { return block_index; }
course_dim course_block_dim() { return launch.block; }
course_dim course_grid_dim() { return launch.grid; }
int course_lane_id() { return current->lane; }
int course_sync_block(int kind, int predicate, int line) {
    current->kind = kind;
    current->predicate = predicate;
    current->line = line;
    yield(State::at_barrier);
    return (int)current->result;
}
}
