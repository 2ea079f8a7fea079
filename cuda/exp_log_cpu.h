// exp and log in plain arithmetic, so that loops over them run on vectors. Included once per instruction set; no guard.

template <class A>
struct ExpLog;
template <>
struct ExpLog<float> {
  using Bits = int32_t;
  static constexpr int kShift = 23;
  static constexpr Bits kOne = 0x3f800000, kHalfRoot = 0x3f3504f3;
  static constexpr float kRound = 12582912.0f, kLow = -87.33f, kHigh = 88.37f;
  static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
};
template <>
struct ExpLog<double> {
  using Bits = int64_t;
  static constexpr int kShift = 52;
  static constexpr Bits kOne = 0x3ff0000000000000, kHalfRoot = 0x3fe6a09e667f3bcd;
  static constexpr double kRound = 6755399441055744.0, kLow = -708.39, kHigh = 709.43;
  static constexpr double kLn2High = 6.93145751953125e-1, kLn2Low = 1.42860682030941723212e-6;
};

template <class To, class From>
GL_INLINE To as_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

// Within 2 units in the last place; 0 below the smallest normal number; nan stays nan.
template <class A>
GL_INLINE A exp_of(A x) {
  using C = ExpLog<A>;
  using Bits = typename C::Bits;
  A held = x < C::kLow ? C::kLow : x;
  held = held > C::kHigh ? C::kHigh : held;
  // Adding this constant rounds to an integer, which then stands in the lowest bits.
  const A rounded = held * A(1.4426950408889634) + C::kRound;
  const A n = rounded - C::kRound;
  const A r = (held - n * C::kLn2High) - n * C::kLn2Low;
  A p;
  if constexpr (sizeof(A) == 8) {
    p = A(1.0 / 6227020800.0);
    p = p * r + A(1.0 / 479001600.0);
    p = p * r + A(1.0 / 39916800.0);
    p = p * r + A(1.0 / 3628800.0);
    p = p * r + A(1.0 / 362880.0);
    p = p * r + A(1.0 / 40320.0);
    p = p * r + A(1.0 / 5040.0);
  } else {
    p = A(1.0 / 5040.0);
  }
  p = p * r + A(1.0 / 720.0);
  p = p * r + A(1.0 / 120.0);
  p = p * r + A(1.0 / 24.0);
  p = p * r + A(1.0 / 6.0);
  p = p * r + A(0.5);
  p = p * r + A(1);
  p = p * r + A(1);
  using Unsigned = std::make_unsigned_t<Bits>;
  const Unsigned power = (as_bits<Unsigned>(rounded) << C::kShift) + static_cast<Unsigned>(C::kOne);
  const A y = p * as_bits<A>(power);
  return x < C::kLow ? A(0) : x > C::kHigh ? std::numeric_limits<A>::infinity() : y;
}

// For normal numbers above 0; nan stays nan.
template <class A>
GL_INLINE A log_of(A x) {
  using C = ExpLog<A>;
  using Bits = typename C::Bits;
  // x = 2^n m with m between the roots of 1/2 and of 2.
  const Bits from_root = as_bits<Bits>(x) - C::kHalfRoot;
  const Bits n = from_root >> C::kShift;
  const Bits fraction = from_root & ((Bits(1) << C::kShift) - 1);
  const A m = as_bits<A>(static_cast<Bits>(fraction + C::kHalfRoot));
  const A f = (m - A(1)) / (m + A(1)), q = f * f;
  A p;
  if constexpr (sizeof(A) == 8) {
    p = A(1.0 / 21);
    p = p * q + A(1.0 / 19);
    p = p * q + A(1.0 / 17);
    p = p * q + A(1.0 / 15);
    p = p * q + A(1.0 / 13);
    p = p * q + A(1.0 / 11);
    p = p * q + A(1.0 / 9);
  } else {
    p = A(1.0 / 9);
  }
  p = p * q + A(1.0 / 7);
  p = p * q + A(1.0 / 5);
  p = p * q + A(1.0 / 3);
  p = p * q + A(1);
  const A power = static_cast<A>(n);
  const A y = power * C::kLn2High + (A(2) * f * p + power * C::kLn2Low);
  return x == x ? y : x;
}
