// Vetting: which packages this participant declares usable.
#include <algorithm>

#include "base/log.h"
#include "participant/ledger/columns.h"
#include "participant/log_component.h"
#include "participant/node/node_impl.h"
#include "topology/mapping.h"

namespace synod::participant {
namespace {

std::string shown(const PackageReference& reference) {
  std::string out;
  const auto add = [&](const char* what, const std::string& value) {
    if (!value.empty()) out += (out.empty() ? "" : ", ") + std::string(what) + ": '" + value + "'";
  };
  add("package-id", reference.package_id);
  add("name", reference.name);
  add("version", reference.version);
  return out;
}

std::vector<std::string> matching(const PackageReference& reference, const lf::PackageStore& packages) {
  std::vector<std::string> out;
  for (const auto* package : packages.all()) {
    const auto fits = [](const std::string& wanted, const std::string& value) {
      return wanted.empty() || wanted == value;
    };
    if (fits(reference.package_id, package->id()) && fits(reference.name, package->name()) &&
        fits(reference.version, package->version()))
      out.push_back(package->id());
  }
  return out;
}

// package id -> what it shall be; none: not vetted. Unvetting what is not there is no error, as in Canton.
using Targets = std::map<std::string, std::optional<topology::VettedPackage>>;

Result<Targets> resolve(const VettingUpdate& update, const lf::PackageStore& packages) {
  Targets out;
  for (const auto& change : update.changes) {
    const auto ids = matching(change.package, packages);
    if (change.vet && ids.empty())
      return fail(not_found("UNRESOLVED_VETTING_REFERENCE",
                            "The vetted package reference " + shown(change.package) +
                                " does not match any package in the package store. Upload the package first"));
    if (change.vet && ids.size() > 1)
      return fail(failed_precondition("AMBIGUOUS_VETTING_REFERENCE",
                                      "The package reference " + shown(change.package) + " matches multiple packages"));
    for (const auto& id : ids) {
      out[id] =
          change.vet ? std::optional(topology::VettedPackage{id, change.valid_from, change.valid_until}) : std::nullopt;
    }
  }
  return out;
}

// In the order that is, new ones behind.
std::vector<topology::VettedPackage> changed(const std::vector<topology::VettedPackage>& before, Targets targets) {
  std::vector<topology::VettedPackage> out;
  for (const auto& item : before) {
    const auto target = targets.find(item.package_id);
    if (target == targets.end()) {
      out.push_back(item);
      continue;
    }
    if (target->second) out.push_back(*target->second);
    targets.erase(target);
  }
  for (auto& [id, target] : targets)
    if (target) out.push_back(std::move(*target));
  return out;
}

bool same_set(std::vector<topology::VettedPackage> a, std::vector<topology::VettedPackage> b) {
  const auto by_id = [](const auto& x, const auto& y) { return x.package_id < y.package_id; };
  std::sort(a.begin(), a.end(), by_id);
  std::sort(b.begin(), b.end(), by_id);
  return a == b;
}

VettingState state_of(const topology::VettedPackages& mapping, std::uint32_t serial, std::string synchronizer,
                      const lf::PackageStore& packages) {
  VettingState out{mapping.participant.to_string(), std::move(synchronizer), serial, {}};
  for (const auto& item : mapping.packages) {
    const auto* package = packages.find(item.package_id);
    out.packages.push_back({item.package_id, package ? package->name() : "", package ? package->version() : "",
                            item.valid_from, item.valid_until});
  }
  return out;
}

}  // namespace

// One change of the vetted packages at a time: each builds on the one before. What is asked for meanwhile goes
// together.
void NodeImpl::vet(std::vector<std::string> package_ids, std::function<void(Status)> done) {
  vet_queue_.push_back({std::move(package_ids), std::move(done)});
  if (!vetting_) vet_next();
}

void NodeImpl::vet_next() {
  if (!vetting_updates_.empty()) {
    vetting_ = true;
    auto next = std::move(vetting_updates_.front());
    vetting_updates_.pop_front();
    change_vetting(next.update, [this, done = std::move(next.done)](Result<VettingOutcome> outcome) {
      vetting_ = false;
      done(std::move(outcome));
      vet_next();
    });
    return;
  }
  if (vet_queue_.empty()) return;
  vetting_ = true;
  std::set<std::string> ids;
  auto callbacks = std::make_shared<std::vector<std::function<void(Status)>>>();
  for (auto& request : vet_queue_) {
    ids.insert(request.package_ids.begin(), request.package_ids.end());
    callbacks->push_back(std::move(request.done));
  }
  vet_queue_.clear();
  publish_vetting(ids, [this, ids, callbacks](const Status& vetted) {
    vetting_ = false;
    if (vetted) {
      auto pending = vet_pending_;
      for (const auto& id : ids) pending.erase(id);
      set_vet_pending(std::move(pending));
    }
    for (const auto& done : *callbacks) done(vetted);
    vet_next();
  });
}

void NodeImpl::publish_vetting(const std::set<std::string>& package_ids, std::function<void(Status)> done) {
  topology::VettedPackages mapping{identity_.member.uid(), {}};
  std::set<std::string> missing = package_ids;
  const auto head = core_->topology().head();
  if (const auto* current = head.vetted_packages(identity_.member)) mapping.packages = current->packages;
  for (const auto& item : mapping.packages) missing.erase(item.package_id);
  for (const auto& id : missing) mapping.packages.push_back({id, std::nullopt, std::nullopt});
  auto wait = [this, package_ids, done] {
    wait_for(
        [this, package_ids](const topology::Snapshot& snapshot) {
          return std::all_of(package_ids.begin(), package_ids.end(),
                             [&](const auto& id) { return snapshot.vetted(identity_.member, id, clock_->now()); });
        },
        kTopologyTimeout, done);
  };
  if (missing.empty()) return wait();
  publish_topology(mapping, [wait, done](Status sent) {
    if (sent)
      wait();
    else
      done(std::move(sent));
  });
}

void NodeImpl::set_vet_pending(std::set<std::string> package_ids) {
  if (package_ids == vet_pending_) return;
  vet_pending_ = std::move(package_ids);
  Bytes list;
  for (const auto& id : vet_pending_) list += id + "\n";
  storage::WriteBatch writes;
  writes.put(kMetaColumn, Bytes(kVetPendingKey), std::move(list));
  if (const auto written = store_->write(writes, storage::Sync::yes); !written)
    log::error(kLog, "which packages wait to be vetted cannot be stored: {}", written.error().to_string());
}

// What was uploaded without a connection, or just before a crash. Nothing else: packages may have been unvetted.
void NodeImpl::vet_pending() {
  if (vet_pending_.empty()) return;
  vet({vet_pending_.begin(), vet_pending_.end()}, [](Status vetted) {
    if (!vetted) log::warn(kLog, "packages could not be vetted: {}", vetted.error().to_string());
  });
}

void NodeImpl::update_vetting(VettingUpdate update, std::function<void(Result<VettingOutcome>)> done) {
  loop_->post([this, update = std::move(update), done = std::move(done)]() mutable {
    if (!connected())
      return done(fail(
          not_found("NOT_CONNECTED_TO_ANY_SYNCHRONIZER", "This participant is not connected to any synchronizer")));
    vetting_updates_.push_back({std::move(update), std::move(done)});
    if (!vetting_) vet_next();
  });
}

void NodeImpl::change_vetting(const VettingUpdate& update, std::function<void(Result<VettingOutcome>)> done) {
  auto targets = resolve(update, *registry_.packages());
  if (!targets) return done(fail(std::move(targets).error()));
  topology::VettedPackages mapping{identity_.member.uid(), {}};
  const auto* stored = core_->topology().current(mapping);
  const auto* current = core_->topology().head().vetted_packages(identity_.member);
  const std::uint32_t serial = current && stored ? stored->transaction.transaction().serial() : 0;
  if (update.expected_serial && *update.expected_serial != serial)
    return done(fail(failed_precondition("TOPOLOGY_SERIAL_MISMATCH",
                                         "The provided serial " + std::to_string(*update.expected_serial) +
                                             " did not match the expected serial " + std::to_string(serial) + ".")));
  const auto synchronizer = core_->config().synchronizer.logical().to_string();
  VettingOutcome outcome;
  if (current) outcome.before = state_of(*current, serial, synchronizer, *registry_.packages());
  mapping.packages = changed(current ? current->packages : std::vector<topology::VettedPackage>(), std::move(*targets));
  if (current && same_set(current->packages, mapping.packages)) {
    outcome.after = outcome.before;
    return done(std::move(outcome));
  }
  outcome.after = state_of(mapping, stored ? stored->transaction.transaction().serial() + 1 : 1, synchronizer,
                           *registry_.packages());
  if (update.dry_run) return done(std::move(outcome));
  publish_topology(mapping, [this, mapping, outcome, done](Status sent) {
    if (!sent) return done(fail(std::move(sent).error()));
    wait_for(
        [this, mapping](const topology::Snapshot& snapshot) {
          const auto* vetted = snapshot.vetted_packages(identity_.member);
          return vetted && same_set(vetted->packages, mapping.packages);
        },
        kTopologyTimeout,
        [outcome, done](Status effective) {
          if (effective)
            done(outcome);
          else
            done(fail(std::move(effective).error()));
        });
  });
}

std::vector<VettingState> NodeImpl::vetting_states() const {
  const auto now = snapshot();
  if (!now) return {};
  std::vector<VettingState> out;
  for (const auto* transaction : now->active(topology::MappingCode::vetted_packages)) {
    const auto& mapping = std::get<topology::VettedPackages>(transaction->mapping());
    out.push_back(
        state_of(mapping, transaction->serial(), now->synchronizer().logical().to_string(), *registry_.packages()));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.participant < b.participant; });
  return out;
}

}  // namespace synod::participant
