// The nodes that a batch holds, in the order they came, and the place of each: scratch in proportion to the batch.
#pragma once
#include <limits>
#include <vector>

#include "buffer.h"
#include "counter_rng.h"
#include "library.h"

namespace gl {

// Nodes of disjoint trees are pairs (tree, id); else all are of tree 0, and trees are not kept.
template <class I>
class NodeList {
 public:
  void start(bool disjoint) {
    disjoint_ = disjoint;
    ids_.clear();
    trees_.clear();
    // Batches resemble each other: as many slots as the last one needed.
    resize_table(3 * used_);
    used_ = 0;
  }

  int64_t size() const { return ids_.size(); }
  I id(int64_t place) const { return ids_[place]; }
  int64_t tree(int64_t place) const { return disjoint_ ? static_cast<int64_t>(trees_[place]) : 0; }
  const Buffer<I>& ids() const { return ids_; }
  const Buffer<I>& trees() const { return trees_; }

  // Appends a node even where there is an equal one; that one will be found.
  void append(int64_t tree, I id) {
    const int64_t slot = slot_of(tree, id);
    if (table_[slot] == 0) enter(slot, tree, id);
    push(tree, id);
  }
  // The node's place, where it is appended if it is new.
  int64_t add(int64_t tree, I id) {
    const int64_t slot = slot_of(tree, id);
    if (table_[slot] != 0) return place_in(slot);
    enter(slot, tree, id);
    push(tree, id);
    return size() - 1;
  }
  // The node's place, or -1.
  int64_t find(int64_t tree, I id) const {
    const int64_t slot = slot_of(tree, id);
    return table_[slot] == 0 ? -1 : place_in(slot);
  }
  void prefetch(int64_t tree, I id) const { __builtin_prefetch(&table_[hash_of(tree, id) & mask_]); }

  void release(int64_t items) {
    ids_.release(items);
    trees_.release(items);
    if (used_ <= items) return;
    release_vector(table_, items);
    release_vector(spare_, items);
    used_ = 0;
  }

 private:
  static constexpr uint64_t kPlace = 0xFFFFFFFF;

  // A slot holds the upper half of the hash and, counted from 1, the place; an empty one is 0.
  static uint64_t hash_of(int64_t tree, I id) {
    return mix(static_cast<uint64_t>(id) ^ (static_cast<uint64_t>(tree) * 0x9E3779B97F4A7C15));
  }
  int64_t place_in(int64_t slot) const { return static_cast<int64_t>(table_[slot] & kPlace) - 1; }
  bool is_at(int64_t place, int64_t tree, I id) const { return ids_[place] == id && this->tree(place) == tree; }

  // Where the node is, or would come.
  int64_t slot_of(int64_t tree, I id) const {
    const uint64_t hash = hash_of(tree, id);
    uint64_t slot = hash & mask_;
    while (table_[slot] != 0 && ((table_[slot] ^ hash) > kPlace || !is_at(place_in(slot), tree, id)))
      slot = (slot + 1) & mask_;
    return static_cast<int64_t>(slot);
  }

  // The slot is free; the node comes at the end of the list.
  void enter(int64_t slot, int64_t tree, I id) {
    STD_TORCH_CHECK(size() < static_cast<int64_t>(kPlace) - 1 && size() < std::numeric_limits<I>::max(),
                    "'seed' and 'num_neighbors' ask for a batch of too many nodes; take fewer");
    table_[slot] = (hash_of(tree, id) & ~kPlace) | static_cast<uint64_t>(size() + 1);
    if (2 * ++used_ > static_cast<int64_t>(table_.size())) grow_after_ = true;
  }

  void push(int64_t tree, I id) {
    ids_.push(id);
    if (disjoint_) trees_.push(static_cast<I>(tree));
    if (grow_after_) rebuild();
  }

  void resize_table(int64_t least) {
    uint64_t slots = 1024;
    while (slots < static_cast<uint64_t>(least)) slots *= 2;
    table_.assign(slots, 0);
    mask_ = slots - 1;
    grow_after_ = false;
  }

  void rebuild() {
    table_.swap(spare_);
    resize_table(static_cast<int64_t>(4 * spare_.size()));
    for (const uint64_t entry : spare_) {
      if (entry == 0) continue;
      const int64_t place = static_cast<int64_t>(entry & kPlace) - 1;
      uint64_t slot = hash_of(tree(place), ids_[place]) & mask_;
      while (table_[slot] != 0) slot = (slot + 1) & mask_;
      table_[slot] = entry;
    }
  }

  Buffer<I> ids_, trees_;
  std::vector<uint64_t> table_, spare_;
  uint64_t mask_ = 0;
  int64_t used_ = 0;
  bool disjoint_ = false, grow_after_ = false;
};

}  // namespace gl
