#include "ordering/fabric/channel_change.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <thread>

#include "base/env.h"
#include "base/files.h"
#include "fabric/channel_config.pb.h"
#include "fabric/envelope.pb.h"
#include "fabric/orderer.grpc.pb.h"
#include "ordering/fabric_wire/envelope.h"
#include "rpc/channel.h"

namespace synod::ordering::fabric {
namespace {

using fabric_wire::EnvelopeType;
using fabric_wire::SigningIdentity;

constexpr char kApplication[] = "Application";  // the group of those who use the channel
constexpr Duration kCallDeadline = Duration::seconds(10);
constexpr Duration kResubmit = Duration::seconds(15);
constexpr auto kPause = std::chrono::milliseconds(50);

Error invalid_change(std::string cause) {
  return invalid_argument("ORDERING_CHANNEL_CHANGE_INVALID", std::move(cause));
}
Error away(const std::string& endpoint, const std::string& cause) {
  return unavailable("ORDERING_UNAVAILABLE", "the orderer at " + endpoint + ": " + cause);
}

// Names and versions only: what stays as it is.
common::ConfigGroup outline(const common::ConfigGroup& group) {
  common::ConfigGroup names;
  names.set_version(group.version());
  for (const auto& [name, member] : group.groups()) (*names.mutable_groups())[name].set_version(member.version());
  for (const auto& [name, member] : group.values()) (*names.mutable_values())[name].set_version(member.version());
  for (const auto& [name, member] : group.policies()) (*names.mutable_policies())[name].set_version(member.version());
  return names;
}

Result<common::ConfigGroup> config_in(const common::Block& block) {
  if (block.data().data_size() != 1) return fail(invalid_change("a configuration block holds one envelope"));
  SYNOD_TRY(const auto envelope, fabric_wire::parse_envelope(block.data().data(0)));
  common::ConfigEnvelope config;
  if (envelope.type != static_cast<int>(EnvelopeType::config) || !config.ParseFromString(envelope.data))
    return fail(invalid_change("a block holds no configuration"));
  return config.config().channel_group();
}

Bytes nonce() { return system_random()->bytes(24); }

// One orderer, in blocking calls.
class Orderer {
 public:
  static Result<Orderer> reach(const ChannelMembers& members, const std::string& endpoint) {
    rpc::ChannelConfig config;
    config.target = endpoint;
    config.tls = members.tls;
    SYNOD_TRY(auto channel, rpc::make_channel(config));
    return Orderer(members, endpoint, std::move(channel));
  }

  Result<common::ConfigGroup> configuration() const {
    SYNOD_TRY(const common::Block newest, block(std::nullopt));
    common::Metadata metadata;
    common::OrdererBlockMetadata facts;
    if (newest.metadata().metadata_size() <= common::SIGNATURES ||
        !metadata.ParseFromString(newest.metadata().metadata(common::SIGNATURES)) ||
        !facts.ParseFromString(metadata.value()))
      return fail(away(endpoint_, "its newest block does not tell where the channel's configuration is"));
    SYNOD_TRY(const common::Block block_with_it, block(facts.last_config().index()));
    return config_in(block_with_it);
  }

  Status submit(const Bytes& envelope) const {
    grpc::ClientContext context;
    set_deadline(context);
    const auto stream = stub_->Broadcast(&context);
    common::Envelope message;
    message.ParseFromString(envelope);
    orderer::BroadcastResponse response;
    const bool answered = stream->Write(message) && stream->Read(&response);
    if (answered) context.TryCancel();  // nothing more is to come
    const grpc::Status end = stream->Finish();
    if (!answered) return fail(away(endpoint_, end.error_message()));
    if (response.status() == common::SUCCESS) return {};
    if (response.status() == common::SERVICE_UNAVAILABLE) return fail(away(endpoint_, response.info()));
    return fail(failed_precondition("ORDERING_CHANNEL_CHANGE_REFUSED",
                                    common::Status_Name(response.status()) + ": " + response.info()));
  }

  const std::string& endpoint() const { return endpoint_; }

 private:
  Orderer(const ChannelMembers& members, std::string endpoint, const std::shared_ptr<grpc::Channel>& channel)
      : members_(members), endpoint_(std::move(endpoint)), stub_(orderer::AtomicBroadcast::NewStub(channel)) {}

  static void set_deadline(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(kCallDeadline.micros));
  }

