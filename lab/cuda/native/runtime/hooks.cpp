// What the compiler calls at each access (-fsanitize=thread) and at each branch (trace-pc): ours, in
// place of the sanitizers' libraries.
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "order.h"
#include "rt.h"

using namespace course;

static inline void arrive(uintptr_t pc, uintptr_t address, uint32_t size, Kind kind, int line = 0) {
    Thread *thread = current;
    if (!thread || in_stack(*thread, address)) return;
    thread->next = {pc, address, size, kind, line};
    yield(State::at_access);
}

#define PC ((uintptr_t)__builtin_return_address(0))
#define HOOK(NAME, SIZE, KIND)                                                               \
    extern "C" void __tsan_##NAME##SIZE(void *p) { arrive(PC, (uintptr_t)p, SIZE, KIND); }   \
    extern "C" void __tsan_unaligned_##NAME##SIZE(void *p) {                                 \
        arrive(PC, (uintptr_t)p, SIZE, KIND);                                                \
    }                                                                                        \
    extern "C" void __tsan_volatile_##NAME##SIZE(void *p) { arrive(PC, (uintptr_t)p, SIZE, KIND); }
#define HOOKS(NAME, KIND) \
    HOOK(NAME, 1, KIND) HOOK(NAME, 2, KIND) HOOK(NAME, 4, KIND) HOOK(NAME, 8, KIND) HOOK(NAME, 16, KIND)
HOOKS(read, Kind::load)
HOOKS(write, Kind::store)

// A structure with no wide alignment, or memcpy: words where it lies on words, else bytes, as a GPU
// would. One place for all pieces, since each lane does them in the same order.
static void range(uintptr_t pc, uintptr_t p, size_t size, Kind kind, unsigned most = 4) {
    unsigned piece = size % 4 || p % 4 ? (size % 2 || p % 2 ? 1 : 2) : 4;
    if (piece > most) piece = most;
    for (size_t at = 0; at < size; at += piece) arrive(pc, p + at, piece, kind);
}

extern "C" {
void __tsan_read_range(void *p, size_t size) { range(PC, (uintptr_t)p, size, Kind::load); }
void __tsan_write_range(void *p, size_t size) { range(PC, (uintptr_t)p, size, Kind::store); }
void *course_memcpy(void *to, const void *from, size_t size, unsigned to_align, unsigned from_align) {
    if (launch.watch) {
        range(PC, (uintptr_t)from, size, Kind::load, from_align);
        range(PC, (uintptr_t)to, size, Kind::store, to_align);
    }
    return memmove(to, from, size);
}
void *course_memset(void *to, int byte, size_t size) {
    if (launch.watch) range(PC, (uintptr_t)to, size, Kind::store);
    return memset(to, byte, size);
}
void __tsan_vptr_update(void **, void *) {}
void __tsan_vptr_read(void **) {}
void __tsan_init() {}
void __tsan_func_entry(void *) {
    if (current) ++current->depth;
}
void __tsan_func_exit() {
    if (current) --current->depth;
}
void __sanitizer_cov_trace_pc() {
    Thread *thread = current;
    if (!thread) return;
    thread->next = {PC, 0, 0, Kind::branch, 0};
    yield(State::at_access);
}

void course_atomic(const volatile void *p, unsigned size, int line) {
    if (launch.watch) return arrive(PC, (uintptr_t)p, size, Kind::atomic, line);
    // A thread that spins on a lock lets the others go on.
    static unsigned many;
    if (++many % 1024 == 0) yield(State::ready);
}
void course_fence(int whole_grid) {
    if (current && launch.watch) order.fence(*current, whole_grid);
}
long long course_clock() {
    static long long ticks;
    return ticks += 32;
}
int course_printf(const char *format, ...) {
    const size_t MOST = 1 << 20;  // the size of CUDA's buffer for printf
    static size_t written;
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0 && written < MOST) current->text.append(text, strnlen(text, sizeof text));
    written += length > 0 ? length : 0;
    return length;
}
void course_stop(const char *why, int line) {
    Finding finding = here("stopped", current, nullptr);
    finding.line = line;
    finding.more = "\"why\":\"";
    for (const char *c = why; *c; ++c) finding.more += *c == '"' || *c == '\\' ? '\'' : *c;
    finding.more += "\"";
    stop(finding);
}
}
