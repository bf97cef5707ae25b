#include "bench/ordering/signature_cost.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/env.h"
#include "crypto/keys.h"
#include "crypto/sign.h"

namespace synod::bench {
namespace {

constexpr int kTimes = 400;
constexpr int kBefore = 1200;  // keys that are met often are checked faster, as those of a network are

// The median of single calls, so that what interrupts us does not count.
template <typename Call>
double median_micros(const Call& call) {
  const auto clock = system_clock();
  std::vector<double> micros;
  for (int i = 0; i < kTimes; ++i) {
    const std::int64_t begin = clock->monotonic_micros();
    for (int j = 0; j < 4; ++j) call(i * 4 + j);
    micros.push_back(static_cast<double>(clock->monotonic_micros() - begin) / 4);
  }
  std::nth_element(micros.begin(), micros.begin() + kTimes / 2, micros.end());
  return micros[kTimes / 2];
}

// Processor time of all threads, since a thread beside makes halves of signatures ready (crypto/ready_nonces.h).
template <typename Call>
double processor_micros(const Call& call) {
  const auto used = [] {
    timespec time{};
    SYNOD_CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  };
  const double begin = used();
  for (int i = 0; i < kTimes * 4; ++i) call(i);
  return (used() - begin) / (kTimes * 4);
}

}  // namespace

boost::json::object SignatureCost::json() const {
  const auto tenths = [](double value) { return std::round(value * 10) / 10; };
  return {{"signMicros", tenths(sign_micros)},
          {"verifyMicros", tenths(verify_micros)},
          {"perSubmissionMicros", tenths(per_submission())}};
}

SignatureCost measure_signatures() {
  const auto key =
      crypto::SigningKeyPair::generate({crypto::KeyUsage::protocol}, *system_random(), crypto::SigningKeySpec::p256);
  std::vector<crypto::Hash> hashes;
  std::vector<crypto::Signature> signatures;
  for (int i = 0; i < kTimes * 4 + kBefore; ++i)
    hashes.push_back(crypto::hash(crypto::HashPurpose::submission_request, "message " + std::to_string(i)));
  SignatureCost cost;
  cost.sign_micros = processor_micros([&](int i) { signatures.push_back(crypto::sign(hashes[i], key)); });
  for (int i = kTimes * 4; i < kTimes * 4 + kBefore; ++i)
    SYNOD_CHECK(crypto::verify(hashes[i], crypto::sign(hashes[i], key), key.public_key()));
  while (crypto::making_key_tables()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  cost.verify_micros =
      median_micros([&](int i) { SYNOD_CHECK(crypto::verify(hashes[i], signatures[i], key.public_key())); });
  return cost;
}

}  // namespace synod::bench
