// Memory of one interpretation: bump allocation, freed as a whole, with a byte budget.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

namespace synod::lf::eval {

// Thrown inside the machine only, and turned into INTERPRETATION_TIME_EXCEEDED at its edge; allocation is too frequent
// to return a Result from every call.
struct OutOfBudget {
  const char* what;
  const char* setting;  // of lf::Limits, as the configuration calls it
};

// A text counts as so many bytes a step, so that long ones cannot hide work.
inline constexpr std::uint64_t kTextBytesPerStep = 64;

// Work done so far, against a limit.
class Meter {
 public:
  explicit Meter(std::uint64_t limit) : limit_(limit) {}
  Meter& operator+=(std::uint64_t n) {
    used_ += n;
    if (used_ > limit_) throw OutOfBudget{"steps", "max-steps"};
    return *this;
  }
  Meter& operator++() { return *this += 1; }
  std::uint64_t used() const { return used_; }

 private:
  std::uint64_t used_ = 0;
  std::uint64_t limit_;
};

class Arena {
 public:
  explicit Arena(std::uint64_t budget) : budget_(budget) {}
  Arena(const Arena&) = delete;
  ~Arena() {
    if (!chunks_.empty() && !thread_ends)
      spare() = std::move(chunks_.front());  // always of kFirstChunk bytes, see grow()
  }

  void* allocate(std::size_t bytes) {
    bytes = (bytes + 15) & ~std::size_t{15};
    if (bytes > static_cast<std::size_t>(end_ - next_)) grow(bytes);
    void* p = next_;
    next_ += bytes;
    return p;
  }
  template <typename T>
  T* make(std::size_t trailing_bytes = 0) {
    return new (allocate(sizeof(T) + trailing_bytes)) T;
  }
  std::uint64_t used() const { return used_; }
  void charge(std::uint64_t bytes) {  // memory held elsewhere on behalf of this interpretation
    used_ += bytes;
    if (used_ > budget_) throw OutOfBudget{"memory", "max-memory"};
  }

 private:
  static constexpr std::size_t kFirstChunk = 16 * 1024, kDoublings = 6;

  // One chunk a thread outlives its interpretation: most need no other, and so no allocation.
  struct Spare {
    std::unique_ptr<std::byte[]> chunk;
    ~Spare() { thread_ends = true; }  // static arenas end after it
  };
  static std::unique_ptr<std::byte[]>& spare() {
    thread_local Spare spare;
    return spare.chunk;
  }
  static inline thread_local bool thread_ends = false;

  void grow(std::size_t bytes) {
    if (chunks_.empty()) {
      charge(kFirstChunk);
      chunks_.push_back(thread_ends ? nullptr : std::move(spare()));
      if (!chunks_[0]) chunks_[0] = std::make_unique_for_overwrite<std::byte[]>(kFirstChunk + 16);
      use(kFirstChunk);
      if (bytes <= kFirstChunk) return;
    }
    std::size_t size = kFirstChunk << std::min<std::size_t>(chunks_.size(), kDoublings);  // up to 1 MiB
    if (size < bytes) size = bytes;
    charge(size);
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(size + 16));
    use(size);
  }
  void use(std::size_t size) {
    auto raw = reinterpret_cast<std::uintptr_t>(chunks_.back().get());
    next_ = reinterpret_cast<std::byte*>((raw + 15) & ~std::uintptr_t{15});
    end_ = next_ + size;
  }

  std::uint64_t budget_;
  std::uint64_t used_ = 0;
  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
};

}  // namespace synod::lf::eval
