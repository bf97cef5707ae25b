#include "sequencer/client/config.h"

#include "rpc/message_limit.h"

namespace synod::sequencer::client {
namespace {

void describe_endpoint(config::Fields& f, Endpoint& e) {
  f.text("name", e.name, "Name of this address in logs and status.");
  f.text("address", e.address, "host:port of the sequencer's public API.");
  rpc::ClientTls tls = e.tls.value_or(rpc::ClientTls{});
  bool enabled = e.tls.has_value();
  std::string ca = tls.ca_file.value_or(""), chain = tls.certificate_chain_file.value_or("");
  std::string key = tls.private_key_file.value_or("");
  f.flag("tls", enabled, "Whether the connection is encrypted.");
  f.text("ca_file", ca, "PEM file of trusted issuers; empty: the system's.");
  f.text("certificate_chain_file", chain, "Own certificate for mutual TLS, PEM.");
  f.text("private_key_file", key, "Its private key, PEM.");
  const auto optional = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string>(text);
  };
  e.tls = enabled ? std::optional<rpc::ClientTls>({optional(ca), optional(chain), optional(key)}) : std::nullopt;
}

}  // namespace

void describe(config::Fields& f, ClientConfig& c) {
  f.list("endpoints", c.endpoints, describe_endpoint, "Addresses of sequencers.");
  f.text("synchronizer", c.synchronizer, "Physical synchronizer id to insist on; empty: what the sequencers agree on.");
  f.integer("trust_threshold", c.trust_threshold, "So many distinct sequencers must agree on everything.");
  f.integer("liveness_margin", c.liveness_margin, "Subscriptions beyond the trust threshold.");
  f.object(
      "amplification",
      [&](config::Fields& a) {
        a.integer("factor", c.amplification.factor, "Sequencers that get a submission while no receipt is seen.");
        a.duration("patience", c.amplification.patience, "Wait for the receipt before the next sequencer is tried.");
      },
      "When a submission goes to more than one sequencer.");
  f.duration("call_timeout", c.call_timeout, "Deadline of a single call.");
  f.duration("min_restart_delay", c.min_restart_delay,
             "First delay before a failed connection is tried again; it doubles.");
  f.duration("max_restart_delay", c.max_restart_delay, "Longest such delay.");
  f.duration("keepalive_interval", c.keepalive_interval, "A silent sequencer is pinged this often.");
  f.duration("keepalive_timeout", c.keepalive_timeout,
             "Without an answer for this long the connection counts as lost.");
  f.duration(
      "probe_timeout", c.probe_timeout,
      "A sequencer that owes a receipt is asked whether it lives; so long without an answer, it counts as lost.");
  f.duration("return_delay", c.return_delay,
             "A subscription leaves a fallback when a preferred sequencer has been usable for this long.");
  f.duration("token_refresh_margin", c.token_refresh_margin, "A token is renewed so long before it expires.");
  f.duration("acknowledge_interval", c.acknowledge_interval, "How often processed events are acknowledged.");
  f.duration("quiet_interval", c.quiet_interval,
             "After so long without an event an empty submission makes one, which is acknowledged: what a quiet member "
             "has not acknowledged, sequencers cannot prune.");
  f.duration("verify_active_interval", c.verify_active_interval,
             "How often a joining member asks whether it is active.");
  f.duration("tick_delay", c.tick_delay, "Silence after an awaited time until an empty submission moves the time.");
  f.size("max_unprocessed_bytes", c.max_unprocessed_bytes, "Events received but not processed, per subscription.");
  f.integer("max_pending_sends", c.max_pending_sends, "Submissions waiting for their receipt.");
  f.size_within("max_response_bytes", c.max_response_bytes, rpc::kLeastMessageLimit, rpc::kGreatestMessageLimit,
                "Largest message accepted from a sequencer.");
}

}  // namespace synod::sequencer::client
