#include "testnet/fabric_ordering.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "node/node_file.h"
#include "ordering/engines/fabric_engine.h"
#include "ordering/fabric/channel_change.h"
#include "testnet/certificates.h"

namespace synod::testnet {
namespace {

namespace engines = ordering::engines;

constexpr char kChannel[] = "synod";
constexpr char kClientUnit[] = "client";  // by its unit Fabric tells a client from an administrator or a peer

class FabricOrdering final : public OrderingEngine {
 public:
  explicit FabricOrdering(const NetworkPlan& plan) : bft_(plan.ordering == "fabric-bft") {
    config_.folder = plan.folder + "/ordering";
    config_.consensus = bft_ ? engines::FabricConsensus::smartbft : engines::FabricConsensus::etcdraft;
    config_.orderers = bft_ ? 4 : 3;
    config_.organisations.clear();  // as prepared
    for (const NodePlan* node : plan.with_role(Role::sequencer)) founders_.push_back(node->organisation);
  }

  Status prepare(const Progress& progress) override {
    SYNOD_TRY(const auto tools, engines::fabric_tools("", progress));
    progress(fmt::format("  making Fabric's identities and the channel of {} {} orderers", config_.orderers,
                         to_string(config_.consensus)));
    engines::FabricEngineConfig config = config_;
    config.organisations = founders_;
    SYNOD_TRY(std::ignore, engines::FabricEngine::open(tools, config));
    return {};
  }

  Status start(Duration patience, const Progress& progress) override {
    SYNOD_TRY(const auto tools, engines::fabric_tools("", progress));
    SYNOD_TRY(auto engine, engines::FabricEngine::open(tools, config_));
    SYNOD_RETURN_IF_ERROR(engine.start(patience));
    SYNOD_RETURN_IF_ERROR(engine.open_channel(kChannel, patience));
    for (std::size_t i = 0; i < engine.size(); ++i)
      progress(fmt::format("  {:<28} ready at {}", "Fabric's " + engines::orderer_msp_id(i), engine.endpoint(i)));
    return {};
  }

  bool stop(Duration patience) override {
    // The processes are known by the folder alone.
    auto engine = engines::FabricEngine::open({}, config_);
    return !engine || engine->stop(patience);
  }

  std::vector<NetworkProcess> processes() const override {
    std::vector<NetworkProcess> all;
    if (!std::filesystem::exists(config_.folder)) return all;
    const auto engine = engines::FabricEngine::open({}, config_);
    if (!engine) return all;
    for (std::size_t i = 0; i < engine->size(); ++i)
      all.push_back({.name = "fabric-orderer" + std::to_string(i + 1),
                     .role = std::string(to_string(config_.consensus)) + " orderer",
                     .log_file = engine->orderer(i).log_file,
                     .port = engine->network().orderers[i].service,
                     .running = [process = engine->orderer(i)] { return process.running(); },
                     .start = [config = config_, i](Duration patience) -> Status {
                       SYNOD_TRY(const auto tools, engines::fabric_tools("", [](const std::string&) {}));
                       SYNOD_TRY(const auto engine, engines::FabricEngine::open(tools, config));
                       SYNOD_RETURN_IF_ERROR(engine.orderer(i).start());
                       return engine.wait_serving(i, patience);
                     },
                     .kill = [process = engine->orderer(i)] { return ended(process, SIGKILL); },
                     .stop = [process = engine->orderer(i)] { return ended(process, SIGTERM); }});
    return all;
  }

  Status admit(const NodePlan& sequencer, Duration patience, const Progress& progress) override {
    SYNOD_TRY(const auto tools, engines::fabric_tools("", progress));
    SYNOD_TRY(auto engine, engines::FabricEngine::open(tools, config_));
    const std::string& newcomer = sequencer.organisation;
    ordering::fabric::ChannelMembers members;
    members.channel = kChannel;
    for (const std::string& member : engine.network().organisations) {
      if (member == newcomer) continue;
      const engines::FabricAdministrator administrator = engine.administrator(member);
      SYNOD_TRY(auto identity, ordering::fabric_wire::SigningIdentity::from_files(
                                   administrator.msp_id, administrator.certificate, administrator.key));
      members.administrators.push_back(std::move(identity));
      const engines::FabricAccess access = engine.access(member, kChannel);
      members.endpoints = access.endpoints;
      members.tls = {access.tls_roots, access.tls_certificate, access.tls_key};
    }
    // Alone it needs nobody's consent, and was there from the beginning.
    if (members.administrators.empty()) return {};
    progress("  issuing Fabric identities of " + newcomer + "; the channel's organisations let it in");
    SYNOD_TRY(const std::string block_file, engine.add_organisation(newcomer, kChannel));
    return ordering::fabric::admit_organisation(members, newcomer, file_bytes(block_file).value_or(""), patience);
  }

  // The channel trusts the organisation's authorities, not single certificates: nobody has to be told.
  Result<std::vector<std::string>> renew_identity(const NodePlan& sequencer) override {
    const std::string& organisation = sequencer.organisation;
    SYNOD_TRY(const auto engine, engines::FabricEngine::open({}, config_));
    const engines::FabricAccess own = engine.access(organisation, kChannel);
    const engines::FabricAuthorities by = engine.authorities(organisation);
    const std::string name = "User1@" + organisation + ".synod";
    SYNOD_RETURN_IF_ERROR(reissue({own.certificate, own.key, by.certificate, by.key}, name, organisation, kClientUnit));
    SYNOD_RETURN_IF_ERROR(
        reissue({own.tls_certificate, own.tls_key, by.tls_certificate, by.tls_key}, name, organisation, ""));
    return std::vector<std::string>{own.certificate, own.tls_certificate};
  }

  Status configure(const NodePlan& sequencer, node::NodeFile& file) const override {
    SYNOD_TRY(const auto engine, engines::FabricEngine::open({}, config_));
    const auto& all = engine.network().organisations;
    const auto own = std::find(all.begin(), all.end(), sequencer.organisation);
    if (own == all.end())
      return fail(failed_precondition("FABRIC_ORGANISATION_UNKNOWN",
                                      sequencer.organisation + " has no identities at the ordering service"));
    const auto index = static_cast<std::size_t>(own - all.begin());
    engines::FabricAccess access = engine.access(all[index], kChannel);
    // Each begins with another orderer: an organisation would prefer its own.
    std::rotate(access.endpoints.begin(),
                access.endpoints.begin() + static_cast<std::ptrdiff_t>(index % access.endpoints.size()),
                access.endpoints.end());
    file.sequencer.engines.engine = "fabric";
    node::FabricSection& section = file.sequencer.engines.fabric;
    section.addresses = access.endpoints;
    section.consensus = bft_ ? "smartbft" : "etcdraft";
    section.channel = access.channel;
    section.channel_block = access.channel_block;
    section.ca = access.tls_roots;
    section.certificate = access.tls_certificate;
    section.private_key = access.tls_key;
    section.msp_id = access.msp_id;
    section.signing_certificate = access.certificate;
    section.signing_key = access.key;
    return {};
  }

 private:
  const bool bft_;
  engines::FabricEngineConfig config_;
  std::vector<std::string> founders_;
};

}  // namespace

std::unique_ptr<OrderingEngine> fabric_ordering(const NetworkPlan& plan) {
  return std::make_unique<FabricOrdering>(plan);
}

}  // namespace synod::testnet
