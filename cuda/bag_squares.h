// Bags of nodes as squares of pairs: what ops on them share.
#pragma once
#include "library.h"

namespace gl {

// The pairs of bag v are the square pair[pair_ptr[v]], ..., row by row; its nodes stand at the places ptr[v], ...
template <class I>
struct BagSquares {
  const int64_t *ptr, *pair_ptr;
  const I* pair;
  int64_t count, num_pairs;

  int64_t size(int64_t v) const { return ptr[v + 1] - ptr[v]; }
  int64_t entries(int64_t v) const { return pair_ptr[v + 1] - pair_ptr[v]; }
};

// Bags and channels that one thread works on: from the first on, before the second.
struct BagPiece {
  int64_t begin, end, first, last;
};

struct BagTensors {
  Tensor node_ptr, pair;
  std::vector<int64_t> pair_ptr;
  int64_t num_pairs;

  int64_t count() const { return node_ptr.numel() - 1; }
  int64_t places() const { return data<int64_t>(node_ptr)[count()]; }
  template <class I>
  BagSquares<I> plain() const {
    return {data<int64_t>(node_ptr), pair_ptr.data(), data<I>(pair), count(), num_pairs};
  }
};

// `num_pairs` is the number of rows that `pair` chooses from.
BagTensors bag_tensors(const Tensor& node_ptr, const Tensor& pair, int64_t num_pairs);

// Calls f(T{}, I{}) for the precision of `x`, which must be full, and the type of `pair`.
template <class F>
void by_full_type(const Tensor& x, const char* name, const Tensor& pair, F f) {
  STD_TORCH_CHECK(x.scalar_type() == ScalarType::Float || x.scalar_type() == ScalarType::Double, "'", name,
                  "' must be float32 or float64; convert it, or use the reference");
  by_type(x, name, pair, [&](auto value, auto index) {
    if constexpr (!std::is_same_v<decltype(value), bf16>) f(value, index);
  });
}

// Cuts the bags where no pair is on both sides, into about equally much work.
template <class I, class W>
std::vector<int64_t> cut_apart(const BagSquares<I>& bags, int64_t target, W work) {
  std::vector<int64_t> last_bag(bags.num_pairs), cut{0};
  for (int64_t v = 0; v < bags.count; ++v)
    for (int64_t e = bags.pair_ptr[v]; e < bags.pair_ptr[v + 1]; ++e) last_bag[bags.pair[e]] = v;
  int64_t reached = 0, done = 0;
  for (int64_t v = 0; v < bags.count; ++v) {
    for (int64_t e = bags.pair_ptr[v]; e < bags.pair_ptr[v + 1]; ++e)
      reached = std::max(reached, last_bag[bags.pair[e]]);
    done += work(v);
    if (reached > v || done < target) continue;
    cut.push_back(v + 1);
    done = 0;
  }
  if (cut.back() != bags.count) cut.push_back(bags.count);
  return cut;
}

// Pieces that write to different pairs or channels, so that each sum has one owner and one order. `work` is that of a
// bag and channel, `line` the number of channels in a line of the cache.
template <class I, class W>
std::vector<BagPiece> bag_pieces(const BagSquares<I>& bags, int64_t channels, int64_t line, W work) {
  int64_t total = 0;
  for (int64_t v = 0; v < bags.count; ++v) total += work(v);
  const int64_t threads = torch::stable::get_num_threads();
  if (threads <= 1 || total * channels < kSerial) return {{0, bags.count, 0, channels}};
  const std::vector<int64_t> cut = cut_apart(bags, total / (4 * threads), work);
  // Where there are too few, channels are shared out, too; but not those of one line.
  const int64_t lines = (channels + line - 1) / line;
  const int64_t slices = static_cast<int64_t>(cut.size()) > 2 * threads ? 1 : std::min(threads, lines);
  const int64_t width = (lines + slices - 1) / slices * line;
  std::vector<BagPiece> all;
  for (size_t i = 0; i + 1 < cut.size(); ++i)
    for (int64_t c = 0; c < channels; c += width) all.push_back({cut[i], cut[i + 1], c, std::min(c + width, channels)});
  return all;
}

// Runs f(piece) for each, on torch's threads.
template <class F>
void each_piece(const std::vector<BagPiece>& all, F f) {
  const auto work = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(all[i]);
  };
  if (all.size() > 1) torch::stable::parallel_for(0, all.size(), 1, work);
  else work(0, all.size());
}

}  // namespace gl
