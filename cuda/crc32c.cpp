// CRC-32C (Castagnoli), as the processor computes it or by tables.
#include <array>
#include <cstdlib>

#include "library.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define GL_HAS_CRC32 1
#include <nmmintrin.h>
#endif

namespace gl {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected: the lowest bit is the highest power

// What the register holds after some zero bytes more. That is linear in it: four table entries, one for each byte.
struct Shift {
  uint32_t table[4][256];

  uint32_t operator()(uint32_t crc) const {
    return table[0][crc & 255] ^ table[1][crc >> 8 & 255] ^ table[2][crc >> 16 & 255] ^ table[3][crc >> 24];
  }
};

Shift shift_by_one_byte() {
  Shift shift;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    shift.table[0][byte] = crc;
    for (int place = 1; place < 4; ++place) shift.table[place][byte] = byte << 8 * (place - 1);
  }
  return shift;
}

Shift twice(const Shift& shift) {
  Shift result;
  for (int place = 0; place < 4; ++place)
    for (int byte = 0; byte < 256; ++byte) result.table[place][byte] = shift(shift.table[place][byte]);
  return result;
}

// Shifts by 2^power bytes.
const Shift& shift_by(int power) {
  static const std::array<Shift, 13> shifts = [] {
    std::array<Shift, 13> all;
    all[0] = shift_by_one_byte();
    for (size_t i = 1; i < all.size(); ++i) all[i] = twice(all[i - 1]);
    return all;
  }();
  return shifts[power];
}

uint32_t load_little_endian(const uint8_t* p) {
  return p[0] | p[1] << 8 | p[2] << 16 | static_cast<uint32_t>(p[3]) << 24;
}

// Eight bytes a step.
uint32_t by_tables(uint32_t crc, const uint8_t* p, int64_t size) {
  const Shift &by1 = shift_by(0), &by4 = shift_by(2), &by8 = shift_by(3);
  for (; size >= 8; p += 8, size -= 8) crc = by8(crc ^ load_little_endian(p)) ^ by4(load_little_endian(p + 4));
  for (; size > 0; ++p, --size) crc = by1(crc ^ *p);
  return crc;
}

#ifdef GL_HAS_CRC32
__attribute__((target("sse4.2"))) inline uint64_t step(uint64_t crc, const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return _mm_crc32_u64(crc, word);
}

// The instruction takes three cycles but one can start in each: three stretches at a time, joined by shifts.
template <int kPower>
__attribute__((target("sse4.2"))) uint32_t three_by_three(uint32_t crc, const uint8_t*& p, int64_t& size) {
  constexpr int64_t kStretch = int64_t{1} << kPower, kLine = 64;
  const Shift& shift = shift_by(kPower);
  for (; size >= 3 * kStretch; p += 3 * kStretch, size -= 3 * kStretch) {
    uint64_t a = crc, b = 0, c = 0;
    for (int64_t line = 0; line < kStretch; line += kLine) {
      // Left to itself, the processor would start to fetch anew with each stretch.
      for (int ahead = 3; ahead < 6; ++ahead) __builtin_prefetch(p + ahead * kStretch + line);
      for (int64_t i = line; i < line + kLine; i += 8) {
        a = step(a, p + i);
        b = step(b, p + kStretch + i);
        c = step(c, p + 2 * kStretch + i);
      }
    }
    crc = shift(shift(a) ^ b) ^ c;
  }
  return crc;
}

__attribute__((target("sse4.2"))) uint32_t by_instruction(uint32_t crc, const uint8_t* p, int64_t size) {
  crc = three_by_three<12>(crc, p, size);
  crc = three_by_three<8>(crc, p, size);
  for (; size >= 8; p += 8, size -= 8) crc = step(crc, p);
  for (; size > 0; ++p, --size) crc = _mm_crc32_u8(crc, *p);
  return crc;
}

bool has_instruction() {
  static const bool has = [] {
    const char* asked = std::getenv("GRAPHLAB_ISA");
    return __builtin_cpu_supports("sse4.2") && !(asked && std::string(asked) == "base");
  }();
  return has;
}
#endif

// The checksum of all bytes of `data`, going on from that of what came before it.
int64_t crc32c(const Tensor& data, int64_t value) {
  STD_TORCH_CHECK(data.is_contiguous(), "'data' must be contiguous");
  STD_TORCH_CHECK(value >= 0 && value >> 32 == 0, "'value' must be a checksum, in [0, 2^32), got ", value);
  const uint8_t* bytes = gl::data<uint8_t>(data);
  const int64_t size = data.numel() * data.element_size();
  const uint32_t before = ~static_cast<uint32_t>(value);
#ifdef GL_HAS_CRC32
  if (has_instruction()) return static_cast<uint32_t>(~by_instruction(before, bytes, size));
#endif
  return static_cast<uint32_t>(~by_tables(before, bytes, size));
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) { m.def("crc32c(Tensor data, int value) -> int"); }

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) { m.impl("crc32c", TORCH_BOX(&gl::crc32c)); }
