// Inputs that are read while the output is written.
#pragma once
#include "library.h"

namespace gl {

inline void check_apart(const Tensor& t, const char* name, const Tensor& out) {
  const uint8_t *begin = data<uint8_t>(t), *first = data<uint8_t>(out);
  STD_TORCH_CHECK(begin + t.numel() * t.element_size() <= first || first + out.numel() * out.element_size() <= begin,
                  "'out' must not share memory with '", name, "'; give it a buffer of its own");
}

}  // namespace gl
