#include "sequencer/client/config.h"

#include "rpc/message_limit.h"

namespace synod::sequencer::client {

void describe(config::Fields& f, Amplification& a) {
  f.integer("factor", a.factor, "Sequencers that get a submission while no receipt is seen.");
  f.duration("patience", a.patience, "Wait for the receipt before the next sequencer is tried.");
}

void describe(config::Fields& f, ClientConfig& c) {
  f.text("synchronizer", c.synchronizer, "Physical synchronizer id to insist on; empty: what the sequencers agree on.");
  f.integer("trust-threshold", c.trust_threshold, "So many distinct sequencers must agree on everything.");
  f.integer("liveness-margin", c.liveness_margin, "Subscriptions beyond the trust threshold.");
  f.object(
      "amplification", [&](config::Fields& a) { describe(a, c.amplification); },
      "When a submission goes to more than one sequencer.");
  f.duration("call-timeout", c.call_timeout, "Deadline of a single call.");
  f.duration("min-restart-delay", c.min_restart_delay,
             "First delay before a failed connection is tried again; it doubles.");
  f.duration("max-restart-delay", c.max_restart_delay, "Longest such delay.");
  f.duration("keepalive-interval", c.keepalive_interval, "A silent sequencer is pinged this often.");
  f.duration("keepalive-timeout", c.keepalive_timeout,
             "Without an answer for this long the connection counts as lost.");
  f.duration(
      "probe-timeout", c.probe_timeout,
      "A sequencer that owes a receipt is asked whether it lives; so long without an answer, it counts as lost.");
  f.duration("return-delay", c.return_delay,
             "A subscription leaves a fallback when a preferred sequencer has been usable for this long.");
  f.duration("token-refresh-margin", c.token_refresh_margin, "A token is renewed so long before it expires.");
  f.duration("acknowledge-interval", c.acknowledge_interval, "How often processed events are acknowledged.");
  f.duration("quiet-interval", c.quiet_interval,
             "After so long without an event an empty submission makes one, which is acknowledged: what a quiet member "
             "has not acknowledged, sequencers cannot prune.");
  f.duration("verify-active-interval", c.verify_active_interval,
             "How often a joining member asks whether it is active.");
  f.duration("tick-delay", c.tick_delay, "Silence after an awaited time until an empty submission moves the time.");
  f.size("max-unprocessed-bytes", c.max_unprocessed_bytes, "Events received but not processed, per subscription.");
  f.integer("max-pending-sends", c.max_pending_sends, "Submissions waiting for their receipt.");
  f.size_within("max-response-bytes", c.max_response_bytes, rpc::kLeastMessageLimit, rpc::kGreatestMessageLimit,
                "Largest message accepted from a sequencer.");
}

}  // namespace synod::sequencer::client
