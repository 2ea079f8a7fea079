// The edges of a graph, sorted by the row that they enter; one plain structure for host and device.
#pragma once
#include "common.h"

namespace gl {

// Row i holds the positions ptr[i] to ptr[i + 1]; the edge at position e comes from index[e] and weighs
// weight[perm[e]]. Without perm positions are those of the weights; without weight each edge weighs 1.
template <class T, class I>
struct Edges {
  const I* ptr;
  const I* index;
  const I* perm;
  const T* weight;
  int64_t count;
};

// Where the user keeps what belongs to the edge at position e.
template <class T, class I>
GL_HD int64_t place_of(const Edges<T, I>& edges, int64_t e) {
  return edges.perm ? static_cast<int64_t>(edges.perm[e]) : e;
}

template <class T, class I>
GL_HD acc_t<T> weight_of(const Edges<T, I>& edges, int64_t e) {
  return edges.weight ? load(edges.weight + place_of(edges, e)) : acc_t<T>(1);
}

}  // namespace gl
