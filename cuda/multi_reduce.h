// Where several reductions of the same rows stand side by side; plain structures for host and device.
#pragma once
#include "common.h"

namespace gl {

// The aggregates of row i begin at i * stride; null for what was not asked. P is T, or const T to read.
template <class P>
struct Aggregates {
  P *sum, *mean, *var, *std, *min, *max;
  int64_t stride;
};

// What the backward pass needs besides: the mean in the precision of sums, and the edge that each extreme came from,
// counted inside its row.
template <class T>
struct MultiSaved {
  acc_t<T>* mean;
  int32_t *argmin, *argmax;
};

// A deviation of this or less counts as none, and has no gradient: its slope would grow without bound.
constexpr double kLeastStd = 0.0031622776601683795;  // sqrt(1e-5)

}  // namespace gl
