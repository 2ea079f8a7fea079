// A vector that does not fill what it grows by, for results that are written right after.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "library.h"

namespace gl {

// Of what a large call needed, a thread, which lives on, keeps so many items of each kind.
constexpr int64_t kKept = int64_t{1} << 20;

// Releases scratch at the end of a call, also where that fails.
template <class T>
struct Releasing {
  T& scratch;
  ~Releasing() { scratch.release(kKept); }
};

// Gives the memory back where it is room for more than `items`; clear() and `= {}` would keep it.
template <class T>
void release_vector(std::vector<T>& v, int64_t items) {
  if (static_cast<int64_t>(v.capacity()) > items) std::vector<T>().swap(v);
}

template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  int64_t size() const { return size_; }
  T* data() { return items_.get(); }
  const T* data() const { return items_.get(); }
  T& operator[](int64_t i) { return items_[i]; }
  const T& operator[](int64_t i) const { return items_[i]; }

  void clear() { size_ = 0; }
  // Room for `more` items, which are part of the buffer from now on; the caller writes them.
  T* grow(int64_t more) {
    if (size_ + more > capacity_) reserve(std::max(size_ + more, 2 * capacity_));
    size_ += more;
    return items_.get() + size_ - more;
  }
  void push(T item) { *grow(1) = item; }
  void append(const Buffer& other) {
    T* out = grow(other.size_);
    if (other.size_ > 0) std::memcpy(out, other.data(), other.size_ * sizeof(T));
  }
  void reserve(int64_t capacity) {
    if (capacity <= capacity_) return;
    std::unique_ptr<T[], Free> items(static_cast<T*>(std::malloc(capacity * sizeof(T))));
    if (!items) throw std::bad_alloc();
    on_huge_pages(items.get(), capacity * sizeof(T));
    if (size_ > 0) std::memcpy(items.get(), items_.get(), size_ * sizeof(T));
    items_ = std::move(items);
    capacity_ = capacity;
  }
  // Gives the memory back where it is room for more than `items`.
  void release(int64_t items) {
    if (capacity_ <= items) return;
    items_.reset();
    size_ = capacity_ = 0;
  }

 private:
  struct Free {
    void operator()(T* items) const { std::free(items); }
  };

  std::unique_ptr<T[], Free> items_;
  int64_t size_ = 0, capacity_ = 0;
};

}  // namespace gl
