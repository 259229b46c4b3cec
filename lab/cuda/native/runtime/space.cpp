// The spaces of memory, and each access held against them.
#include "space.h"

#include <link.h>

#include <cstdio>
#include <cstring>

#include "order.h"

extern "C" char course_dynamic_shared[];
extern "C" char __executable_start, __data_start;

namespace course {

static std::vector<Shadow> global_shadow, module_shadow;
static Shadow shared_shadow[2];

// PT_TLS of the program: the linker lays all thread-local variables of its objects side by side.
static int find_tls(dl_phdr_info *info, size_t, void *out) {
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        auto &header = info->dlpi_phdr[i];
        if (header.p_type != PT_TLS) continue;
        uintptr_t align = header.p_align ? header.p_align : 1, size = header.p_memsz;
#if defined(__x86_64__)
        uintptr_t pointer;
        __asm__("movq %%fs:0, %0" : "=r"(pointer));
        uintptr_t start = pointer - ((size + align - 1) & ~(align - 1));
#else
        uintptr_t pointer = (uintptr_t)__builtin_thread_pointer();
        uintptr_t start = pointer + ((16 + align - 1) & ~(align - 1));
#endif
        *(Range *)out = {start, start + size};
    }
    return 1;  // the program itself comes first
}

Range static_shared() {
    static Range range = [] {
        Range found{0, 0};
        dl_iterate_phdr(find_tls, &found);
        return found;
    }();
    return range;
}

void clear_shared() {
    Range range = static_shared();
    if (range.end > range.start) memset((void *)range.start, 0xff, range.end - range.start);
    memset(course_dynamic_shared, 0xff, launch.shared);
}

void spaces_start() {
    global_shadow.resize(launch.buffers.size());
    for (size_t i = 0; i < launch.buffers.size(); ++i) {
        unsigned item = launch.buffers[i].item;
        unsigned granule = item % 8 == 0 ? 8 : item % 4 == 0 ? 4 : item % 2 == 0 ? 2 : 1;
        global_shadow[i].start(launch.buffers[i].size, granule);
    }
    for (Symbol *s = symbols; s; s = s->next) {
        module_shadow.emplace_back();
        module_shadow.back().start(s->size, s->size % 4 || (uintptr_t)s->address % 4 ? 1 : 4);
    }
    Range range = static_shared();
    shared_shadow[0].start(range.end - range.start + 16, 1);
    shared_shadow[1].start(launch.shared + 16, 1);
}

Where where(uintptr_t address, const Thread &thread) {
    if (in_stack(thread, address)) return {Space::local, 0, 0};
    for (size_t i = 0; i < launch.buffers.size(); ++i) {
        size_t offset = address - (uintptr_t)launch.buffers[i].base;
        if (offset < launch.buffers[i].size) return {Space::global, (int)i, offset};
    }
    Range range = static_shared();
    if (address - range.start < range.end - range.start) {
        for (auto &guard : launch.guards)
            if (address - range.start - guard.first < guard.second) return {Space::local, 0, 0};
        for (auto &gap : launch.gaps)
            if (address - range.start - gap.first < gap.second) return {Space::nowhere, 0, 0};
        return {Space::shared, 0, address - range.start};
    }
    size_t offset = address - (uintptr_t)course_dynamic_shared;
    if (offset < launch.shared) return {Space::shared, 1, offset};
    int which = 1;
    for (Symbol *s = symbols; s; s = s->next, ++which) {
        size_t within = address - (uintptr_t)s->address;
        if (within < s->size) return {s->constant ? Space::constant : Space::module, which, within};
    }
    // Literals, and tables that the compiler made read-only.
    if (offset < DYNAMIC_BYTES) return {Space::nowhere, 0, 0};
    uintptr_t image = (uintptr_t)&__executable_start;
    // What may be written belongs to a variable, or to nobody.
    if (address - image < (uintptr_t)&__data_start - image) return {Space::module, 0, address};
    return {Space::nowhere, 0, 0};
}

static std::string person(uint32_t id) {
    uint64_t block = (id - 1) / launch.threads, thread = (id - 1) % launch.threads;
    auto &g = launch.grid;
    auto &i = threads[thread].index;
    char text[200];
    snprintf(text, sizeof text, "\"other\":[%u,%u,%u],\"other_block\":[%u,%u,%u]", i.x, i.y, i.z,
             (unsigned)(block % g.x), (unsigned)(block / g.x % g.y), (unsigned)(block / g.x / g.y));
    return text;
}

static std::string at_json(const Access &access, const Where &at) {
    if (at.space == Space::global) return place_json(access.address);
    if (at.space == Space::module) {
        Symbol *s = symbols;
        for (int i = 1; i < at.which; ++i) s = s->next;
        return "\"variable\":\"" + std::string(s->name) + "\",\"offset\":" + std::to_string(at.offset);
    }
    return "\"shared\":" + std::to_string(at.which) + ",\"offset\":" + std::to_string(at.offset);
}

