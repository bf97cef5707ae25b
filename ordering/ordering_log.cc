#include "ordering/ordering_log.h"

namespace synod::ordering {

std::string_view to_string(Health::State state) {
  switch (state) {
    case Health::State::connecting:
      return "connecting";
    case Health::State::ready:
      return "ready";
    case Health::State::read_only:
      return "read_only";
    case Health::State::stopped:
      return "stopped";
  }
  return "unknown";
}

}  // namespace synod::ordering
