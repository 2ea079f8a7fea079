// What every .cu file shares. The same source makes two libraries: nvcc compiles it for GPUs, and a C++ compiler with
// -DGL_EMULATE for the host, where a loop over thread numbers takes the place of a launch. So the arithmetic and the
// index logic of the kernels are tested without a GPU.
#pragma once
#include "edge_tensors.h"
#include "fold.h"
#include "library.h"
#include "tile.h"

#ifndef GL_EMULATE
#include <cuda_runtime.h>
#include <torch/csrc/stable/accelerator.h>
#define GL_DEVICE_OPS(m) STABLE_TORCH_LIBRARY_IMPL(graphlab, CUDA, m)
#else
#define GL_DEVICE_OPS(m) STABLE_TORCH_LIBRARY_IMPL(graphlab_emulated, CPU, m)
#endif

namespace gl {

// Every tensor of one call lives where the first does.
void check_device(const Tensor& t, const char* name, const Tensor& like);
// Shape, type, device: what can be known without waiting for the device. Kernels themselves keep inside their arrays.
void check_values(const Tensor& t, const char* name, const Tensor& like);

constexpr int kBlock = 256;

#ifndef GL_EMULATE

// Makes the device of a tensor the current one, and holds the stream that work on it goes to.
class Queue {
 public:
  explicit Queue(const Tensor& t);
  cudaStream_t stream() const { return stream_; }

 private:
  torch::stable::accelerator::DeviceGuard guard_;
  cudaStream_t stream_;
};

void check_launch();

// Two blocks at a time on a multiprocessor are enough to hide latency; with that said, no register is spilled.
#define GL_KERNEL __global__ void __launch_bounds__(kBlock, 2)

template <class Body>
GL_KERNEL run_body(Body body, int64_t threads) {
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * kBlock + threadIdx.x;
  if (thread < threads) body(thread);
}

template <class Body>
GL_KERNEL run_tiles(Body body, int64_t tiles) {
  const int64_t tile = static_cast<int64_t>(blockIdx.x) * (kBlock / kTile) + threadIdx.x / kTile;
  if (tile < tiles) body(tile);
}

inline unsigned blocks_for(int64_t threads) {
  const int64_t blocks = (threads + kBlock - 1) / kBlock;
  STD_TORCH_CHECK(blocks <= 0x7fffffff, "too much work for one launch: ", threads, " threads");
  return static_cast<unsigned>(blocks);
}

// Runs body(thread) for all threads in [0, threads), in no order.
template <class Body>
void launch(const Queue& queue, int64_t threads, const Body& body) {
  if (threads <= 0) return;
  run_body<<<blocks_for(threads), kBlock, 0, queue.stream()>>>(body, threads);
  check_launch();
}

// Runs body(tile) with kTile lanes for each tile in [0, tiles); see tile.h.
template <class Body>
void launch_tiles(const Queue& queue, int64_t tiles, const Body& body) {
  if (tiles <= 0) return;
  run_tiles<<<blocks_for(tiles * kTile), kBlock, 0, queue.stream()>>>(body, tiles);
  check_launch();
}

#else

class Queue {
 public:
  explicit Queue(const Tensor&) {}
};

// Backwards: a body that relied on the order of threads would be found out.
template <class Body>
void launch(const Queue&, int64_t threads, const Body& body) {
  for (int64_t t = threads - 1; t >= 0; --t) body(t);
}

template <class Body>
void launch_tiles(const Queue& queue, int64_t tiles, const Body& body) {
  launch(queue, tiles, body);
}

#endif

// Folds all rows; `like` says on which device.
template <class Op>
void fold_rows(const Queue& queue, const Tensor& like, const Op& op) {
  using State = typename Op::State;
  const int64_t room = op.pieces.slots() * op.pieces.lanes * Op::kWidth * sizeof(State);
  Tensor partial = make(like, {room}, ScalarType::Byte);
  State* states = reinterpret_cast<State*>(mutable_data<uint8_t>(partial));
  launch(queue, op.pieces.threads(), FoldPieces<Op>{op, states});
  launch(queue, op.pieces.combining_threads(), MergePieces<Op>{op, states});
}

// Whether rows of d values of this size may be read 16 bytes at a time at all these addresses (32 for what goes along
// with bfloat16 in 32 bits).
template <class... Tensors>
bool in_packs(int64_t d, int64_t bytes, const Tensors&... tensors) {
  const bool starts = (... && (reinterpret_cast<uintptr_t>(tensors.const_data_ptr()) % 32 == 0));
  return starts && d * bytes % 16 == 0;
}

// Calls f(std::integral_constant<int, W>{}): W values of type T fill 16 bytes, or W is 1.
template <class T, class F>
void by_width(bool packs, F f) {
  if (packs) f(std::integral_constant<int, 16 / sizeof(T)>{});
  else f(std::integral_constant<int, 1>{});
}

}  // namespace gl
