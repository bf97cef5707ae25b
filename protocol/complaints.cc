#include "protocol/complaints.h"

namespace synod::protocol {

std::string shortened(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return std::string(text);
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void Complaints::add(std::string_view what) {
  if (count_++ == 0) first_ = shortened(what);
}

std::string Complaints::of(std::size_t all, std::string_view things) const {
  if (count_ == 1 && all == 1) return first_;
  return std::to_string(count_) + " of " + std::to_string(all) + " " + std::string(things) + ", the first: " + first_;
}

}  // namespace synod::protocol
