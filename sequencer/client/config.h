// Settings of a member's connection to a synchronizer. Defaults follow Canton's where Canton has the setting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "rpc/tls.h"

namespace synod::sequencer::client {

// One address of one sequencer. Several endpoints may belong to the same sequencer; then one is used at a time.
struct Endpoint {
  std::string name;     // for logs
  std::string address;  // host:port
  std::optional<rpc::ClientTls> tls;
  bool fallback = false;  // only while no sequencer without this mark can be used: another organisation's, for example
};

// When a submission is sent to more than one sequencer.
struct Amplification {
  // How many sequencers get a submission while no receipt is seen; 1: the next one only after a failure.
  std::uint32_t factor = 2;
  // How long to wait for the receipt after a sequencer has taken the submission. When the connection to that sequencer
  // breaks, the next one gets it at once.
  Duration patience = Duration::seconds(3);
};

struct ClientConfig {
  std::vector<Endpoint> endpoints;
  // Physical synchronizer id: only this one is accepted. Empty: the one that trust_threshold sequencers agree on.
  std::string synchronizer;
  // So many distinct sequencers must agree on the synchronizer, on the topology snapshot, and on each event.
  std::uint32_t trust_threshold = 1;
  // Subscriptions beyond trust_threshold, so that one slow or failed sequencer delays nothing.
  std::uint32_t liveness_margin = 0;
  Amplification amplification;

  Duration call_timeout = Duration::seconds(10);
  Duration min_restart_delay = Duration::milliseconds(10);  // of a failed connection or subscription, doubled up to max
  Duration max_restart_delay = Duration::seconds(2);
  // A silent sequencer is pinged this often; Canton's end connections that ping them more often than every 20 s.
  Duration keepalive_interval = Duration::seconds(40);
  Duration keepalive_timeout = Duration::seconds(15);  // no answer for this long: the connection counts as lost
  // Sequencers that owe a receipt or an event for amplification.patience are asked whether they live; no answer for
  // this long: the connection counts as lost.
  Duration probe_timeout = Duration::seconds(3);
  // A subscription at a fallback moves back when another sequencer has been usable for this long.
  Duration return_delay = Duration::seconds(10);
  Duration token_refresh_margin = Duration::seconds(20);  // before a token expires
  Duration acknowledge_interval = Duration::seconds(60);
  // Without an event for so long an empty submission makes one: a quiet member has nothing new to acknowledge, and
  // would hold back the sequencers' pruning for ever.
  Duration quiet_interval = Duration::seconds(3600);
  Duration verify_active_interval = Duration::milliseconds(100);
  // Receipts of submissions without a max sequencing time and waits for a time are helped by an empty submission when
  // nothing has been sequenced for this long after the awaited time.
  Duration tick_delay = Duration::milliseconds(500);
  std::uint64_t max_unprocessed_bytes = 16u << 20;  // events received and not yet processed, per subscription
  std::uint64_t max_pending_sends = 10'000;         // beyond: SUBMISSION_QUEUE_FULL
  std::uint64_t max_response_bytes = 64u << 20;
};

void describe(config::Fields& f, Amplification& a);
void describe(config::Fields& f, ClientConfig& c);  // all but the endpoints, which each node says in its own way

}  // namespace synod::sequencer::client
