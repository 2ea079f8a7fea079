// Which reductions a call of multi_reduce asks for: read by the CPU and the CUDA glue.
#pragma once
#include "library.h"
#include "multi_reduce.h"

namespace gl {

inline constexpr const char* kNames[] = {"sum", "mean", "var", "std", "min", "max"};

// The place of each aggregate of kNames among those asked for, -1 for those that are not.
struct Asked {
  int64_t at[6] = {-1, -1, -1, -1, -1, -1}, count = 0;

  bool has(int name) const { return at[name] >= 0; }
  bool sums() const { return has(0) || has(1) || curved(); }
  bool curved() const { return has(2) || has(3); }

  // Rows of `base` hold `count` aggregates of d columns each.
  template <class P>
  Aggregates<P> in(P* base, int64_t d) const {
    auto of = [&](int name) { return has(name) ? base + at[name] * d : nullptr; };
    return {of(0), of(1), of(2), of(3), of(4), of(5), count * d};
  }
};

inline Asked asked_of(const std::string& reduces) {
  Asked asked;
  for (size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = reduces.find(',', begin);
    const std::string name = reduces.substr(begin, end == std::string::npos ? end : end - begin);
    const auto known = std::find(std::begin(kNames), std::end(kNames), name);
    STD_TORCH_CHECK(known != std::end(kNames), "'reduces' must name 'sum', 'mean', 'var', 'std', 'min' or 'max', got '",
                    name, "'");
    int64_t& at = asked.at[known - std::begin(kNames)];
    STD_TORCH_CHECK(at < 0, "'reduces' must name each aggregate once, got '", name, "' again");
    at = asked.count++;
  }
  return asked;
}

inline ScalarType wide_type(const Tensor& x) {
  return x.scalar_type() == ScalarType::BFloat16 ? ScalarType::Float : x.scalar_type();
}

}  // namespace gl
