// Included by habit: what it declares for kernels is in cuda_on_cpu.h.
#pragma once
