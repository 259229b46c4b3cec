// Shadow memory: who wrote and who read each cell last. A cell is a byte, or more while every access
// is aligned to it. Two accesses to one cell, one of them a write, are a race unless they are ordered.
#pragma once
#include <cstdlib>
#include <cstring>

#include "rt.h"

namespace course {

// Times are values of a clock that moves at barriers and atomics; threads count from 1 in the grid.
struct Cell {
    uint32_t writer, written;  // top bit of `written`: by an atomic function
    uint32_t reader, read;     // the last reader ...
    uint32_t other;            // ... and one before it, another thread
    uint32_t other_read;
};
const uint32_t ATOMIC = 1u << 31;

class Shadow {
  public:
    void start(size_t size, unsigned granule) {
        size_ = size;
        granule_ = granule;
        // calloc: pages that no access touches are never made.
        cells_ = (Cell *)calloc(count(), sizeof(Cell));
    }
    // The cells of an access; finer ones are made when it does not fit.
    Cell *cells(size_t offset, unsigned size, unsigned &count_out) {
        if (offset % granule_ || size % granule_) refine();
        count_out = size / granule_;
        return cells_ + offset / granule_;
    }
    unsigned granule() const { return granule_; }

  private:
    size_t count() const { return (size_ + granule_ - 1) / granule_; }
    void refine() {
        unsigned old = granule_;
        Cell *before = cells_;
        granule_ = 1;
        cells_ = (Cell *)calloc(count(), sizeof(Cell));
        for (size_t i = 0; i < size_; ++i) cells_[i] = before[i / old];
        free(before);
    }
    size_t size_ = 0;
    unsigned granule_ = 1;
    Cell *cells_ = nullptr;
};

}  // namespace course
