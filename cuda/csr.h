// What one thread does to make CSR structures from sorted keys.
#pragma once
#include "pieces.h"

namespace gl {

// ptr[k] = how many keys are below k.
template <class I>
struct Boundaries {
  const I* sorted;
  int64_t count;
  I* ptr;

  GL_HD void operator()(int64_t k) const {
    int64_t low = 0, high = count;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (static_cast<int64_t>(sorted[middle]) < k) low = middle + 1;
      else high = middle;
    }
    ptr[k] = static_cast<I>(low);
  }
};

// The row and the user's place of the edge that stands at `at` in the transposed order.
template <class I>
struct Relabel {
  const int64_t* order;
  const I *rowptr, *perm;
  int64_t rows;
  I *row, *perm_t;

  GL_HD void operator()(int64_t at) const {
    const int64_t e = order[at];
    row[at] = static_cast<I>(row_at(rowptr, rows, e));
    perm_t[at] = perm ? perm[e] : static_cast<I>(e);
  }
};

}  // namespace gl
