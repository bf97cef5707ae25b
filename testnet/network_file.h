// A network file as it was read: checked as far as that does not depend on what a command asks for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/result.h"

namespace synod::testnet {

struct NetworkFile {
  struct Organisation {
    std::string name;
    std::vector<std::string> nodes;      // roles
    std::int64_t mediator_replicas = 1;  // processes of its one mediator
  };
  // Its index is its place in the list.
  struct MediatorGroup {
    std::int64_t threshold = 1;
    std::vector<std::string> mediators;  // organisations
  };

  std::string path;
  std::string network;
  std::string synchronizer = "synod";
  std::string ordering = "solo";
  std::string cache;
  std::int64_t first_port = 27500;
  bool static_time = false;
  std::vector<Organisation> organisations;
  std::vector<MediatorGroup> mediator_groups;  // every mediator is in one of them
};

// Error ids: CONFIG_NOT_FOUND; CONFIG_INVALID and NETWORK_FILE_INVALID with `file:line: what is wrong`.
Result<NetworkFile> read_network_file(const std::string& path);

// NETWORK_FILE_INVALID about what stands at this place; see config::place_of.
Error wrong_at(const NetworkFile& file, const std::vector<std::string>& place, const std::string& cause);

}  // namespace synod::testnet
