// Fibers: a stack for each CUDA thread, and a switch between them that keeps what a call must keep.
#pragma once
#include <cstdint>

typedef void (*course_entry)();

#if defined(__x86_64__) && !defined(COURSE_UCONTEXT)
// System V ABI: rbx, rbp, r12-r15 belong to the caller.
__asm__(R"(
.text
.globl course_switch
.type course_switch, @function
course_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size course_switch, .-course_switch
)");
extern "C" void course_switch(void **save, void *to);
static inline void *course_prepare(char *, char *top, course_entry entry) {
    void **sp = (void **)((uintptr_t)top & ~(uintptr_t)15);
    *--sp = nullptr;  // where a return address would be: keeps the alignment of a call
    *--sp = (void *)entry;
    return sp - 6;
}
#elif defined(__aarch64__) && !defined(COURSE_UCONTEXT)
// AAPCS64: x19-x30 and the low halves of v8-v15 belong to the caller.
__asm__(R"(
.text
.globl course_switch
course_switch:
    sub sp, sp, #176
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #176
    ret
)");
extern "C" void course_switch(void **save, void *to);
static inline void *course_prepare(char *, char *top, course_entry entry) {
    char *sp = (char *)((uintptr_t)top & ~(uintptr_t)15) - 176;
    *(void **)(sp + 88) = (void *)entry;  // x30: where `ret` goes
    return sp;
}
#else
// Any other machine: ucontext(3), slower, because it asks the kernel for the signal mask.
#include <ucontext.h>
static inline void course_switch(void **save, void *to) {
    ucontext_t here;
    *save = &here;
    swapcontext(&here, (ucontext_t *)to);
}
static inline void *course_prepare(char *bottom, char *top, course_entry entry) {
    // The context lies above the stack that it describes.
    uintptr_t at = ((uintptr_t)top - sizeof(ucontext_t)) & ~(uintptr_t)63;
    ucontext_t *context = (ucontext_t *)at;
    getcontext(context);
    context->uc_stack.ss_sp = bottom;
    context->uc_stack.ss_size = at - (uintptr_t)bottom;
    context->uc_link = nullptr;
    makecontext(context, entry, 0);
    return context;
}
#endif