  // None: the newest.
  Result<common::Block> block(std::optional<std::uint64_t> number) const {
    Bytes hash;
    if (members_.tls.certificate_chain_file)
      hash = fabric_wire::certificate_hash(file_bytes(*members_.tls.certificate_chain_file).value_or("")).value_or("");
    common::Envelope seek;
    seek.ParseFromString(fabric_wire::make_seek(members_.channel, number, number, fabric_wire::SeekContent::blocks,
                                                hash, &members_.administrators.front()));
    grpc::ClientContext context;
    set_deadline(context);
    const auto stream = stub_->Deliver(&context);
    orderer::DeliverResponse response;
    const bool answered = stream->Write(seek) && stream->Read(&response);
    if (answered) context.TryCancel();
    const grpc::Status end = stream->Finish();
    if (!answered) return fail(away(endpoint_, end.error_message()));
    if (response.has_block()) return std::move(*response.mutable_block());
    return fail(away(endpoint_, "it does not give a block: " + common::Status_Name(response.status())));
  }

  const ChannelMembers& members_;
  std::string endpoint_;
  std::unique_ptr<orderer::AtomicBroadcast::Stub> stub_;
};

Bytes signed_update(const ChannelMembers& members, const common::ConfigUpdate& update) {
  common::ConfigUpdateEnvelope envelope;
  envelope.set_config_update(update.SerializeAsString());
  for (const SigningIdentity& administrator : members.administrators) {
    common::SignatureHeader header;
    header.set_creator(administrator.creator());
    header.set_nonce(nonce());
    auto& signature = *envelope.add_signatures();
    signature.set_signature_header(header.SerializeAsString());
    signature.set_signature(administrator.sign(signature.signature_header() + envelope.config_update()));
  }
  return fabric_wire::make_envelope(EnvelopeType::config_update, members.channel, envelope.SerializeAsString(),
                                    &members.administrators.front());
}

bool takes_part(const common::ConfigGroup& channel, const std::string& organisation) {
  const auto application = channel.groups().find(kApplication);
  return application != channel.groups().end() && application->second.groups().contains(organisation);
}

}  // namespace

Result<common::ConfigUpdate> admission(const std::string& channel, const common::ConfigGroup& current,
                                       const common::ConfigGroup& wanted, const std::string& organisation) {
  const auto application = current.groups().find(kApplication);
  if (application == current.groups().end())
    return fail(invalid_change("channel " + channel + " has no application group"));
  if (!takes_part(wanted, organisation)) return fail(invalid_change("the wanted configuration has no " + organisation));
  common::ConfigUpdate update;
  update.set_channel_id(channel);
  update.mutable_read_set()->set_version(current.version());
  (*update.mutable_read_set()->mutable_groups())[kApplication] = outline(application->second);
  common::ConfigGroup next = outline(application->second);
  next.set_version(application->second.version() + 1);
  next.set_mod_policy(application->second.mod_policy());
  (*next.mutable_groups())[organisation] = wanted.groups().at(kApplication).groups().at(organisation);
  update.mutable_write_set()->set_version(current.version());
  (*update.mutable_write_set()->mutable_groups())[kApplication] = std::move(next);
  return update;
}

Status admit_organisation(const ChannelMembers& members, const std::string& organisation, ByteView wanted_block,
                          Duration patience) {
  common::Block block;
  if (!block.ParseFromArray(wanted_block.data(), static_cast<int>(wanted_block.size())))
    return fail(invalid_change("the wanted configuration is not a block"));
  SYNOD_TRY(const common::ConfigGroup wanted, config_in(block));
  std::vector<Orderer> orderers;
  for (const std::string& endpoint : members.endpoints) {
    SYNOD_TRY(Orderer orderer, Orderer::reach(members, endpoint));
    orderers.push_back(std::move(orderer));
  }
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + patience.micros;
  std::optional<std::int64_t> submitted;  // when
  for (;;) {
    std::size_t know_it = 0, reached = 0;
    Error last;
    for (const Orderer& orderer : orderers) {
      const auto current = orderer.configuration();
      if (!current) {
        last = current.error();
        continue;
      }
      ++reached;
      if (takes_part(*current, organisation)) {
        ++know_it;
      } else if (!submitted || clock->monotonic_micros() - *submitted > kResubmit.micros) {
        SYNOD_TRY(const common::ConfigUpdate update, admission(members.channel, *current, wanted, organisation));
        const Status taken = orderer.submit(signed_update(members, update));
        // Accepted is not ordered. What was accepted before and has come through is no reason to accept it again.
        if (!taken && taken.error().id != "ORDERING_UNAVAILABLE" && !submitted) return taken;
        if (taken)
          submitted = clock->monotonic_micros();
        else
          last = taken.error();
      }
    }
    if (reached > 0 && know_it == reached) return {};
    if (clock->monotonic_micros() > give_up)
      return fail(last.id.empty()
                      ? unavailable("ORDERING_UNAVAILABLE", "not all orderers know of " + organisation + " in time")
                      : last);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace synod::ordering::fabric
