#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>

#include "base/config.h"
#include "canton/sequencer_admin_v30.grpc.pb.h"
#include "cli/commands.h"
#include "rpc/error_status.h"
#include "synod/sequencer_operations.grpc.pb.h"

namespace synod::cli {
namespace {

namespace ops = ::synod::sequencer::operations::v1;
namespace canton = ::com::digitalasset::canton::sequencer::admin::v30;

struct SequencerOptions {
  std::string admin = "127.0.0.1:5019";
  std::string member, out, before, retention;
  bool dry_run = false, json = false;
  int timeout_seconds = 60;
};

std::shared_ptr<grpc::Channel> channel_to(const SequencerOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(options.admin, grpc::InsecureChannelCredentials(), arguments);
}

Status done(const grpc::Status& status) {
  if (status.ok()) return {};
  return fail(rpc::from_grpc_status(status));
}

template <typename Call>
Status call(const SequencerOptions& options, Call run) {
  const auto stub = ops::SequencerOperations::NewStub(channel_to(options));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(options.timeout_seconds));
  return done(run(*stub, context));
}

std::string time_of(std::int64_t micros) { return Timestamp{micros}.to_string(); }

// Members that never acknowledged need everything since their registration, which may be the beginning of time.
std::string safe_of(std::int64_t micros) {
  return micros <= 0 ? "nothing is safe to prune yet" : "what is before " + time_of(micros) + " is safe to prune";
}

// As times are printed: 2026-07-01T12:30:00Z, fractions of a second optional.
Result<Timestamp> parse_time(const std::string& text) {
  std::tm fields{};
  int fraction_begin = 0, end = 0;
  long fraction = 0;
  const int read =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n.%6ld%n", &fields.tm_year, &fields.tm_mon, &fields.tm_mday,
                  &fields.tm_hour, &fields.tm_min, &fields.tm_sec, &fraction_begin, &fraction, &end);
  if (read < 6 || text.substr(static_cast<std::size_t>(std::max(fraction_begin, end))) != "Z") {
    return fail(invalid_argument("INVALID_TIME", "'" + text + "' is no time such as 2026-07-01T12:30:00Z"));
  }
  for (int digits = end - fraction_begin - 1; read == 7 && digits < 6; ++digits) fraction *= 10;
  fields.tm_year -= 1900;
  fields.tm_mon -= 1;
  return Timestamp{std::int64_t{timegm(&fields)} * 1'000'000 + fraction};
}

void print_member(const ops::MemberDetails& member) {
  std::cout << fmt::format("  {}: {}, acknowledged {}{}\n", member.member(), member.enabled() ? "enabled" : "disabled",
                           member.has_acknowledged() ? time_of(member.acknowledged()) : "nothing",
                           member.holds_back() ? "" : "; pruning does not wait for it");
}

boost::json::object to_json(const ops::MemberDetails& member) {
  boost::json::object json{
      {"member", member.member()}, {"enabled", member.enabled()}, {"holdsBackPruning", member.holds_back()}};
  if (member.has_acknowledged()) json["acknowledged"] = time_of(member.acknowledged());
  return json;
}

template <typename Members>
boost::json::array to_json(const Members& members) {
  boost::json::array all;
  for (const auto& member : members) all.push_back(to_json(member));
  return all;
}

std::string as_json(const ops::Details& details) {
  boost::json::object json{{"sequencer", details.sequencer()},
                           {"healthy", details.problem().empty()},
                           {"reason", details.problem()},
                           {"height", details.height()},
                           {"sequencingTime", time_of(details.sequencing_time())},
                           {"members", to_json(details.members())}};
  if (details.has_log_head()) json["logHead"] = details.log_head();
  if (details.has_lower_bound()) json["eventsFrom"] = time_of(details.lower_bound() + 1);
  if (details.safe_to_prune() > 0) json["safeToPruneBefore"] = time_of(details.safe_to_prune());
  boost::json::array peers;
  for (const auto& peer : details.peers())
    peers.push_back({{"sequencer", peer.sequencer()}, {"height", peer.height()}, {"diverged", peer.diverged()}});
  json["otherSequencers"] = std::move(peers);
  return boost::json::serialize(json) + "\n";
}

void print(const ops::Details& details) {
  std::cout << details.sequencer() << "\n"
            << fmt::format("height {}{}, sequencing time {}\n", details.height(),
                           details.has_log_head() ? fmt::format(" of {}", details.log_head()) : "",
                           time_of(details.sequencing_time()))
            << (details.problem().empty() ? "takes requests" : details.problem()) << "\n"
            << "events from "
            << (details.has_lower_bound() ? time_of(details.lower_bound() + 1) : std::string("the beginning")) << "; "
            << safe_of(details.safe_to_prune()) << "\n"
            << "members:\n";
  for (const auto& member : details.members()) print_member(member);
  if (details.peers_size() > 0) std::cout << "other sequencers:\n";
  for (const auto& peer : details.peers())
    std::cout << fmt::format("  {}: at height {}{}\n", peer.sequencer(), peer.height(),
                             peer.diverged() ? ", came to ANOTHER STATE than this sequencer" : "");
}

Status status(const SequencerOptions& options, bool& unhealthy) {
  ops::Details details;
  SYNOD_RETURN_IF_ERROR(
      call(options, [&](auto& stub, auto& context) { return stub.GetDetails(&context, {}, &details); }));
  unhealthy = !details.problem().empty();
  for (const auto& peer : details.peers()) unhealthy = unhealthy || peer.diverged();
  if (options.json) {
    std::cout << as_json(details);
  } else {
    print(details);
  }
  return {};
}