// An address just behind the launch's shared memory or a variable, or anywhere else.
static std::string beyond(uintptr_t address, unsigned size) {
    size_t dynamic = address - (uintptr_t)course_dynamic_shared;
    Range fixed = static_shared();
    if (dynamic < DYNAMIC_BYTES)
        return "\"beyond\":\"dynamic\",\"offset\":" + std::to_string(dynamic) +
               ",\"shared_mem\":" + std::to_string(launch.shared);
    if (fixed.end != fixed.start && address - fixed.start < fixed.end - fixed.start + 4096)
        return "\"beyond\":\"static\",\"offset\":" + std::to_string(address - fixed.start);
    // A 32-bit unsigned index that went below zero.
    uintptr_t meant = address - ((uintptr_t)size << 32) + 4096;
    if (meant - (uintptr_t)course_dynamic_shared < 4096 ||
        (fixed.end != fixed.start && meant - fixed.start < fixed.end - fixed.start + 4096))
        return "\"beyond\":\"wrapped\"";
    const Symbol *nearest = nullptr;
    size_t least = 4096;
    for (Symbol *s = symbols; s; s = s->next) {
        size_t away = address - (uintptr_t)s->address - s->size;
        if (away < least) {
            least = away;
            nearest = s;
        }
    }
    if (!nearest) return place_json(address);
    return "\"beyond\":\"variable\",\"variable\":\"" + std::string(nearest->name) +
           "\",\"offset\":" + std::to_string(least);
}

static Finding race(const Thread &thread, const Where &at, const char *how, uint32_t other) {
    Finding finding = here("race", &thread, &thread.next);
    finding.more = at_json(thread.next, at) + ",\"how\":\"" + how + "\"," + person(other);
    return finding;
}

static void suspect(Thread &thread, Doubt &doubt, const Finding &finding) {
    const Access &access = thread.next;
    if (access.kind != Kind::store) return report(finding);
    if (doubt.size) return;
    doubt.address = access.address;
    doubt.size = access.size <= 16 ? access.size : 16;
    memcpy(doubt.before, (void *)access.address, doubt.size);
    doubt.finding = finding;
}

void Doubt::settle() {
    if (size && memcmp(before, (void *)address, size)) report(finding);
}

static void look_at_cell(Thread &thread, Cell &cell, const Where &at, Doubt &doubt) {
    uint32_t me = order.id(thread), time = order.now;
    Kind kind = thread.next.kind;
    bool shared = at.space == Space::shared;
    if (shared && cell.writer && !order.same_block(cell.writer)) cell.writer = 0;
    if (shared && cell.reader && !order.same_block(cell.reader)) cell.reader = cell.other = 0;
    if (shared && cell.other && !order.same_block(cell.other)) cell.other = 0;
    if (shared && !cell.writer && kind != Kind::store) {
        Finding finding = here("uninitialised", &thread, &thread.next);
        finding.more = at_json(thread.next, at);
        report(finding);
    }
    bool atomics = kind == Kind::atomic && cell.written & ATOMIC;
    if (cell.writer && cell.writer != me && !atomics &&
        !order.before(thread, cell.writer, cell.written)) {
        if (kind == Kind::load) report(race(thread, at, "reads after write", cell.writer));
        else suspect(thread, doubt, race(thread, at, "writes after write", cell.writer));
    }
    if (kind == Kind::load) {
        if (cell.reader != me) {
            // The reader that a later write may race with is kept: one of another block, if any.
            bool lesser = !cell.other || cell.other == me || order.same_block(cell.other);
            if (cell.reader && lesser) {
                cell.other = cell.reader;
                cell.other_read = cell.read;
            }
            cell.reader = me;
        }
        cell.read = time;
        return;
    }
    if (cell.reader && cell.reader != me && !order.before(thread, cell.reader, cell.read))
        suspect(thread, doubt, race(thread, at, "writes after read", cell.reader));
    else if (cell.other && cell.other != me && !order.before(thread, cell.other, cell.other_read))
        suspect(thread, doubt, race(thread, at, "writes after read", cell.other));
    // A thread's own atomic does not hide from others what it wrote plainly since the barrier.
    bool plain = cell.writer == me && !(cell.written & ATOMIC) && cell.written >= order.barrier;
    if (kind == Kind::atomic && plain) return;
    cell.writer = me;
    cell.written = time | (kind == Kind::atomic ? ATOMIC : 0);
    cell.reader = cell.other = 0;
}

void look(Thread &thread, Doubt &doubt) {
    const Access &access = thread.next;
    Where first = where(access.address, thread);
    if (first.space == Space::local) return;
    Where last = where(access.address + access.size - 1, thread);
    if (first.space == Space::nowhere || last.space != first.space || last.which != first.which) {
        bool stack = among_stacks(access.address);
        Finding finding = here(stack ? "stack" : "outside", &thread, &access);
        if (first.space == Space::shared) finding.more = at_json(access, first);
        else finding.more = beyond(access.address, access.size);
        stop(finding);
    }
    if (access.size <= 16 && !(access.size & (access.size - 1)) && access.address % access.size) {
        Finding finding = here("misaligned", &thread, &access);
        bool known = first.space == Space::global || first.space == Space::shared;
        finding.more = known ? at_json(access, first) : place_json(access.address);
        stop(finding);
    }
    if (first.space == Space::constant && access.kind != Kind::load) {
        Finding finding = here("constant", &thread, &access);
        stop(finding);
    }
    if (access.kind == Kind::atomic) order.atomic(thread);
    bool shared = first.space == Space::shared, variable = first.space == Space::module;
    if (first.space != Space::global && !shared && !(variable && first.which)) return;
    Shadow &shadow = shared     ? shared_shadow[first.which]
                     : variable ? module_shadow[first.which - 1]
                                : global_shadow[first.which];
    unsigned cells;
    Cell *cell = shadow.cells(first.offset, access.size, cells);
    for (unsigned i = 0; i < cells; ++i) look_at_cell(thread, cell[i], first, doubt);
}

}  // namespace course
