// What a kernel's source includes as <assert.h>: `assert` is there already, and reports its line.