std::string as_json(const ops::PruneResponse& response, bool dry_run) {
  return boost::json::serialize(boost::json::object{{"dryRun", dry_run},
                                                    {"before", time_of(response.before())},
                                                    {"events", response.events()},
                                                    {"bytes", response.bytes()},
                                                    {"inboxEntries", response.entries()},
                                                    {"heldBackBy", to_json(response.holding_back())}}) +
         "\n";
}

Status prune(const SequencerOptions& options) {
  ops::PruneRequest request;
  request.set_dry_run(options.dry_run);
  if (!options.before.empty()) {
    SYNOD_TRY(const Timestamp before, parse_time(options.before));
    request.set_before(before.micros);
  }
  if (!options.retention.empty()) {
    SYNOD_TRY(const Duration retention, config::parse_duration(options.retention));
    request.set_retention_micros(retention.micros);
  }
  ops::PruneResponse response;
  SYNOD_RETURN_IF_ERROR(
      call(options, [&](auto& stub, auto& context) { return stub.Prune(&context, request, &response); }));
  if (options.json) {
    std::cout << as_json(response, options.dry_run);
    return {};
  }
  std::cout << fmt::format("{} {} events ({} bytes) and {} inbox entries before {}\n",
                           options.dry_run ? "would remove" : "removed", response.events(), response.bytes(),
                           response.entries(), time_of(response.before()));
  if (response.holding_back_size() > 0) std::cout << "held back by:\n";
  for (const auto& member : response.holding_back()) print_member(member);
  return {};
}

Status set_enabled(const SequencerOptions& options, bool enabled) {
  ops::SetMemberEnabledRequest request;
  request.set_member(options.member);
  request.set_enabled(enabled);
  ops::SetMemberEnabledResponse response;
  return call(options, [&](auto& stub, auto& context) { return stub.SetMemberEnabled(&context, request, &response); });
}

Status rotate(const SequencerOptions& options) {
  ops::RotateKeysRequest request;
  request.set_timeout_micros(std::int64_t{1'000'000} * options.timeout_seconds);
  ops::RotateKeysResponse response;
  SYNOD_RETURN_IF_ERROR(
      call(options, [&](auto& stub, auto& context) { return stub.RotateKeys(&context, request, &response); }));
  for (const auto& key : response.added()) std::cout << "new key " << key << "\n";
  for (const auto& key : response.removed()) std::cout << "no longer registered " << key << "\n";
  return {};
}

Status export_state(const SequencerOptions& options) {
  const auto stub = canton::SequencerAdministrationService::NewStub(channel_to(options));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(options.timeout_seconds));
  const auto stream = stub->OnboardingStateV2(&context, {});
  std::ofstream out(options.out, std::ios::binary | std::ios::trunc);
  canton::OnboardingStateV2Response piece;
  std::size_t bytes = 0;
  while (stream->Read(&piece)) {
    out << piece.onboarding_state_for_sequencer();
    bytes += piece.onboarding_state_for_sequencer().size();
  }
  out.close();
  SYNOD_RETURN_IF_ERROR(done(stream->Finish()));
  if (!out) return fail(unavailable("FILE_WRITE_FAILED", "cannot write '" + options.out + "'"));
  std::cout << fmt::format("{} bytes in {}; name the file in sequencer.onboarding-state of the new sequencer\n", bytes,
                           options.out);
  return {};
}

}  // namespace

void add_sequencer_commands(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<SequencerOptions>();
  CLI::App* sequencer = app.add_subcommand("sequencer", "Operating a running sequencer, over its admin port");
  sequencer->require_subcommand(1);
  const auto command = [&, options](const char* name, const char* help, auto run) {
    CLI::App* sub = sequencer->add_subcommand(name, help);
    sub->add_option("--admin", options->admin, "host:port of the sequencer's admin port")->capture_default_str();
    sub->add_option("--timeout-seconds", options->timeout_seconds, "Give up after this")->capture_default_str();
    sub->callback([&outcome, options, run] { outcome.status = run(*options); });
    return sub;
  };
  command("status", "Position, members and their acknowledgements, other sequencers; exit code 3 if not healthy",
          [&outcome](const SequencerOptions& o) { return status(o, outcome.unhealthy); })
      ->add_flag("--json", options->json, "As one JSON object");
  CLI::App* prune_command = command("prune", "Remove events that every enabled member has acknowledged", prune);
  prune_command->add_flag("--json", options->json, "As one JSON object");
  prune_command->add_flag("--dry-run", options->dry_run, "Only say what would be removed, and who holds it back");
  prune_command->add_option("--before", options->before, "Exactly before this time; refused if a member needs them");
  prune_command->add_option("--retention", options->retention, "Keep what is younger (default: as configured)");
  for (const bool enabled : {false, true}) {
    command(enabled ? "enable-member" : "disable-member",
            enabled ? "Let a member in again" : "Shut a member out; pruning no longer waits for it",
            [enabled](const SequencerOptions& o) { return set_enabled(o, enabled); })
        ->add_option("member", options->member, "PAR::name::fingerprint or MED::…")
        ->required();
  }
  command("rotate-keys", "Replace protocol and authentication keys while it runs", rotate);
  command("export-state", "What another sequencer starts from when it joins", export_state)
      ->add_option("file", options->out, "Where to write it")
      ->required();
}

}  // namespace synod::cli
