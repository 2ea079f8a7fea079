// A vector that does not fill what it grows by, for results that are written right after.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

namespace gl {

template <class T>
class Buffer {
 public:
  int64_t size() const { return size_; }
  T* data() { return items_.get(); }
  const T* data() const { return items_.get(); }
  T& operator[](int64_t i) { return items_[i]; }
  const T& operator[](int64_t i) const { return items_[i]; }

  void clear() { size_ = 0; }
  void shrink(int64_t size) { size_ = size; }
  // Room for `more` items, which are part of the buffer from now on; the caller writes them.
  T* grow(int64_t more) {
    if (size_ + more > capacity_) reallocate(std::max(size_ + more, 2 * capacity_));
    size_ += more;
    return items_.get() + size_ - more;
  }
  void push(T item) { *grow(1) = item; }
  // Gives memory back where there is more of it than `items`.
  void release(int64_t items) {
    if (capacity_ <= items) return;
    items_.reset();
    size_ = capacity_ = 0;
  }

 private:
  void reallocate(int64_t capacity) {
    std::unique_ptr<T[]> items(new T[capacity]);
    if (size_ > 0) std::memcpy(items.get(), items_.get(), size_ * sizeof(T));
    items_ = std::move(items);
    capacity_ = capacity;
  }

  std::unique_ptr<T[]> items_;
  int64_t size_ = 0, capacity_ = 0;
};

}  // namespace gl
