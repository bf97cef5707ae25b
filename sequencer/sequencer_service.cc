// SequencerService: what an authenticated member does.
#include <grpcpp/server_context.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "canton/sequencer_api_v30.grpc.pb.h"
#include "rpc/pull_writer.h"
#include "rpc/stream_writer.h"
#include "rpc/unary.h"
#include "sequencer/concurrent_calls.h"
#include "sequencer/deliver_error.h"
#include "sequencer/node_state.h"
#include "sequencer/pruning.h"
#include "sequencer/public_services.h"
#include "topology/genesis.h"

namespace synod::sequencer {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;

constexpr std::size_t kItemsPerMessage = 100;  // of a topology download, as in Canton

class SubscribeSink final : public EventSink {
 public:
  explicit SubscribeSink(rpc::ServerStreamPtr<api::SubscriptionResponse> stream) : stream_(std::move(stream)) {}

  bool push(const std::vector<Event>& events) override {
    std::vector<api::SubscriptionResponse> responses(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      responses[i].set_signed_sequenced_event(*events[i].signed_bytes);
      auto* trace = responses[i].mutable_trace_context();
      if (!events[i].traceparent.empty()) trace->set_traceparent(events[i].traceparent);
    }
    return stream_->write_all(std::move(responses)) == rpc::WriteOutcome::accepted;
  }
  void end(std::optional<Error> error) override {  // whoever ends it says why
    stream_->finish(error ? rpc::to_grpc_status(*error) : grpc::Status::OK, rpc::quietly);
  }

 private:
  rpc::ServerStreamPtr<api::SubscriptionResponse> stream_;
};

// A call without a good token.
struct Unauthenticated {
  grpc::Status status;
  Error reason;  // with the code that the trailer tells, where there is one
};

class SequencerService final : public api::SequencerService::CallbackService {
 public:
  explicit SequencerService(NodeState& node) : node_(node), downloads_(node.config().max_downloads_per_member) {}

  grpc::ServerUnaryReactor* SendAsync(grpc::CallbackServerContext* context, const api::SendAsyncRequest* request,
                                      api::SendAsyncResponse* response) override {
    return rpc::answer(context, response, [&](rpc::CallContext& call, rpc::Reply<api::SendAsyncResponse> reply) {
      const auto session = authenticate(call);
      if (!session) return reply.status(session.error().status, session.error().reason);
      if (const auto status = node_.accepting(); !status) return reply.error(status.error());
      const auto view = node_.view();
      const Timestamp now = node_.parts().clock->now();
      auto submission = admit_submission(request->signed_submission_request(), session->member, view->current,
                                         std::max(now, view->last_time));
      if (!submission) return reply.error(submission.error());
      if (!within_rate(*submission, view->current, now)) {
        return reply.error(
            overloaded("Submission rate exceeds the rate limit of " + session->member.to_string() + "."));
      }
      node_.admitted().remember(request->signed_submission_request(), std::move(*submission));
      node_.submit(SealedEntry{SubmissionEntry{request->signed_submission_request()}, call.traceparent()},
                   [reply](Status status) {
                     if (!status) return reply.error(status.error());
                     reply(api::SendAsyncResponse());
                   });
    });
  }

  grpc::ServerWriteReactor<api::SubscriptionResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                                 const api::SubscriptionRequest* request) override {
    rpc::StreamLimits limits;
    limits.max_queued_bytes = node_.config().max_stream_bytes;
    return rpc::stream_answer<api::SubscriptionResponse>(
        context, limits, [&](rpc::CallContext& call, rpc::ServerStreamPtr<api::SubscriptionResponse> stream) {
          const auto session = authenticate(call);
          if (!session) return stream->finish(session.error().status, session.error().reason);
          if (const auto status = permitted(*session, request->member()); !status.ok()) return stream->finish(status);
          const auto view = node_.view();
          const auto number = view->members->find(session->member);
          if (number == view->members->end()) {
            return stream->finish(
                {grpc::StatusCode::FAILED_PRECONDITION, "UnknownMember(" + session->member.to_string() + ")"});
          }
          const Timestamp from = request->has_timestamp() ? Timestamp{request->timestamp()} : Timestamp::min();
          log::info("sequencer", "{} subscribes from {}", session->member.to_string(), from.to_string());
          if (const auto there = available(session->member, number->second.since, *request); !there) {
            return stream->finish({grpc::StatusCode::FAILED_PRECONDITION, there.error().cause}, there.error());
          }
          auto& subscriptions = node_.subscriptions();
          const SubscriptionId id = subscriptions.add(session->member, number->second.number, from, session->expires_at,
                                                      std::make_shared<SubscribeSink>(stream));
          stream->on_drained([&subscriptions, id] { subscriptions.drained(id); });
          stream->on_closed([&subscriptions, id] { subscriptions.gone(id); });
        });
  }

