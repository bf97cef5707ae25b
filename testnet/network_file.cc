#include "testnet/network_file.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/config.h"
#include "base/config_place.h"
#include "testnet/network_plan.h"

namespace synod::testnet {
namespace {

using Organisation = NetworkFile::Organisation;
using MediatorGroup = NetworkFile::MediatorGroup;

constexpr std::int64_t kMostReplicas = 8;

void describe(config::Fields& f, NetworkFile& file) {
  f.text("network", file.network, "Name of the network, and of its folder.");
  f.text("synchronizer", file.synchronizer, "The readable part of the synchronizer id.");
  f.text("ordering", file.ordering, "Ordering engine: solo, or a real one that is started beside the nodes.");
  f.text(
      "cache", file.cache,
      "Where each sequencer keeps its cache: rocksdb, in its folder; postgres, in a schema of the database that they "
      "share for the log with ordering postgres, otherwise in a server of its own that is started beside it. Empty: "
      "postgres with ordering postgres, rocksdb with any other.");
  f.int64("first-port", file.first_port, "Nodes listen on ports from here upwards.");
  f.flag("static-time", file.static_time,
         "Time stands still until an application sets it (Ledger API TimeService). For tests of time, with one "
         "sequencer, from the beginning of the network.");
  f.list(
      "organisations", file.organisations,
      [](config::Fields& g, Organisation& organisation) {
        g.text("name", organisation.name, "Name, the first part of its nodes' names.");
        g.texts("nodes", organisation.nodes, "Roles that it runs.");
        g.int64("mediator-replicas", organisation.mediator_replicas,
                "Processes of its mediator: one is active, the others take over. More than one share a PostgreSQL "
                "database.");
      },
      "Who takes part.");
  f.list(
      "mediator-groups", file.mediator_groups,
      [](config::Fields& g, MediatorGroup& group) {
        g.int64("threshold", group.threshold, "So many of its mediators must come to the same verdict.");
        g.texts("mediators", group.mediators, "Organisations whose mediators belong to it.");
      },
      "Who decides; participants choose a group for each transaction. May be left out with one mediator.");
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::islower(c) || std::isdigit(c) || c == '-';
  });
}

bool runs_mediator(const Organisation& organisation) {
  return std::find(organisation.nodes.begin(), organisation.nodes.end(), to_string(Role::mediator)) !=
         organisation.nodes.end();
}

Status check_organisations(const NetworkFile& file) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < file.organisations.size(); ++i) {
    const Organisation& organisation = file.organisations[i];
    const std::string at = std::to_string(i);
    if (!is_name(organisation.name))
      return fail(wrong_at(file, {"organisations", at, "name"},
                           "'" + organisation.name + "' is no name of an organisation (a-z, 0-9 and -)"));
    for (std::size_t k = 0; k < organisation.nodes.size(); ++k) {
      const std::string& role = organisation.nodes[k];
      const std::vector<std::string> place{"organisations", at, "nodes", std::to_string(k)};
      if (const auto known = parse_role(role); !known) return fail(wrong_at(file, place, known.error().cause));
      if (!names.insert(organisation.name + "-" + role).second)
        return fail(wrong_at(file, place, "organisation '" + organisation.name + "' has two nodes of role " + role));
    }
    const std::vector<std::string> replicas{"organisations", at, "mediator-replicas"};
    if (organisation.mediator_replicas < 1 || organisation.mediator_replicas > kMostReplicas)
      return fail(
          wrong_at(file, replicas, "mediator-replicas must lie between 1 and " + std::to_string(kMostReplicas)));
    if (organisation.mediator_replicas > 1 && !runs_mediator(organisation))
      return fail(wrong_at(file, replicas, "organisation '" + organisation.name + "' runs no mediator"));
  }
  return {};
}

Status check_group(const NetworkFile& file, std::size_t index, std::set<std::string>& assigned) {
  const MediatorGroup& group = file.mediator_groups[index];
  const std::string at = std::to_string(index);
  for (std::size_t i = 0; i < group.mediators.size(); ++i) {
    const std::string& name = group.mediators[i];
    const std::vector<std::string> place{"mediator-groups", at, "mediators", std::to_string(i)};
    const auto organisation = std::find_if(file.organisations.begin(), file.organisations.end(),
                                           [&](const Organisation& known) { return known.name == name; });
    if (organisation == file.organisations.end())
      return fail(wrong_at(file, place, "there is no organisation '" + name + "'"));
    if (!runs_mediator(*organisation))
      return fail(wrong_at(file, place, "organisation '" + name + "' runs no mediator"));
    if (!assigned.insert(name).second)
      return fail(wrong_at(file, place, "the mediator of '" + name + "' is in a group already"));
  }
  const auto most = static_cast<std::int64_t>(group.mediators.size());
  if (most == 0) return fail(wrong_at(file, {"mediator-groups", at}, "a mediator group needs mediators"));
  if (group.threshold < 1 || group.threshold > most)
    return fail(wrong_at(file, {"mediator-groups", at, "threshold"},
                         "threshold " + std::to_string(group.threshold) + " of a group of " + std::to_string(most) +
                             " must lie between 1 and " + std::to_string(most)));
  return {};
}

// Fills in the group that there is with one mediator.
Status check_groups(NetworkFile& file) {
  std::vector<std::size_t> mediators;
  for (std::size_t i = 0; i < file.organisations.size(); ++i)
    if (runs_mediator(file.organisations[i])) mediators.push_back(i);
  if (mediators.empty()) return fail(wrong_at(file, {"organisations"}, "a network needs a mediator"));
  if (file.mediator_groups.empty()) {
    if (mediators.size() > 1)
      return fail(wrong_at(
          file, {"organisations", std::to_string(mediators[1]), "nodes"},
          std::to_string(mediators.size()) + " mediators, but no mediator-groups say how many of them must agree"));
    file.mediator_groups = {{1, {file.organisations[mediators[0]].name}}};
    return {};
  }
  std::set<std::string> assigned;
  for (std::size_t i = 0; i < file.mediator_groups.size(); ++i) SYNOD_RETURN_IF_ERROR(check_group(file, i, assigned));
  for (const std::size_t i : mediators)
    if (const std::string& name = file.organisations[i].name; !assigned.contains(name))
      return fail(wrong_at(file, {"organisations", std::to_string(i), "nodes"},
                           "the mediator of '" + name + "' is in no mediator group"));
  return {};
}

}  // namespace

Error wrong_at(const NetworkFile& file, const std::vector<std::string>& place, const std::string& cause) {
  return invalid_argument("NETWORK_FILE_INVALID", config::place_of(file.path, place) + ": " + cause);
}

Result<NetworkFile> read_network_file(const std::string& path) {
  NetworkFile file;
  file.path = path;
  SYNOD_RETURN_IF_ERROR(config::read_file(path, [&](config::Fields& f) { describe(f, file); }));
  if (!is_name(file.network))
    return fail(wrong_at(file, {"network"}, "network must be a short name of a-z, 0-9 and -"));
  if (file.first_port < 1024 || file.first_port > 65000)
    return fail(wrong_at(file, {"first-port"}, "first-port must lie between 1024 and 65000"));
  SYNOD_RETURN_IF_ERROR(check_organisations(file));
  SYNOD_RETURN_IF_ERROR(check_groups(file));
  return file;
}

}  // namespace synod::testnet
