// Counters, for each instruction of the kernel by its address: requests of warps, sectors, wavefronts.
#include "counters.h"

#include <algorithm>
#include <map>

#include "space.h"

namespace course {

struct Row {
    Space space;
    unsigned size;
    int which = 0, line = 0;
    uint64_t requests = 0, lanes = 0, sectors = 0, wavefronts = 0, ideal = 0, repeats = 0;
};
static std::map<std::pair<uintptr_t, int>, Row> rows;
struct Path { uint64_t times = 0, lanes = 0, split = 0; };
static std::map<uintptr_t, Path> paths;
static uint64_t barriers;
static std::string trace;
static int traced;
const int MOST_TRACED = 64;
const size_t MOST_ROWS = 2000;

void count_barrier() { ++barriers; }

static int sectors_of(const uintptr_t *address, int n, unsigned size) {
    uintptr_t sector[WARP * 4];
    int count = 0;
    for (int i = 0; i < n; ++i)
        for (uintptr_t s = address[i] >> 5; s <= (address[i] + size - 1) >> 5; ++s)
            if (count < WARP * 4 && (!count || sector[count - 1] != s)) sector[count++] = s;
    std::sort(sector, sector + count);
    return (int)(std::unique(sector, sector + count) - sector);
}

// The words of 4 bytes that lie in the busiest of 32 banks; equal words are one (broadcast).
static int busiest_bank(const uintptr_t *address, int n, unsigned size) {
    uintptr_t word[WARP * 4];
    int count = 0, in_bank[32] = {}, most = 0;
    for (int i = 0; i < n; ++i)
        for (uintptr_t w = address[i] >> 2; w <= (address[i] + size - 1) >> 2; ++w)
            if (count < WARP * 4) word[count++] = w;
    std::sort(word, word + count);
    count = (int)(std::unique(word, word + count) - word);
    for (int i = 0; i < count; ++i) most = std::max(most, ++in_bank[word[i] & 31]);
    return most;
}

// Accesses of 8 bytes go by half warps, of 16 by quarters.
static void count_banks(Row &row, Thread *first, int count, unsigned chosen, unsigned size) {
    int part = size <= 4 ? 32 : size <= 8 ? 16 : 8;
    for (int from = 0; from < count; from += part) {
        uintptr_t address[WARP];
        int n = 0;
        for (int i = from; i < std::min(count, from + part); ++i)
            if (chosen >> i & 1) address[n++] = first[i].next.address;
        if (!n) continue;
        row.wavefronts += busiest_bank(address, n, size);
        ++row.ideal;
    }
}

static void note(const Access &access, const Where &at, Thread *first, int count, unsigned chosen) {
    if (traced++ >= MOST_TRACED) return;
    trace += std::string(trace.empty() ? "" : ",") + "{\"pc\":" + std::to_string(access.pc) +
             ",\"kind\":" + std::to_string((int)access.kind) + ",\"line\":" +
             std::to_string(access.line) + ",\"space\":" + std::to_string((int)at.space) +
             ",\"which\":" + std::to_string(at.which) + ",\"size\":" +
             std::to_string(access.size) + ",\"offsets\":[";
    for (int i = 0; i < count; ++i) {
        std::string offset = "null";
        if (chosen >> i & 1)
            offset = std::to_string((long long)(first[i].next.address -
                                                first[__builtin_ctz(chosen)].next.address) +
                                    (long long)at.offset);
        trace += (i ? "," : "") + offset;
    }
    trace += "]}";
}

static void count_access(Thread *first, int count, unsigned chosen, const Access &access) {
    int lead = __builtin_ctz(chosen), n = 0;
    Where at = where(access.address, first[lead]);
    if (at.space == Space::local || at.space == Space::nowhere) return;
    if (rows.size() >= MOST_ROWS && !rows.count({access.pc, (int)access.kind})) return;
    Row &row = rows[{access.pc, (int)access.kind}];
    uintptr_t address[WARP];
    for (int i = 0; i < count; ++i)
        if (chosen >> i & 1) address[n++] = first[i].next.address;
    row.space = at.space;
    row.which = at.which;
    row.size = access.size;
    row.line = access.line;
    row.requests += 1;
    row.lanes += n;
    if (at.space == Space::shared) count_banks(row, first, count, chosen, access.size);
    else row.sectors += sectors_of(address, n, access.size);
    if (access.kind == Kind::atomic) {
        std::sort(address, address + n);
        row.repeats += n - (std::unique(address, address + n) - address);
    }
    if (block_number == 0 && first[0].warp == 0) note(access, at, first, count, chosen);
}

void count_step(Thread *first, int count, unsigned chosen) {
    const Access &access = first[__builtin_ctz(chosen)].next;
    if (access.kind != Kind::branch) return count_access(first, count, chosen, access);
    Path &path = paths[access.pc];
    path.times += 1;
    path.lanes += __builtin_popcount(chosen);
}

void count_paths(Thread *first, int count, unsigned chosen, uintptr_t pc) {
    const Thread &lead = first[__builtin_ctz(chosen)];
    for (int i = 0; i < count; ++i) {
        if (!(chosen >> i & 1)) continue;
        const Thread &lane = first[i];
        bool same = lane.state == lead.state && lane.depth == lead.depth;
        if (same && lane.state == State::at_access) same = lane.next.pc == lead.next.pc;
        if (same && (lane.state == State::at_barrier || lane.state == State::at_warp))
            same = lane.line == lead.line && lane.kind == lead.kind;
        if (!same) {
            ++paths[pc].split;
            return;
        }
    }
}

static std::string member(const char *name, uint64_t value) {
    return std::string("\"") + name + "\":" + std::to_string(value);
}

std::string counters_json() {
    std::string text = "\"barriers\":" + std::to_string(barriers) + ",\"instructions\":[";
    for (auto &[key, row] : rows) {
        if (text.back() == '}') text += ",";
        text += "{" + member("pc", key.first) + "," + member("kind", key.second) + "," +
                member("space", (int)row.space) + "," + member("which", row.which) + "," +
                member("line", row.line) + "," + member("size", row.size) + "," +
                member("requests", row.requests) + "," + member("lanes", row.lanes) + "," +
                member("sectors", row.sectors) + "," + member("wavefronts", row.wavefronts) + "," +
                member("ideal", row.ideal) + "," + member("repeats", row.repeats) + "}";
    }
    text += "],\"paths\":[";
    for (auto &[pc, path] : paths) {
        if (text.back() == '}') text += ",";
        text += "{" + member("pc", pc) + "," + member("times", path.times) + "," +
                member("lanes", path.lanes) + "," + member("split", path.split) + "}";
    }
    return text + "],\"trace\":[" + trace + "]";
}

}  // namespace course
