// The trees of all groups, as plain pointers.
#pragma once
#include "common.h"

namespace gl {

// Slots below `elements` are leaves, slot s of which is element leaves[s] and row src[s] of x; slot elements + j is
// combine j, row j of `made`. A row holds `batch` parts of d values, each with a tree of its own.
template <class T>
struct LcmTrees {
  const T* x;
  const T* made;
  const int64_t *src, *leaves, *left, *right;
  int64_t elements, batch, d;
};

// Where the value of a slot, or its gradient, lies.
template <class P>
GL_HD P* place_of_slot(P* x, P* made, const int64_t* leaves, int64_t elements, int64_t width, int64_t slot) {
  if (slot >= elements) return made + (slot - elements) * width;
  return x + (leaves ? leaves[slot] : slot) * width;
}

}  // namespace gl