  grpc::ServerUnaryReactor* AcknowledgeSigned(grpc::CallbackServerContext* context,
                                              const api::AcknowledgeSignedRequest* request,
                                              api::AcknowledgeSignedResponse* response) override {
    return rpc::answer(
        context, response, [&](rpc::CallContext& call, rpc::Reply<api::AcknowledgeSignedResponse> reply) {
          const auto session = authenticate(call);
          if (!session) return reply.status(session.error().status, session.error().reason);
          const auto view = node_.view();
          const auto admitted = admit_acknowledgement(request->signed_acknowledge_request(), session->member,
                                                      view->current, view->last_time);
          if (!admitted) return reply.error(admitted.error());
          // Answered at once: an acknowledgement that is lost is made up for by the next one.
          if (node_.accepting() && due(session->member)) {
            node_.submit(SealedEntry{AcknowledgementEntry{request->signed_acknowledge_request()}, call.traceparent()},
                         [](Status) {});
          }
          reply(api::AcknowledgeSignedResponse());
        });
  }

  grpc::ServerWriteReactor<api::DownloadTopologyStateForInitResponse>* DownloadTopologyStateForInit(
      grpc::CallbackServerContext* context, const api::DownloadTopologyStateForInitRequest* request) override {
    using Response = api::DownloadTopologyStateForInitResponse;
    rpc::StreamLimits limits;
    limits.max_queued_bytes = node_.config().max_stream_bytes;
    return rpc::stream_answer<Response>(
        context, limits, [&](rpc::CallContext& call, rpc::ServerStreamPtr<Response> stream) {
          const auto session = authenticate(call);
          if (!session) return stream->finish(session.error().status, session.error().reason);
          const auto member = protocol::Member::parse(request->member());
          if (!member) return stream->abort(malformed("member", member.error().cause));
          auto slot = downloads_.begin(session->member);
          if (!slot) return stream->abort(too_many_downloads(session->member));
          node_.with_core([stream, slot = std::move(slot), member = *member](const SequencerCore& core) mutable {
            auto snapshot = initial_topology(core, member);
            if (!snapshot) return stream->abort(snapshot.error());
            // Encoded as the member takes it.
            auto items = std::make_shared<const std::vector<topology::StoredTransaction>>(std::move(*snapshot));
            auto at = std::make_shared<std::optional<std::size_t>>(0);
            rpc::write_pulled<Response>(
                stream, [items, at, slot = std::move(slot)]() mutable -> std::optional<Response> {
                  if (!*at) return std::nullopt;
                  const std::size_t from = **at, to = std::min(items->size(), from + kItemsPerMessage);
                  *at = to < items->size() ? std::optional(to) : std::nullopt;
                  const auto begin = items->begin();
                  Response response;
                  response.ParseFromString(
                      topology::encode_snapshot_messages(
                          {begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to)},
                          kItemsPerMessage)
                          .front());
                  return response;
                });
          });
        });
  }

  grpc::ServerUnaryReactor* DownloadTopologyStateForInitHash(
      grpc::CallbackServerContext* context, const api::DownloadTopologyStateForInitHashRequest* request,
      api::DownloadTopologyStateForInitHashResponse* response) override {
    using Response = api::DownloadTopologyStateForInitHashResponse;
    return rpc::answer(context, response, [&](rpc::CallContext& call, rpc::Reply<Response> reply) {
      const auto session = authenticate(call);
      if (!session) return reply.status(session.error().status, session.error().reason);
      const auto member = protocol::Member::parse(request->member());
      if (!member) return reply.error(malformed("member", member.error().cause));
      auto slot = downloads_.begin(session->member);
      if (!slot) return reply.error(too_many_downloads(session->member));
      node_.with_core([reply, slot = std::move(slot), member = *member](const SequencerCore& core) mutable {
        const auto snapshot = initial_topology(core, member);
        if (!snapshot) return reply.error(snapshot.error());
        Response answer;
        answer.set_topology_state_hash(topology::snapshot_hash(*snapshot).bytes());
        slot.reset();  // the download comes next
        reply(std::move(answer));
      });
    });
  }

  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* context, const api::GetTimeRequest*,
                                    api::GetTimeResponse* response) override {
    return rpc::answer(context, response, [&](rpc::CallContext& call, rpc::Reply<api::GetTimeResponse> reply) {
      const auto session = authenticate(call);
      if (!session) return reply.status(session.error().status, session.error().reason);
      api::GetTimeResponse answer;
      const Timestamp last = node_.view()->last_time;
      if (last > topology::kGenesisTime) answer.set_sequencing_timestamp(last.micros);
      reply(std::move(answer));
    });
  }

  // GetTrafficStateForMember answers UNIMPLEMENTED: there is no traffic control.

 private:
  // What the sequencer still has (or ever had) of what the subscription begins with.
  Status available(const protocol::Member& member, Timestamp since, const api::SubscriptionRequest& request) {
    SYNOD_TRY(const auto lower_bound, read_lower_bound(*node_.parts().store));
    std::optional<Timestamp> from;
    if (request.has_timestamp()) from = Timestamp{request.timestamp()};
    return check_available(member, since, from, lower_bound);
  }

  static Error too_many_downloads(const protocol::Member& member) {
    return overloaded(member.to_string() + " downloads the topology already.");
  }

  static Result<std::vector<topology::StoredTransaction>> initial_topology(const SequencerCore& core,
                                                                           const protocol::Member& member) {
    SYNOD_TRY(const Timestamp at, core.topology().onboarding_time(member));
    return core.topology().export_at(at);
  }

  tl::expected<Session, Unauthenticated> authenticate(rpc::CallContext& call) {
    const auto refuse = [](const std::string& text, const std::string& code = "UNAUTHENTICATED") {
      return tl::unexpected(Unauthenticated{grpc::Status(grpc::StatusCode::UNAUTHENTICATED, text),
                                            Error(code, ErrorCategory::authentication, text)});
    };
    const auto member = call.metadata("memberId");
    const auto synchronizer = call.metadata("synchronizerId");
    const auto token = call.metadata("authToken-bin");
    if (!member || !synchronizer || !token) return refuse("Authentication headers are not set");
    auto session = node_.authenticator().validate(*synchronizer, *member, *token, node_.parts().clock->now());
    if (session) return std::move(*session);
    call.add_trailer("autherrorcode", session.error().code);  // header names travel in lower case
    return refuse("Verification failed for member " + *member + ": " + session.error().reason, session.error().code);
  }

  static grpc::Status permitted(const Session& session, const std::string& member) {
    if (session.member.to_string() == member) return grpc::Status::OK;
    return {grpc::StatusCode::PERMISSION_DENIED,
            "Authenticated member " + session.member.to_string() + " may not act for " + member};
  }

  bool within_rate(const PreparedSubmission& submission, const topology::Snapshot& snapshot, Timestamp now) {
    const auto& sender = submission.request.sender;
    std::uint32_t rate = node_.config().max_requests_per_second;
    if (submission.request.kind() == protocol::SubmissionKind::confirmation_request) {
      const std::uint32_t allowed = snapshot.dynamic_parameters().confirmation_requests_max_rate;
      rate = rate == 0 ? allowed : std::min(rate, allowed);
    }
    return node_.rates().allow(sender, rate, now);
  }

  // One acknowledgement a member in each interval.
  bool due(const protocol::Member& member) {
    const Timestamp now = node_.parts().clock->now();
    std::lock_guard lock(acknowledged_mutex_);
    const auto [entry, is_new] = acknowledged_.try_emplace(member, now);
    if (is_new) return true;
    if (now < entry->second + node_.config().acknowledgement_interval) return false;
    entry->second = now;
    return true;
  }

  NodeState& node_;
  ConcurrentCalls downloads_;  // of the topology, or of its hash
  std::mutex acknowledged_mutex_;
  std::map<protocol::Member, Timestamp> acknowledged_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_sequencer_service(NodeState& node) {
  return std::make_shared<SequencerService>(node);
}

}  // namespace synod::sequencer
