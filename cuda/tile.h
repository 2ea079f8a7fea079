// A tile: kTile neighbouring threads that work on one thing in step and add up what they hold. On the host one thread
// plays all lanes, one after the other between two sums, so that both follow the same source.
#pragma once
#include "common.h"

namespace gl {

constexpr int kTile = 8;

// A value of each lane's own.
template <class V>
struct PerLane {
#ifdef __CUDA_ARCH__
  V value;
  GL_HD V& operator[](int) { return value; }
#else
  V value[kTile];
  GL_HD V& operator[](int lane) { return value[lane]; }
#endif
};

// Runs f(lane) on every lane.
template <class F>
GL_HD void each_lane(F f) {
#ifdef __CUDA_ARCH__
  f(static_cast<int>(threadIdx.x % kTile));
#else
  for (int lane = 0; lane < kTile; ++lane) f(lane);
#endif
}

// The sum over lanes, the same bits on each: partners add the same two numbers at every step.
template <class V>
GL_HD V sum_lanes(PerLane<V>& v) {
#ifdef __CUDA_ARCH__
  const unsigned lanes = ((1u << kTile) - 1) << (threadIdx.x % 32 / kTile * kTile);
  V sum = v.value;
#pragma unroll
  for (int step = kTile / 2; step > 0; step /= 2) sum += __shfl_xor_sync(lanes, sum, step, kTile);
  return sum;
#else
  V held[kTile];
  for (int lane = 0; lane < kTile; ++lane) held[lane] = v.value[lane];
  for (int step = kTile / 2; step > 0; step /= 2)
    for (int lane = 0; lane < step; ++lane) held[lane] += held[lane + step];
  return held[0];
#endif
}

}  // namespace gl
