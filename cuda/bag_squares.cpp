// Checks of the tensors that describe bags as squares of pairs.
#include "bag_squares.h"

namespace gl {

BagTensors bag_tensors(const Tensor& node_ptr, const Tensor& pair, int64_t num_pairs) {
  check_index(node_ptr, "node_ptr", node_ptr);
  STD_TORCH_CHECK(node_ptr.scalar_type() == ScalarType::Long, "'node_ptr' must be int64");
  STD_TORCH_CHECK(node_ptr.numel() > 0, "'node_ptr' must have one entry more than there are bags, got none");
  BagTensors bags{dense(node_ptr), dense(pair), {0}, num_pairs};
  check_ptr(bags.node_ptr, "node_ptr", bags.places());
  const int64_t* ptr = data<int64_t>(bags.node_ptr);
  for (int64_t v = 0; v < bags.count(); ++v)
    bags.pair_ptr.push_back(bags.pair_ptr[v] + (ptr[v + 1] - ptr[v]) * (ptr[v + 1] - ptr[v]));
  check_index(pair, "pair", pair);
  STD_TORCH_CHECK(pair.numel() == bags.pair_ptr.back(),
                  "'pair' must have one entry for each two places of each bag of 'node_ptr', ", bags.pair_ptr.back(),
                  ", got ", pair.numel());
  check_range(pair, "pair", num_pairs);
  return bags;
}

}  // namespace gl
