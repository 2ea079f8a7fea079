// Picking k of a node's stored neighbours; what is written are offsets into its candidates, ascending.
// graphlab/ops/pick.py is the specification and gives the same bits.
#pragma once
#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "buffer.h"
#include "counter_rng.h"

namespace gl {

class Picker {
 public:
  // Without replacement, every subset of k < count equally likely: Floyd's method.
  template <class T>
  void uniform(Stream stream, int64_t count, int64_t k, T* out) {
    if (count <= 64) of_few(stream, count, k, out);
    else if (k <= kFew) few(stream, count, k, out);
    else many(stream, count, k, out);
  }

  template <class T>
  static void repeated(Stream stream, int64_t count, int64_t k, T* out) {
    for (int64_t i = 0; i < k; ++i) out[i] = static_cast<T>(stream.below(count));
    std::sort(out, out + k);
  }

  // The k candidates of largest value; of equal ones those stored first.
  template <class Value, class T>
  void largest(int64_t count, int64_t k, Value value, T* out) {
    ranked_.resize(count);
    for (int64_t i = 0; i < count; ++i) ranked_[i] = {value(i), i};
    std::nth_element(ranked_.begin(), ranked_.begin() + (k - 1), ranked_.end(), [](const Ranked& a, const Ranked& b) {
      return a.first > b.first || (a.first == b.first && a.second < b.second);
    });
    for (int64_t i = 0; i < k; ++i) out[i] = static_cast<T>(ranked_[i].second);
    std::sort(out, out + k);
  }

  // With replacement, in proportion to weights; false where they add up to infinity.
  template <class Weight, class T>
  GL_ROUND_EACH bool repeated_weighted(Stream stream, int64_t count, int64_t k, Weight weight, T* out) {
    sums_.resize(count);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sums_[i] = sum += weight(i);
    if (sum > std::numeric_limits<double>::max()) return false;
    for (int64_t i = 0; i < k; ++i) {
      const double u = gl::uniform(stream.at(i)) * sum;
      const int64_t offset = std::upper_bound(sums_.begin(), sums_.end(), u) - sums_.begin();
      out[i] = static_cast<T>(std::min(offset, count - 1));
    }
    std::sort(out, out + k);
    return true;
  }

  void release(int64_t items) {
    release_vector(taken_, items);
    release_vector(ranked_, items);
    release_vector(sums_, items);
  }

 private:
  using Ranked = std::pair<double, int64_t>;

  // Most nodes have few neighbours: each has a bit of one word.
  template <class T>
  static void of_few(Stream stream, int64_t count, int64_t k, T* out) {
    uint64_t taken = 0;
    for (int64_t j = count - k; j < count; ++j) {
      const int64_t t = stream.below(j + 1);
      taken |= uint64_t{1} << ((taken >> t) & 1 ? j : t);
    }
    for (; taken != 0; taken &= taken - 1) *out++ = static_cast<T>(__builtin_ctzll(taken));
  }

  // Up to so many picks are kept in order as they come; of more, each has a bit.
  static constexpr int64_t kFew = 32;

  template <class T>
  static void few(Stream stream, int64_t count, int64_t k, T* out) {
    for (int64_t i = 0; i < k; ++i) {
      const int64_t j = count - k + i;
      const T t = static_cast<T>(stream.below(j + 1));
      int64_t place = i;
      while (place > 0 && out[place - 1] > t) --place;
      if (place > 0 && out[place - 1] == t) {
        out[i] = static_cast<T>(j);  // larger than all before
        continue;
      }
      for (int64_t moved = i; moved > place; --moved) out[moved] = out[moved - 1];
      out[place] = t;
    }
  }

  template <class T>
  void many(Stream stream, int64_t count, int64_t k, T* out) {
    taken_.assign(count / 64 + 1, 0);
    auto take = [&](int64_t i) {
      const uint64_t bit = uint64_t{1} << (i & 63);
      const bool is_new = !(taken_[i >> 6] & bit);
      taken_[i >> 6] |= bit;
      return is_new;
    };
    for (int64_t j = count - k; j < count; ++j)
      if (!take(stream.below(j + 1))) take(j);
    for (int64_t word = 0; word < static_cast<int64_t>(taken_.size()); ++word)
      for (uint64_t left = taken_[word]; left != 0; left &= left - 1)
        *out++ = static_cast<T>(word * 64 + __builtin_ctzll(left));
  }

  std::vector<uint64_t> taken_;
  std::vector<Ranked> ranked_;
  std::vector<double> sums_;
};

}  // namespace gl
