// Where an address lies, and what is wrong with an access.
#pragma once
#include "rt.h"
#include "shadow.h"

namespace course {

enum class Space : uint8_t { local, global, shared, constant, module, nowhere };
struct Where {
    Space space = Space::nowhere;
    int which = 0;        // the buffer; 0 static, 1 dynamic shared memory; the variable, from 1
    size_t offset = 0;    // bytes from its start; of shared memory: from its lowest address
};

// A write that races with a write: no error where it leaves the bytes as they were.
struct Doubt {
    uintptr_t address = 0;
    unsigned size = 0;
    char before[16];
    Finding finding;
    void settle();
};

void spaces_start();
Where where(uintptr_t address, const Thread &thread);
// Ends the kernel on an access that cannot be; notes races and uninitialised reads.
void look(Thread &thread, Doubt &doubt);
// Shared memory's static part (thread-local storage of the program).
struct Range { uintptr_t start, end; };
Range static_shared();

}  // namespace course
