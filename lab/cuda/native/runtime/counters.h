// What is counted for each instruction of a warp.
#pragma once
#include "rt.h"

namespace course {

void count_step(Thread *first, int count, unsigned chosen);
// After a branch: the lanes stand at one place or at several.
void count_paths(Thread *first, int count, unsigned chosen, uintptr_t pc);
void count_barrier();

}  // namespace course
