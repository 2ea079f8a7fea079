// Sequences of unequal length, longest first, as plain pointers.
#pragma once
#include "common.h"

namespace gl {

// The element at step t of sequence r is row gather[p] of x, and its state is row p, where p = position[begin[r] + t].
// A row holds `batch` parts, each with a state of its own; item i is part i % batch of sequence i / batch.
struct Sequences {
  const int64_t *gather, *position, *begin, *size;
  int64_t batch;

  GL_HD int64_t length(int64_t item) const { return size[item / batch]; }
  GL_HD int64_t place(int64_t item, int64_t step) const { return position[begin[item / batch] + step]; }
};

template <class T>
struct RecurrentTensors {
  const T *x, *initial, *initial_cell;
};

// The gradients that arrive from outside; null where none does.
template <class T>
struct RecurrentGradients {
  const T *out, *states, *cells;
  const int64_t* order;
};

// Sizes of the blocks into which the cell's weights, or their gradients, are laid out.
struct RecurrentSizes {
  int64_t gates, in, d, in_width, width;

  GL_HD int64_t packed() const { return gates * width * (in + d + in_width + width) + 4 * width; }
  GL_HD int64_t sums() const { return gates * width * (in_width + width) + 6 * width; }
};

}  // namespace gl
