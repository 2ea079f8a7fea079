// Results whose memory the system may refuse, since the arguments ask for too much.
#pragma once
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "library.h"

namespace gl {

// A new tensor, uninitialised; where there is no memory for it, `message` says so.
inline Tensor make_or_tell(const Tensor& like, std::vector<int64_t> sizes, ScalarType dtype, const std::string& message) {
  std::optional<Tensor> made;
  try {
    made = make(like, std::move(sizes), dtype);
  } catch (const std::exception&) {
    // Its own words name no argument.
  }
  STD_TORCH_CHECK(made, message);
  return *made;
}

}  // namespace gl
