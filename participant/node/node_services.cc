// What others may ask of the node: commands, packages, parties.
#include "participant/ledger/columns.h"
#include "participant/node/node_impl.h"
#include "synod/participant.pb.h"

namespace synod::participant {
namespace {

Error not_connected() {
  return not_found("NOT_CONNECTED_TO_ANY_SYNCHRONIZER", "This participant is not connected to any synchronizer");
}

}  // namespace

std::string NodeImpl::wait_key(const std::string& user_id, const std::string& command_id,
                               const std::string& submission_id) {
  return user_id + '\0' + command_id + '\0' + submission_id;
}

void NodeImpl::submit(CommandSubmission command, std::function<void(Status)> accepted) {
  loop_->post([this, command = std::move(command), accepted = std::move(accepted)] {
    if (!connected()) return accepted(fail(not_connected()));
    auto outcome = core_->on_command(command, clock_->now());
    if (!outcome.accepted) return accepted(std::move(outcome.accepted));
    auto applied = apply(std::move(outcome.effects));
    if (!applied) membership_->fail_with(applied.error());
    accepted(std::move(applied));  // what is stored, and nothing else
  });
}

void NodeImpl::submit_and_wait(CommandSubmission command, Duration timeout,
                               std::function<void(Result<Completion>)> done) {
  loop_->post([this, command = std::move(command), timeout, done = std::move(done)]() mutable {
    if (!connected()) return done(fail(not_connected()));
    if (command.submission_id.empty()) command.submission_id = random_->uuid();
    auto outcome = core_->on_command(command, clock_->now());
    if (!outcome.accepted) return done(fail(outcome.accepted.error()));
    const auto id = wait_key(command.user_id, command.command_id, outcome.submission_id);
    const auto timer = loop_->after(timeout, [this, id] {
      const auto found = command_waits_.find(id);
      if (found == command_waits_.end()) return;
      auto wait = std::move(found->second);
      command_waits_.erase(found);
      wait.done(fail(Error("REQUEST_TIME_OUT", ErrorCategory::deadline_exceeded_state_unknown,
                           "Timed out while awaiting for a completion corresponding to a command submission.")));
    });
    command_waits_[id] = {done, timer};
    auto applied = apply(std::move(outcome.effects));
    if (applied) return;
    // This one was not sent, which its caller may know for certain; of the others nobody can tell.
    command_waits_.erase(id);
    loop_->cancel(timer);
    membership_->fail_with(applied.error());
    done(fail(applied.error()));
  });
}

void NodeImpl::interpret(CommandSubmission command, std::function<void(Result<lf::InterpretationResult>)> done) {
  loop_->post([this, command = std::move(command), done = std::move(done)] {
    if (!connected()) return done(fail(not_connected()));
    done(core_->interpret(command, clock_->now()));
  });
}

void NodeImpl::upload(std::string dar, UploadOptions options, std::function<void(Result<std::string>)> done) {
  if (dar.size() > config_.max_dar_bytes) {
    return done(fail(invalid_argument(
        "INVALID_DAR", "The DAR is larger than " + std::to_string(config_.max_dar_bytes) + " bytes (max-dar-size)")));
  }
  // Decoding takes a while and needs nothing of the node: on the caller's thread.
  std::unique_lock lock(uploading_);
  auto decoded = registry_.check(dar);
  if (!decoded) return done(fail(std::move(decoded).error()));
  if (auto added = registry_.add(*decoded, clock_->now()); !added) return done(fail(std::move(added).error()));
  lock.unlock();
  const auto main = decoded->main().id();
  std::vector<std::string> ids;
  for (const auto& entry : decoded->entries) ids.push_back(entry.package->id());
  loop_->post([this, options, main, ids = std::move(ids), done = std::move(done)] {
    if (!options.vet) return done(main);
    auto pending = vet_pending_;
    pending.insert(ids.begin(), ids.end());
    set_vet_pending(std::move(pending));
    if (!connected()) return done(main);  // they are vetted as soon as there is a connection
    if (!options.wait_until_effective) {
      vet(ids, [](Status) {});
      return done(main);
    }
    vet(ids, [main, done](Status vetted) {
      if (vetted)
        done(main);
      else
        done(fail(vetted.error()));
    });
  });
}

Status NodeImpl::validate(const std::string& dar) const {
  SYNOD_RETURN_IF_ERROR(registry_.check(dar));
  return {};
}

std::vector<std::string> NodeImpl::vetted() const {
  std::vector<std::string> out;
  const auto now = snapshot();
  const auto* packages = now ? now->vetted_packages(identity_.member) : nullptr;
  if (!packages) return out;
  const auto at = clock_->now();
  for (const auto& item : packages->packages) {
    if (item.valid_at(at)) out.push_back(item.package_id);
  }
  return out;
}

void NodeImpl::allocate(Allocation allocation, std::function<void(Result<PartyDetails>)> done) {
  loop_->post([this, allocation = std::move(allocation), done = std::move(done)] {
    if (!connected())
      return done(fail(failed_precondition("PARTY_ALLOCATION_WITHOUT_CONNECTED_SYNCHRONIZER",
                                           "Cannot allocate a party without being connected to a synchronizer")));
    const auto name = allocation.hint.empty() ? "party-" + random_->uuid() : allocation.hint;
    auto uid = protocol::UniqueId::create(name, identity_.member.uid().ns());
    if (!uid)
      return done(
          fail(invalid_argument("INVALID_ARGUMENT", "The submitted request has invalid arguments: party id hint '" +
                                                        name + "' is not valid")));
    const auto party = uid->to_string();
    if (!core_->current_snapshot().hosting(party).participants.empty()) {
      return done(fail(invalid_argument(
          "INVALID_ARGUMENT", "The submitted request has invalid arguments: Party already exists: party " + party +
                                  " is already allocated on this node")));
    }
    v1::StoredPartyDetails stored;
    stored.set_identity_provider_id(allocation.identity_provider_id);
    for (const auto& [key, value] : allocation.annotations) (*stored.mutable_annotations())[key] = value;
    storage::WriteBatch writes;
    writes.put(kPartiesColumn, party, stored.SerializeAsString());
    if (auto written = store_->write(writes, storage::Sync::yes); !written)
      return done(fail(std::move(written).error()));

    topology::PartyToParticipant mapping{
        *uid, 1, {{identity_.member.uid(), topology::Permission::submission, false}}, std::nullopt};
    publish_topology(mapping, [this, party, done](Status sent) {
      if (!sent) return done(fail(std::move(sent).error()));
      wait_for(
          [this, party](const topology::Snapshot& now) {
            return now.hosting(party).participants.contains(identity_.member);
          },
          config_.connect_timeout,
          [this, party, done](Status effective) {
            if (effective)
              done(details(core_->current_snapshot(), party));
            else
              done(fail(std::move(effective).error()));
          });
    });
  });
}

PartyDetails NodeImpl::details(const topology::Snapshot& now, const std::string& party) const {
  PartyDetails out;
  out.party = party;
  out.is_local = now.hosting(party).participants.contains(identity_.member);
  v1::StoredPartyDetails stored;
  const auto bytes = store_->get(kPartiesColumn, party);
  if (out.is_local && bytes && *bytes && stored.ParseFromString(**bytes)) {
    out.identity_provider_id = stored.identity_provider_id();
    out.annotations.insert(stored.annotations().begin(), stored.annotations().end());
  }
  return out;
}

std::optional<PartyDetails> NodeImpl::find(const std::string& party) const {
  const auto now = snapshot();
  if (!now || now->hosting(party).participants.empty()) return std::nullopt;
  return details(*now, party);
}

std::vector<PartyDetails> NodeImpl::list(const std::string& after, std::size_t limit) const {
  std::vector<PartyDetails> out;
  const auto now = snapshot();
  if (!now) return out;
  for (const auto& party : now->parties()) {
    if (party <= after) continue;
    if (out.size() == limit) break;
    out.push_back(details(*now, party));
  }
  return out;
}

bool NodeImpl::is_local(const std::string& party) const {
  const auto now = snapshot();
  return now && now->hosting(party).participants.contains(identity_.member);
}

std::optional<topology::Permission> NodeImpl::permission(const std::string& party,
                                                         const std::string& participant) const {
  const auto now = snapshot();
  if (!now) return std::nullopt;
  for (const auto& [member, hosting] : now->hosting(party).participants) {
    if (participant.empty() ? member == identity_.member : member.uid().to_string() == participant)
      return hosting.permission;
  }
  return std::nullopt;
}

}  // namespace synod::participant
