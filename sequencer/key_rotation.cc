#include "sequencer/key_rotation.h"

#include <algorithm>

#include "base/log.h"
#include "sequencer/log_component.h"
#include "sequencer/own_broadcast.h"
#include "topology/manager.h"

namespace synod::sequencer {
namespace {

constexpr Duration kWatch = Duration::milliseconds(50);

std::vector<crypto::SigningPublicKey> registered_keys(const SequencerCore& core, const protocol::Member& self) {
  topology::OwnerToKey subject;
  subject.member = self;
  const auto* stored = core.topology().current(topology::Mapping(subject));
  const auto* mapping = stored ? stored->transaction.transaction().as<topology::OwnerToKey>() : nullptr;
  return mapping ? mapping->signing_keys() : std::vector<crypto::SigningPublicKey>();
}

bool contains(const std::vector<crypto::SigningPublicKey>& keys, const crypto::SigningPublicKey& key) {
  return std::any_of(keys.begin(), keys.end(), [&](const auto& k) { return k.fingerprint() == key.fingerprint(); });
}

}  // namespace

void KeyRotation::start(Duration timeout, Done done) {
  node_.with_core([self = shared_from_this(), timeout, done = std::move(done)](const SequencerCore& core) {
    if (self->step_ != Step::idle) {
      return done(fail(failed_precondition("KEY_ROTATION_RUNNING", "Another replacement of keys is under way")));
    }
    self->step_ = Step::registering;
    ++self->turn_;
    self->deadline_ = self->node_.parts().clock->monotonic_micros() + timeout.micros;
    Status started = self->make_keys(core);
    if (started) {
      auto both = self->old_;
      both.insert(both.end(), self->new_.begin(), self->new_.end());
      started = self->propose(core, std::move(both), done);
    }
    if (!started) return self->finish(started, done);
    self->watch(done);
  });
}

Status KeyRotation::make_keys(const SequencerCore& core) {
  const SequencerParts& parts = node_.parts();
  old_ = registered_keys(core, parts.self);
  new_.clear();
  const std::string name = "rotated-" + std::to_string(parts.clock->now().micros);
  for (const auto usage : {crypto::KeyUsage::sequencer_authentication, crypto::KeyUsage::protocol}) {
    const auto key = crypto::SigningKeyPair::generate({usage, crypto::KeyUsage::proof_of_ownership}, *parts.random);
    SYNOD_RETURN_IF_ERROR(
        parts.keys->add(key, name + (usage == crypto::KeyUsage::protocol ? "-protocol" : "-authentication")));
    new_.push_back(key.public_key());
  }
  return {};
}

Status KeyRotation::propose(const SequencerCore& core, std::vector<crypto::SigningPublicKey> keys, const Done& done) {
  topology::OwnerToKey mapping;
  mapping.member = node_.parts().self;
  for (auto& key : keys) mapping.keys.emplace_back(std::move(key));
  const topology::TopologyManager manager(core.topology(), *node_.parts().keys);
  topology::ProposeOptions options;
  options.must_fully_authorize = true;
  SYNOD_TRY(const auto transaction, manager.propose(topology::Mapping(mapping), options));
  broadcast_as_sequencer(node_, core, {transaction}, "",
                         [self = shared_from_this(), done, turn = turn_](const Status& taken) {
                           if (!taken && self->turn_ == turn) self->finish(taken, done);
                         });
  return {};
}

void KeyRotation::watch(const Done& done) {
  node_.executor().after(kWatch, [self = shared_from_this(), done, turn = turn_] {
    if (self->turn_ != turn || self->step_ == Step::idle) return;
    self->node_.with_core([self, done](const SequencerCore& core) { self->check(core, done); });
  });
}

bool KeyRotation::registered_are(const SequencerCore& core, bool with_old) const {
  const auto snapshot = core.current_snapshot();
  auto effective = snapshot.signing_keys(node_.parts().self, crypto::KeyUsage::protocol);
  const auto login = snapshot.signing_keys(node_.parts().self, crypto::KeyUsage::sequencer_authentication);
  effective.insert(effective.end(), login.begin(), login.end());
  const auto there = [&](const auto& key) { return contains(effective, key); };
  return std::all_of(new_.begin(), new_.end(), there) && (with_old || std::none_of(old_.begin(), old_.end(), there));
}

void KeyRotation::check(const SequencerCore& core, const Done& done) {
  if (step_ == Step::idle) return;
  if (node_.parts().clock->monotonic_micros() > deadline_) {
    return finish(fail(unavailable("KEY_ROTATION_TIMED_OUT",
                                   "The topology change has not taken effect. Ask for the status, then try again.")),
                  done);
  }
  if (step_ == Step::registering && registered_are(core, true)) {
    log::info(kLog, "the new keys are registered; what the old ones have signed is awaited");
    step_ = Step::draining;
    sealed_with_old_ = node_.writer().next();
  }
  if (step_ == Step::draining) {
    const auto oldest = node_.writer().oldest_unordered();
    if (!oldest || *oldest >= sealed_with_old_) {
      step_ = Step::removing;
      if (const Status removed = propose(core, new_, done); !removed) return finish(removed, done);
    }
  }
  if (step_ == Step::removing && registered_are(core, false)) return finish({}, done);
  watch(done);
}

void KeyRotation::finish(const Status& status, const Done& done) {
  if (step_ == Step::idle) return;
  step_ = Step::idle;
  if (!status) return done(fail(status.error()));
  RotatedKeys result;
  for (const auto& key : new_) result.added.push_back(key.fingerprint());
  for (const auto& key : old_) result.removed.push_back(key.fingerprint());
  log::info(kLog, "the keys of {} are replaced", node_.parts().self.to_string());
  done(std::move(result));
}

}  // namespace synod::sequencer
