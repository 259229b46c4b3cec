// What the parts of the runtime share: the launch, the threads of a block, and findings.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

typedef unsigned long long u64;
extern "C" struct course_dim { unsigned int x, y, z; };

namespace course {

const int WARP = 32;
const size_t STACK_BYTES = 64 * 1024;
const size_t DYNAMIC_BYTES = 227 * 1024;  // of shared memory: the most of a block on sm_90

enum class State : uint8_t { fresh, ready, at_access, at_barrier, at_warp, done };
enum class Kind : uint8_t { branch, load, store, atomic };

struct Access {
    uintptr_t pc = 0, address = 0;
    uint32_t size = 0;
    Kind kind = Kind::branch;
    int line = 0;  // known for atomics; the others have it in the line table
};

struct Finding {
    std::string kind;
    uintptr_t pc = 0;
    int line = 0;
    course_dim block{}, thread{};
    std::string more;  // further members, JSON
};

// The last fence of a thread, and what it had behind it: times of its warp's and block's barriers.
struct Fence {
    uint32_t own = 0, warp = 0, part = 0, block = 0;
    unsigned mask = 0;  // of the lanes that `part` is about
    bool passed = false;
};

struct Thread {
    void *sp = nullptr;
    char *stack = nullptr;
    course_dim index{};
    unsigned number = 0;  // in the block
    int lane = 0, warp = 0;
    State state = State::fresh;
    Access next;
    int depth = 0;
    // At a barrier or a warp function.
    int kind = 0, line = 0, source = 0, predicate = 0;
    unsigned mask = 0;
    u64 value = 0, result = 0;
    // Memory order, in units of Block::now.
    Fence near, wide;
    uint32_t acquired = 0, warp_sync = 0, part_sync = 0;
    unsigned part_mask = 0;
    std::string text;
};

struct Buffer {
    char *base = nullptr;
    size_t size = 0;
    unsigned item = 1;
    std::string name;
};

struct Symbol {
    const char *name;
    char *address;
    size_t size;
    bool constant;
    Symbol *next;
};

struct Parameter {
    bool pointer;
    char kind;         // of a scalar or of what it points to: i, u, f, b; o: anything else; v: void
    unsigned size;     // bytes as an argument
    unsigned element;  // bytes of what it points to
    const char *type;
};

struct Kernel {
    const char *name;
    void (*call)(void **arguments);
    int count;
    const Parameter *parameters;
    Kernel *next;
};

struct Launch {
    Kernel *kernel = nullptr;
    course_dim grid{1, 1, 1}, block{1, 1, 1};
    unsigned threads = 1;  // of a block
    size_t shared = 0;     // dynamic, bytes
    bool watch = false;
    std::vector<Buffer> buffers;
    std::vector<void *> arguments;
    // Thread-local bytes that C++ keeps about an array of classes, by offset: no shared memory.
    std::vector<std::pair<size_t, size_t>> guards;
    // Thread-local bytes between `__shared__` variables, by offset: nobody's.
    std::vector<std::pair<size_t, size_t>> gaps;
};

extern Launch launch;
extern Thread *current;           // nullptr: the scheduler runs
extern course_dim block_index;
extern uint64_t block_number;
extern std::vector<Thread> threads;  // of the block that runs
extern Kernel *kernels;
extern Symbol *symbols;

// schedule.cpp
void run_grid();
void yield(State state);
void resume(Thread &thread);
void clear_shared();
bool among_stacks(uintptr_t address);
bool in_stack(const Thread &thread, uintptr_t address);
// warp.cpp
bool complete_warp_functions(Thread *first, int count);
const char *warp_function(int kind);
// watch.cpp: a warp's lanes in step, each access looked at before it happens.
void watch_start();
void watch_block();
void watch_barrier();
void watch_warp_barrier(Thread *first, int count, unsigned mask);
void run_warp_watched(Thread *first, int count);
// findings.cpp
void report(const Finding &finding);          // and go on
[[noreturn]] void stop(const Finding &finding);  // and write the result
[[noreturn]] void finish(const char *status);
Finding here(const char *kind, const Thread *thread, const Access *access);
extern std::string kernel_output;
// counters.cpp
std::string counters_json();
// faults.cpp
void catch_faults();
std::string place_json(uintptr_t address);  // which buffer, how far outside

}  // namespace course
