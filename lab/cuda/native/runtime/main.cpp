// Reads launch.txt and memory.bin in the working folder, runs one kernel, writes result.json.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "rt.h"

namespace course {
Kernel *kernels;
Symbol *symbols;
}  // namespace course
using namespace course;

static const size_t GAP = 16 << 20;  // nothing is mapped there: what a kernel reads beyond a buffer
static const size_t PAGE = 4096;
static const char FILLER = (char)0xa5;

struct Argument {
    int buffer = -1;  // of an array
    long long offset = 0;
    char kind = 0;
    unsigned size = 0;
    std::string bytes;
};

static std::string unhex(const std::string &text) {
    std::string bytes;
    for (size_t i = 0; i + 1 < text.size(); i += 2)
        bytes += (char)strtol(text.substr(i, 2).c_str(), nullptr, 16);
    return bytes;
}

static size_t padded(size_t size) { return (size + PAGE - 1) / PAGE * PAGE + (size ? 0 : PAGE); }

static void map_buffer(Buffer &buffer, int file, long long offset) {
    size_t body = padded(buffer.size);
    char *room = (char *)mmap(nullptr, body + 2 * GAP, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *base = room == MAP_FAILED ? room
                                    : mmap(room + GAP, body, PROT_READ | PROT_WRITE,
                                           MAP_SHARED | MAP_FIXED, file, offset);
    if (base == MAP_FAILED) {
        perror("memory.bin cannot be mapped");
        _exit(4);
    }
    buffer.base = (char *)base;
    memset(buffer.base + buffer.size, FILLER, body - buffer.size);
}

// Without watching, a write just past the end is seen afterwards.
static void look_behind(const Buffer &buffer) {
    for (size_t i = buffer.size; i < padded(buffer.size); ++i)
        if (buffer.base[i] != FILLER) {
            Finding finding = here("overrun", nullptr, nullptr);
            finding.more = place_json((uintptr_t)buffer.base + i);
            stop(finding);
        }
}

static std::string parameter_json(const Parameter &p) {
    char text[400];
    snprintf(text, sizeof text,
             "{\"pointer\":%s,\"kind\":\"%c\",\"size\":%u,\"element\":%u,\"type\":\"%s\"}",
             p.pointer ? "true" : "false", p.kind, p.size, p.element, p.type);
    return text;
}

[[noreturn]] static void refuse(int argument) {
    std::string list;
    for (int i = 0; i < launch.kernel->count; ++i)
        list += (i ? "," : "") + parameter_json(launch.kernel->parameters[i]);
    Finding finding = here("argument", nullptr, nullptr);
    finding.more = "\"argument\":" + std::to_string(argument) + ",\"parameters\":[" + list + "]";
    stop(finding);
}

// kind and size of a scalar, or of an array's elements, against the parameter.
static bool fits(const Parameter &p, const Argument &a) {
    bool array = a.buffer >= 0 || a.kind == 'n';
    if (array != p.pointer) return false;
    if (a.kind == 'n' || p.kind == 'v') return true;
    if (p.kind == 'o') return p.pointer || a.size == p.size;
    auto integer = [](char k) { return k == 'i' || k == 'u' || k == 'b'; };
    if (!p.pointer) return a.size == p.size && (a.kind == p.kind);
    if (integer(a.kind) && integer(p.kind)) return a.size <= p.element;
    return a.kind == p.kind && a.size == p.size;
}

static void bind(std::vector<Argument> &given) {
    Kernel &kernel = *launch.kernel;
    if ((int)given.size() != kernel.count) refuse(-1);
    for (int i = 0; i < kernel.count; ++i) {
        if (!fits(kernel.parameters[i], given[i])) refuse(i);
        char *slot = (char *)calloc(1, kernel.parameters[i].size + 16);
        if (given[i].buffer >= 0) {
            char *pointer = launch.buffers[given[i].buffer].base + given[i].offset;
            memcpy(slot, &pointer, sizeof pointer);
        } else if (given[i].kind != 'n') {
            memcpy(slot, given[i].bytes.data(), given[i].bytes.size());
        }
        launch.arguments.push_back(slot);
    }
}

static void limit(int kind, rlim_t soft, rlim_t hard) {
    struct rlimit now;
    getrlimit(kind, &now);
    if (hard > now.rlim_max) hard = now.rlim_max;
    if (soft > hard) soft = hard;
    now = {soft, hard};
    setrlimit(kind, &now);
}

int main() {
    std::ifstream in("launch.txt");
    std::string line, word, text;
    std::vector<Argument> given;
    int file = open("memory.bin", O_RDWR);
    while (std::getline(in, line)) {
        std::istringstream row(line);
        row >> word;
        if (word == "kernel") {
            text = line.substr(7);
            for (Kernel *k = kernels; k; k = k->next)
                if (text == k->name) launch.kernel = k;
            if (!launch.kernel) stop(here("unknown", nullptr, nullptr));
        } else if (word == "grid") {
            row >> launch.grid.x >> launch.grid.y >> launch.grid.z;
        } else if (word == "block") {
            row >> launch.block.x >> launch.block.y >> launch.block.z;
            launch.threads = launch.block.x * launch.block.y * launch.block.z;
        } else if (word == "limit") {
            rlim_t cpu_s, memory_mb;
            row >> cpu_s >> memory_mb;
            limit(RLIMIT_CPU, cpu_s, cpu_s + 2);
            limit(RLIMIT_AS, memory_mb << 20, memory_mb << 20);
            limit(RLIMIT_CORE, 0, 0);
        } else if (word == "shared") {
            row >> launch.shared;
        } else if (word == "watch") {
            row >> launch.watch;
        } else if (word == "buffer") {
            Buffer buffer;
            long long offset;
            row >> offset >> buffer.size >> buffer.item;
            map_buffer(buffer, file, offset);
            launch.buffers.push_back(buffer);
        } else if (word == "array") {
            Argument a;
            row >> a.buffer >> a.offset >> a.kind >> a.size;
            given.push_back(a);
        } else if (word == "scalar") {
            Argument a;
            row >> a.kind >> text;
            a.bytes = unhex(text);
            a.size = a.bytes.size();
            given.push_back(a);
        } else if (word == "null") {
            given.emplace_back();
            given.back().kind = 'n';
        } else if (word == "guard") {
            size_t start, size;
            row >> start >> size;
            launch.guards.push_back({start, size});
        } else if (word == "gap") {
            size_t start, size;
            row >> start >> size;
            launch.gaps.push_back({start, size});
        } else if (word == "symbol") {
            row >> word >> text;
            std::string bytes = unhex(text);
            for (Symbol *s = symbols; s; s = s->next)
                if (word == s->name && bytes.size() == s->size)
                    memcpy(s->address, bytes.data(), bytes.size());
        }
    }
    catch_faults();
    bind(given);
    run_grid();
    for (auto &buffer : launch.buffers) look_behind(buffer);
    finish("ok");
}
