#include "sequencer/sequencer_node.h"

namespace synod::sequencer {
namespace {

void describe_writer(config::Fields& f, WriterConfig& c) {
  f.integer("max-batch-bytes", c.max_batch_bytes, "A sealed batch is closed at this size.");
  f.integer("max-waiting-bytes", c.max_waiting_bytes,
            "Requests not sealed yet, and as many on their way there; more are refused as overloaded.");
  f.integer("max-unordered-batches", c.max_unordered_batches, "Sealed batches not yet seen in a block.");
  f.integer("max-submissions", c.max_submissions, "Sealed batches that the ordering service has not answered.");
  f.integer("eager-batches", c.eager_batches,
            "With so many of those, requests gather until a batch is full or one of them is seen.");
  f.integer("busy-requests", c.busy_requests,
            "When so many came within busy-time, batches gather for gather-time; 0: never.");
  f.duration("busy-time", c.busy_time, "See busy-requests.");
  f.duration("gather-time", c.gather_time, "From one batch to the next while requests come fast; 0s: never.");
  f.duration("resubmit-after", c.resubmit_after, "A batch that is not seen in a block for so long is submitted again.");
  f.duration("retry-delay", c.retry_delay, "Wait after a refusal that is worth another attempt; doubles up to 2 s.");
}

}  // namespace

void describe(config::Fields& f, SequencerConfig& c) {
  f.object(
      "writer", [&](config::Fields& inner) { describe_writer(inner, c.writer); }, "Getting requests into the log.");
  f.object("pruning", [&](config::Fields& inner) { describe(inner, c.pruning); }, "Removing acknowledged events.");
  f.duration("nonce-lifetime", c.nonce_lifetime, "How long a challenge may be answered.");
  f.duration("token-lifetime", c.token_lifetime, "How long a client stays authenticated.");
  f.integer("max-tokens-per-member", c.max_tokens_per_member, "The oldest goes.");
  f.integer("max-subscriptions-per-member", c.max_subscriptions_per_member, "A further one ends the oldest.");
  f.integer("max-downloads-per-member", c.max_downloads_per_member,
            "Topology downloads at the same time; a further one is refused as overloaded.");
  f.integer("max-nonces", c.max_nonces, "Members with an open challenge.");
  f.size("max-stream-bytes", c.max_stream_bytes, "Queued towards one slow subscriber.");
  f.size("signed-event-cache", c.signed_event_cache_bytes, "Signed events kept for other subscriptions.");
  f.size("fresh-event-bytes", c.fresh_event_bytes,
         "New events on their way from their block to subscribers; what is more is read from the cache.");
  f.duration("acknowledgement-interval", c.acknowledgement_interval,
             "Per member; further acknowledgements within it are not written.");
  f.integer("catch-up-threads", c.catch_up_threads, "Threads that check signatures when several blocks wait.");
  f.size("admitted-bytes", c.admitted_bytes,
         "Submissions taken here that are kept decoded until their block comes; beyond it they are decoded again.");
  f.integer("block-window", c.block_window, "Blocks requested ahead from the log.");
  f.duration("tick-interval", c.tick_interval, "At most one tick in this time.");
  f.duration("stall-patience", c.stall_patience,
             "When a step takes longer, as one that waits for a cache which hangs, members are sent to others.");
  f.duration("stop-patience", c.stop_patience,
             "A planned stop waits so long for the ordering service to take what members were promised.");
  f.integer("max-requests-per-second", c.max_requests_per_second,
            "Per member; 0: only the synchronizer's own parameter applies.");
}

}  // namespace synod::sequencer
