// Signals become findings: a page that is not there, a division by zero, the end of the CPU time.
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstdlib>

#include "rt.h"

namespace course {

// The buffer nearest to an address, and the distance from its start in bytes.
std::string place_json(uintptr_t address) {
    int best = -1;
    uintptr_t least = 64 << 20;
    for (size_t i = 0; i < launch.buffers.size(); ++i) {
        const Buffer &b = launch.buffers[i];
        uintptr_t start = (uintptr_t)b.base, stop = start + b.size;
        uintptr_t away = address < start ? start - address : address >= stop ? address - stop : 0;
        if (away < least) {
            least = away;
            best = (int)i;
        }
    }
    for (size_t i = 0; i < launch.buffers.size() && best < 0; ++i) {
        // A 32-bit unsigned index that went below zero: 2**32 elements too far.
        uintptr_t wrapped = (uintptr_t)launch.buffers[i].item << 32;
        long long offset = (long long)(address - (uintptr_t)launch.buffers[i].base - wrapped);
        if (offset < 0 && -offset < 64 << 20)
            return "\"address\":" + std::to_string(address) + ",\"wrapped\":1,\"buffer\":" +
                   std::to_string(i) + ",\"offset\":" + std::to_string(offset);
    }
    std::string text = "\"address\":" + std::to_string(address);
    if (best >= 0)
        text += ",\"buffer\":" + std::to_string(best) + ",\"offset\":" +
                std::to_string((long long)(address - (uintptr_t)launch.buffers[best].base));
    return text;
}

static void caught(int number, siginfo_t *info, void *context) {
    uintptr_t pc = 0;
#if defined(__x86_64__)
    pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] + 1;
#elif defined(__aarch64__)
    pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.pc + 1;
#endif
    const char *kind = number == SIGXCPU ? "endless" : number == SIGFPE ? "division"
                       : number == SIGSEGV || number == SIGBUS ? "outside" : "crash";
    Thread *thread = current;
    Finding finding = here(kind, thread, nullptr);
    finding.pc = pc;
    if (number == SIGXCPU && launch.watch) {
        // Between two accesses of some thread: the last one that it made.
        finding.pc = thread ? thread->next.pc : threads.empty() ? 0 : threads[0].next.pc;
    }
    if (number == SIGSEGV || number == SIGBUS) {
        uintptr_t address = (uintptr_t)info->si_addr;
        if (info->si_code == SI_KERNEL) finding.kind = "misaligned";
        else if (among_stacks(address)) finding.kind = "stack";
        else finding.more = place_json(address);
    }
    finding.more += (finding.more.empty() ? "" : ",") + std::string("\"signal\":") +
                    std::to_string(number);
    stop(finding);
}

void catch_faults() {
    stack_t stack{};
    stack.ss_size = 128 * 1024;
    stack.ss_sp = malloc(stack.ss_size);
    sigaltstack(&stack, nullptr);
    struct sigaction action{};
    action.sa_sigaction = caught;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
    for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU})
        sigaction(number, &action, nullptr);
}

}  // namespace course
