// Transposing on the device, for ops that need their edges the other way round.
#pragma once
#include "device.h"

namespace gl {

struct Transposed {
  Tensor ptr, index, perm;
};

// The edges by column; `perm` points to where the user keeps each edge, or to its position where the argument is empty.
Transposed transposed(const Queue& queue, const Tensor& rowptr, const Tensor& col, const std::optional<Tensor>& perm,
                      int64_t size);

}  // namespace gl
