#include "lf/eval/keccak.h"

#include <array>
#include <bit>
#include <cstdint>

namespace synod::lf::eval {
namespace {

constexpr std::size_t kRate = 136;  // bytes absorbed per permutation

using State = std::array<std::uint64_t, 25>;

// The round constants are the output of a 7-bit shift register (FIPS 202, section 3.2.5).
std::uint64_t round_constant(unsigned& lfsr) {
  std::uint64_t constant = 0;
  for (unsigned j = 0; j < 7; ++j) {
    if (lfsr & 1) constant |= std::uint64_t{1} << ((1u << j) - 1);
    lfsr = lfsr & 0x80 ? (lfsr << 1) ^ 0x171 : lfsr << 1;
  }
  return constant;
}

void permute(State& a) {
  unsigned lfsr = 1;
  for (int round = 0; round < 24; ++round) {
    std::array<std::uint64_t, 5> c{};
    for (std::size_t x = 0; x < 5; ++x) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (std::size_t x = 0; x < 5; ++x) {
      std::uint64_t d = c[(x + 4) % 5] ^ std::rotl(c[(x + 1) % 5], 1);
      for (std::size_t y = 0; y < 25; y += 5) a[x + y] ^= d;
    }
    std::size_t x = 1, y = 0;
    std::uint64_t moving = a[1];
    for (int t = 0; t < 24; ++t) {
      std::size_t next = (2 * x + 3 * y) % 5;
      x = y;
      y = next;
      std::uint64_t kept = a[x + 5 * y];
      a[x + 5 * y] = std::rotl(moving, (t + 1) * (t + 2) / 2 % 64);
      moving = kept;
    }
    for (std::size_t row = 0; row < 25; row += 5) {
      std::array<std::uint64_t, 5> b{};
      for (std::size_t i = 0; i < 5; ++i) b[i] = a[row + i];
      for (std::size_t i = 0; i < 5; ++i) a[row + i] = b[i] ^ (~b[(i + 1) % 5] & b[(i + 2) % 5]);
    }
    a[0] ^= round_constant(lfsr);
  }
}

void absorb(State& state, ByteView block) {
  for (std::size_t i = 0; i < kRate; ++i)
    state[i / 8] ^= std::uint64_t{static_cast<unsigned char>(block[i])} << (8 * (i % 8));
  permute(state);
}

}  // namespace

Bytes keccak256(ByteView data) {
  State state{};
  while (data.size() >= kRate) {
    absorb(state, data.substr(0, kRate));
    data.remove_prefix(kRate);
  }
  Bytes last(data);
  last.resize(kRate, '\0');
  last[data.size()] = static_cast<char>(last[data.size()] ^ 0x01);
  last[kRate - 1] = static_cast<char>(static_cast<unsigned char>(last[kRate - 1]) ^ 0x80);
  absorb(state, last);
  Bytes out;
  for (std::size_t i = 0; i < 32; ++i) out += static_cast<char>(state[i / 8] >> (8 * (i % 8)) & 0xff);
  return out;
}

}  // namespace synod::lf::eval
