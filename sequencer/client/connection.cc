#include "sequencer/client/connection.h"

#include <google/protobuf/timestamp.pb.h>
#include <grpcpp/channel.h>

#include <algorithm>

#include "base/log.h"
#include "canton/connection_v30.grpc.pb.h"
#include "canton/sequencer_api_v30.grpc.pb.h"
#include "protocol/versioned.h"
#include "rpc/channel.h"
#include "rpc/client_call.h"
#include "rpc/health_watch.h"
#include "rpc/stream_reader.h"
#include "sequencer/client/requests.h"
#include "topology/genesis.h"

namespace synod::sequencer::client {
namespace {

namespace api = com::digitalasset::canton::sequencer::api::v30;
namespace info = com::digitalasset::canton::connection::v30;
using ConnectStub = api::SequencerConnectService::Stub::async_interface;
using AuthStub = api::SequencerAuthenticationService::Stub::async_interface;
using SequencerStub = api::SequencerService::Stub::async_interface;
using InfoStub = info::ApiInfoService::Stub::async_interface;

constexpr const char* api_name = "sequencer-public-api";
constexpr const char* health_service = "sequencer-health-check-service";
constexpr const char* client_version = "0.1.0";

bool token_refused(const Error& error) { return error.category == ErrorCategory::authentication; }

}  // namespace

class Connection::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(ConnectionIndex index, Endpoint endpoint, std::shared_ptr<const ClientConfig> config,
       std::shared_ptr<const ClientParts> parts, ConnectionHandlers handlers)
      : index_(index),
        endpoint_(std::move(endpoint)),
        config_(std::move(config)),
        parts_(std::move(parts)),
        handlers_(std::move(handlers)) {
    status_.name = endpoint_.name.empty() ? endpoint_.address : endpoint_.name;
    status_.address = endpoint_.address;
    status_.state = "stopped";
  }

  // --- life ---

  void start() {
    ++epoch_;
    status_.state = "connecting";
    auto channel = rpc::make_channel({.target = endpoint_.address,
                                      .tls = endpoint_.tls,
                                      .max_response_bytes = static_cast<std::size_t>(config_->max_response_bytes),
                                      .keepalive_interval = config_->keepalive_interval,
                                      .keepalive_timeout = config_->keepalive_timeout});
    if (!channel) return refuse(channel.error());
    channel_ = *channel;
    connect_ = api::SequencerConnectService::NewStub(channel_);
    auth_ = api::SequencerAuthenticationService::NewStub(channel_);
    sequencer_ = api::SequencerService::NewStub(channel_);
    info_ = info::ApiInfoService::NewStub(channel_);
    get_api_info();
  }
  void stop() {
    stopped_ = true;
    close();
    status_.state = "stopped";
  }

  void get_api_info() {
    call<info::GetApiInfoResponse>(
        info_->async(), &InfoStub::GetApiInfo, info::GetApiInfoRequest(), {},
        in_epoch<info::GetApiInfoResponse>([this](auto response) {
          if (response.name() != api_name) {
            return refuse(failed_precondition(
                "SEQUENCER_CONNECTION_REFUSED",
                "It offers '" + response.name() + "' instead of '" + api_name + "': a wrong port?"));
          }
          handshake();
        }));
  }
  void handshake() {
    api::SequencerConnect::HandshakeRequest request;
    request.add_client_protocol_versions(protocol::kProtocolVersion);
    request.set_minimum_protocol_version(protocol::kProtocolVersion);
    request.set_client_version(client_version);
    call<api::SequencerConnect::HandshakeResponse>(
        connect_->async(), &ConnectStub::Handshake, request, member_header(),
        in_epoch<api::SequencerConnect::HandshakeResponse>([this](auto response) {
          if (!response.has_success() || response.server_protocol_version() != protocol::kProtocolVersion) {
            return refuse(failed_precondition("SEQUENCER_CONNECTION_REFUSED",
                                              "It runs protocol version " +
                                                  std::to_string(response.server_protocol_version()) +
                                                  "; only 35 is supported"));
          }
          get_synchronizer_id();
        }));
  }
  void get_synchronizer_id() {
    call<api::SequencerConnect::GetSynchronizerIdResponse>(
        connect_->async(), &ConnectStub::GetSynchronizerId, api::SequencerConnect::GetSynchronizerIdRequest(), {},
        in_epoch<api::SequencerConnect::GetSynchronizerIdResponse>([this](auto response) {
          auto synchronizer = protocol::PhysicalSynchronizerId::parse(response.physical_synchronizer_id());
          auto sequencer = protocol::UniqueId::parse(response.sequencer_uid());
          if (!synchronizer) return refuse(synchronizer.error());
          if (!sequencer) return refuse(sequencer.error());
          get_parameters(Attributes{*synchronizer, protocol::Member::sequencer(*sequencer), {}});
        }));
  }
  void get_parameters(Attributes attributes) {
    call<api::SequencerConnect::GetSynchronizerParametersResponse>(
        connect_->async(), &ConnectStub::GetSynchronizerParameters,
        api::SequencerConnect::GetSynchronizerParametersRequest(), {},
        in_epoch<api::SequencerConnect::GetSynchronizerParametersResponse>([this, attributes](auto response) mutable {
          auto parameters = topology::StaticParameters::parse(response.parameters_v1());
          if (!parameters) return refuse(parameters.error());
          attributes.parameters = *parameters;
          watch(std::move(attributes));
        }));
  }
  // The watch also tells when the connection is gone. It is usable from the first SERVING.
  void watch(Attributes attributes) {
    const std::uint64_t epoch = epoch_;
    auto weak = weak_from_this();
    auto executor = parts_->executor;
    watch_ = rpc::watch_health(channel_, health_service,
                               {[weak, executor, epoch, attributes](bool serving) {
                                  executor->post([weak, epoch, attributes, serving] {
                                    if (auto self = weak.lock(); self && self->epoch_ == epoch)
                                      self->health_changed(attributes, serving);
                                  });
                                },
                                [weak, executor, epoch](const Error& error) {
                                  executor->post([weak, epoch, error] {
                                    if (auto self = weak.lock(); self && self->epoch_ == epoch) self->lost(error);
                                  });
                                }});
  }
  void health_changed(const Attributes& attributes, bool serving) {
    status_.sequencer = attributes.sequencer;
    if (!up_) {
      if (Status accepted = handlers_.on_validated(index_, attributes); !accepted) return refuse(accepted.error());
      up_ = true;
      delay_ = {};
    }
    status_.state = serving ? "serving" : "not serving";
    handlers_.on_serving(index_, serving);
  }

  void refuse(const Error& error) {
    log::error("sequencer-client", "{} ({}) cannot be used: {}", status_.name, status_.address, error.to_string());
    close();
    status_.state = "refused: " + error.cause;
    status_.last_error = error.to_string();
    stopped_ = true;
    handlers_.on_lost(index_, error);
  }
  void lost(const Error& error) {
    if (stopped_) return;
    const bool was_up = up_;
    if (was_up) log::info("sequencer-client", "{} ({}) is gone: {}", status_.name, status_.address, error.to_string());
    close();
    status_.state = "connecting";
    status_.last_error = error.to_string();
    delay_ = std::clamp(delay_ * 2, config_->min_restart_delay, config_->max_restart_delay);
    parts_->executor->after(delay_, [weak = weak_from_this(), epoch = epoch_] {
      if (auto self = weak.lock(); self && !self->stopped_ && self->epoch_ == epoch) self->start();
    });
    if (was_up) handlers_.on_lost(index_, error);
  }
  // Ends everything under way; answers of this epoch no longer count.
  void close() {
    ++epoch_;
    up_ = false;
    probing_ = false;
    token_.reset();
    authenticating_ = false;
    if (watch_) watch_->cancel();
    watch_.reset();
    unsubscribe();
    for (auto& weak : calls_) {
      if (auto pending = weak.lock()) pending->cancel();
    }
    calls_.clear();
    auto waiting = std::move(token_waiters_);
    token_waiters_.clear();
    for (auto& waiter : waiting) waiter(fail(gone()));
    connect_.reset();
    auth_.reset();
    sequencer_.reset();
    info_.reset();
    channel_.reset();
  }
  static Error gone() { return unavailable("UNAVAILABLE", "The connection to the sequencer is gone"); }

  // --- calls ---

  std::vector<std::pair<std::string, std::string>> member_header() const {
    return {{"memberId", parts_->member.to_string()}};
  }

  template <typename Response, typename Stub, typename Interface, typename Request>
  void call(Stub* stub,
            void (Interface::*method)(grpc::ClientContext*, const Request*, Response*,
                                      std::function<void(grpc::Status)>),
            Request request, std::vector<std::pair<std::string, std::string>> headers,
            std::function<void(Result<Response>)> done, std::string traceparent = {},
            std::optional<Duration> deadline = std::nullopt) {
    auto executor = parts_->executor;
    if (calls_.size() >= prune_calls_at_) {
      std::erase_if(calls_, [](const auto& weak) { return weak.expired(); });
      prune_calls_at_ = 2 * calls_.size() + 64;
    }
    calls_.push_back(rpc::unary_call(
        stub, method, std::move(request),
        {.deadline = deadline.value_or(config_->call_timeout),
         .metadata = std::move(headers),
         .traceparent = std::move(traceparent)},
        std::function<void(Result<Response>)>([executor, done = std::move(done)](Result<Response> result) {
          executor->post([done, result = std::move(result)]() mutable { done(std::move(result)); });
        })));
  }
  // For steps of bringing the connection up: a failure restarts it; answers of an earlier life are ignored.
  template <typename Response, typename Next>
  std::function<void(Result<Response>)> in_epoch(Next next) {
    return [weak = weak_from_this(), epoch = epoch_, next = std::move(next)](Result<Response> result) mutable {
      auto self = weak.lock();
      if (!self || self->epoch_ != epoch) return;
      if (!result) return self->lost(result.error());
      next(std::move(*result));
    };
  }
  template <typename Done>
  auto guarded(Done done) {  // nothing after stop()
    return [weak = weak_from_this(), done = std::move(done)](auto result) {
      if (auto self = weak.lock(); self && !self->stopped_) done(std::move(result));
    };
  }

  void verify_active(std::function<void(Result<bool>)> done) {
    if (!connect_) return done(fail(gone()));
    using Response = api::SequencerConnect::VerifyActiveResponse;
    call<Response>(connect_->async(), &ConnectStub::VerifyActive, api::SequencerConnect::VerifyActiveRequest(),
                   member_header(), guarded([done](Result<Response> result) {
                     if (!result) return done(fail(result.error()));
                     done(result->success().is_active());
                   }));
  }
  void register_onboarding(const std::vector<topology::SignedTransaction>& transactions,
                           std::function<void(Status)> done) {
    if (!connect_) return done(fail(gone()));
    api::SequencerConnect::RegisterOnboardingTopologyTransactionsRequest request;
    for (const auto& transaction : transactions) transaction.to_proto(*request.add_topology_transactions());
    using Response = api::SequencerConnect::RegisterOnboardingTopologyTransactionsResponse;
    call<Response>(connect_->async(), &ConnectStub::RegisterOnboardingTopologyTransactions, std::move(request),
                   member_header(), guarded([done](Result<Response> result) {
                     if (!result) return done(fail(result.error()));
                     done({});
                   }));
  }

  void probe() {
    if (!up_ || probing_) return;
    probing_ = true;
    call<info::GetApiInfoResponse>(
        info_->async(), &InfoStub::GetApiInfo, info::GetApiInfoRequest(), {},
        [weak = weak_from_this(), epoch = epoch_](Result<info::GetApiInfoResponse> result) {
          auto self = weak.lock();
          if (!self || self->epoch_ != epoch) return;
          self->probing_ = false;
          if (!result) self->lost(result.error());
        },
        {}, config_->probe_timeout);
  }

  // --- authentication ---

  void set_synchronizer(const protocol::PhysicalSynchronizerId& synchronizer, bool eager) {
    synchronizer_ = synchronizer;
    if (eager && up_ && !token_) with_token([](Result<Bytes>) {});
  }
  void with_token(std::function<void(Result<Bytes>)> done) {
    if (token_) return done(*token_);
    if (!auth_ || !synchronizer_) return done(fail(gone()));
    token_waiters_.push_back(std::move(done));
    if (!authenticating_) authenticate();
  }
  void authenticate() {
    authenticating_ = true;
    api::SequencerAuthentication::ChallengeRequest request;
    request.set_member(parts_->member.to_string());
    request.add_member_protocol_versions(protocol::kProtocolVersion);
    request.set_client_version(client_version);
    using Response = api::SequencerAuthentication::ChallengeResponse;
    call<Response>(auth_->async(), &AuthStub::Challenge, request, authentication_headers(),
                   authentication_step<Response>([this](Response response) { answer_challenge(response); }));
  }
  void answer_challenge(const api::SequencerAuthentication::ChallengeResponse& challenge) {
    auto key = authentication_key(*parts_->keys, {challenge.fingerprints().begin(), challenge.fingerprints().end()});
    if (!key) return got_token(fail(key.error()));
    api::SequencerAuthentication::AuthenticateRequest request;
    request.set_member(parts_->member.to_string());
    request.set_nonce(challenge.nonce());
    authentication_signature(challenge.nonce(), *synchronizer_, *key).to_proto(*request.mutable_signature());
    using Response = api::SequencerAuthentication::AuthenticateResponse;
    call<Response>(auth_->async(), &AuthStub::Authenticate, std::move(request), authentication_headers(),
                   authentication_step<Response>([this](Response response) {
                     const auto& expires = response.expires_at();
                     refresh_before({expires.seconds() * 1'000'000 + expires.nanos() / 1000});
                     got_token(response.token());
                   }));
  }
  template <typename Response, typename Next>
  std::function<void(Result<Response>)> authentication_step(Next next) {
    return [weak = weak_from_this(), epoch = epoch_, next = std::move(next)](Result<Response> result) mutable {
      auto self = weak.lock();
      if (!self || self->epoch_ != epoch) return;
      if (!result) return self->got_token(fail(result.error()));
      next(std::move(*result));
    };
  }
  std::vector<std::pair<std::string, std::string>> authentication_headers() const {
    return {{"memberId", parts_->member.to_string()}, {"synchronizerId", synchronizer_->to_string()}};
  }
  void refresh_before(Timestamp expires) {
    const Duration left = expires - parts_->clock->now() - config_->token_refresh_margin;
    parts_->executor->after(std::max(left, config_->min_restart_delay * 10), [weak = weak_from_this(), epoch = epoch_] {
      auto self = weak.lock();
      if (!self || self->stopped_ || self->epoch_ != epoch || self->authenticating_) return;
      self->authenticate();  // the old token stays in use until the new one is there
    });
  }
  void got_token(Result<Bytes> token) {
    authenticating_ = false;
    if (token) {
      token_ = *token;
    } else {
      status_.last_error = token.error().to_string();
      log::info("sequencer-client", "{} does not let {} in: {}", status_.name, parts_->member.to_string(),
                token.error().to_string());
    }
    auto waiting = std::move(token_waiters_);
    token_waiters_.clear();
    for (auto& waiter : waiting) waiter(token);
  }

  // Runs `attempt(headers, done)` with a token; once more with a fresh one when the sequencer refuses the token.
  template <typename Response>
  void authenticated(
      std::function<void(std::vector<std::pair<std::string, std::string>>, std::function<void(Result<Response>)>)>
          attempt,
      std::function<void(Result<Response>)> done, bool last = false) {
    with_token([this, attempt = std::move(attempt), done = std::move(done), last](Result<Bytes> token) {
      if (!token) return done(fail(token.error()));
      if (!sequencer_) return done(fail(gone()));
      auto headers = authentication_headers();
      headers.emplace_back("authToken-bin", *token);
      attempt(std::move(headers), guarded([this, attempt, done, last, used = *token](Result<Response> result) {
                if (!result && token_refused(result.error()) && !last) {
                  if (token_ == used) token_.reset();
                  return authenticated<Response>(attempt, done, true);
                }
                done(std::move(result));
              }));
    });
  }
  template <typename Response, typename Request>
  void authenticated_call(void (SequencerStub::*method)(grpc::ClientContext*, const Request*, Response*,
                                                        std::function<void(grpc::Status)>),
                          Request request, std::string traceparent, std::function<void(Result<Response>)> done) {
    authenticated<Response>(
        [this, method, request = std::move(request), traceparent](auto headers, auto answered) {
          call<Response>(sequencer_->async(), method, request, std::move(headers), std::move(answered), traceparent);
        },
        std::move(done));
  }

  void send(Bytes bytes, std::string traceparent, std::function<void(Status)> done) {
    api::SendAsyncRequest request;
    request.set_signed_submission_request(std::move(bytes));
    authenticated_call<api::SendAsyncResponse>(&SequencerStub::SendAsync, std::move(request), std::move(traceparent),
                                               [done = std::move(done)](Result<api::SendAsyncResponse> result) {
                                                 if (!result) return done(fail(result.error()));
                                                 done({});
                                               });
  }
  void acknowledge(Bytes bytes, std::function<void(Status)> done) {
    api::AcknowledgeSignedRequest request;
    request.set_signed_acknowledge_request(std::move(bytes));
    authenticated_call<api::AcknowledgeSignedResponse>(&SequencerStub::AcknowledgeSigned, std::move(request), {},
                                                       [done = std::move(done)](auto result) {
                                                         if (!result) return done(fail(result.error()));
                                                         done({});
                                                       });
  }
  void get_time(std::function<void(Result<std::optional<Timestamp>>)> done) {
    authenticated_call<api::GetTimeResponse>(&SequencerStub::GetTime, api::GetTimeRequest(), {},
                                             [done = std::move(done)](Result<api::GetTimeResponse> result) {
                                               if (!result) return done(fail(result.error()));
                                               std::optional<Timestamp> time;
                                               if (result->has_sequencing_timestamp())
                                                 time = Timestamp{result->sequencing_timestamp()};
                                               done(time);
                                             });
  }
  void topology_hash(std::function<void(Result<crypto::Hash>)> done) {
    api::DownloadTopologyStateForInitHashRequest request;
    request.set_member(parts_->member.to_string());
    authenticated_call<api::DownloadTopologyStateForInitHashResponse>(
        &SequencerStub::DownloadTopologyStateForInitHash, std::move(request), {},
        [done = std::move(done)](auto result) {
          if (!result) return done(fail(result.error()));
          done(crypto::Hash::parse(result->topology_state_hash()));
        });
  }
  void download_topology(std::function<void(Result<std::vector<topology::StoredTransaction>>)> done) {
    using Items = std::vector<topology::StoredTransaction>;
    authenticated<Items>(
        [this](auto headers, auto answered) {
          api::DownloadTopologyStateForInitRequest request;
          request.set_member(parts_->member.to_string());
          auto items = std::make_shared<Result<Items>>(Items{});
          auto stream = std::make_shared<std::shared_ptr<rpc::ClientStream>>();
          auto executor = parts_->executor;
          rpc::StreamHandlers<api::DownloadTopologyStateForInitResponse> handlers;
          handlers.on_message = [executor, items, stream](api::DownloadTopologyStateForInitResponse message,
                                                          std::size_t credit) {
            executor->post([items, stream, message = std::move(message), credit] {
              if (*items) {
                const Status decoded = topology::decode_snapshot_message(message.SerializeAsString(), **items);
                if (!decoded) *items = fail(decoded.error());
              }
              if (*stream) (*stream)->consumed(credit);
            });
          };
          handlers.on_end = [executor, items, stream, answered](std::optional<Error> error) {
            executor->post([items, stream, answered, error] {
              stream->reset();
              if (error) return answered(fail(*error));
              answered(std::move(*items));
            });
          };
          *stream = rpc::read_stream(sequencer_->async(), &SequencerStub::DownloadTopologyStateForInit, request,
                                     {.deadline = {}, .metadata = std::move(headers)},
                                     static_cast<std::size_t>(config_->max_unprocessed_bytes), std::move(handlers));
        },
        std::move(done));
  }

  // --- subscription ---

  void subscribe(std::optional<Timestamp> from, SubscriptionHandlers handlers, bool last = false) {
    unsubscribe();
    status_.subscribed = true;
    const std::uint64_t id = ++subscription_id_;
    with_token([this, from, handlers, last, id](Result<Bytes> token) {
      if (id != subscription_id_ || stopped_) return;
      if (!token || !sequencer_) {
        status_.subscribed = false;
        return handlers.on_end(token ? gone() : token.error());
      }
      open_subscription(from, handlers, last, id, *token);
    });
  }
  void open_subscription(std::optional<Timestamp> from, const SubscriptionHandlers& handlers, bool last,
                         std::uint64_t id, const Bytes& token) {
    api::SubscriptionRequest request;
    request.set_member(parts_->member.to_string());
    if (from) request.set_timestamp(from->micros);
    auto headers = authentication_headers();
    headers.emplace_back("authToken-bin", token);
    auto executor = parts_->executor;
    auto weak = weak_from_this();
    rpc::StreamHandlers<api::SubscriptionResponse> stream;
    stream.on_message = [executor, weak, id, on_event = handlers.on_event](api::SubscriptionResponse message,
                                                                           std::size_t credit) {
      executor->post([weak, id, on_event, message = std::move(message), credit]() mutable {
        auto self = weak.lock();
        if (!self || self->stopped_ || self->subscription_id_ != id) return;
        on_event(std::move(*message.mutable_signed_sequenced_event()),
                 std::move(*message.mutable_trace_context()->mutable_traceparent()), credit);
      });
    };
    stream.on_end = [executor, weak, id, from, handlers, last, token](std::optional<Error> error) {
      executor->post([weak, id, from, handlers, last, token, error] {
        auto self = weak.lock();
        if (!self || self->stopped_ || self->subscription_id_ != id) return;
        self->subscription_.reset();
        self->status_.subscribed = false;
        if (error && token_refused(*error) && !last) {
          if (self->token_ == token) self->token_.reset();
          return self->subscribe(from, handlers, true);
        }
        handlers.on_end(error ? *error : unavailable("UNAVAILABLE", "The sequencer has ended the subscription"));
      });
    };
    subscription_ = rpc::read_stream(sequencer_->async(), &SequencerStub::Subscribe, request,
                                     {.deadline = {}, .metadata = std::move(headers)},
                                     static_cast<std::size_t>(config_->max_unprocessed_bytes), std::move(stream));
  }
  void unsubscribe() {
    ++subscription_id_;
    status_.subscribed = false;
    if (subscription_) subscription_->cancel();
    subscription_.reset();
  }
  void consumed(std::size_t credit) {
    if (subscription_) subscription_->consumed(credit);
  }

  const ConnectionStatus& status() const { return status_; }

 private:
  const ConnectionIndex index_;
  const Endpoint endpoint_;
  const std::shared_ptr<const ClientConfig> config_;
  const std::shared_ptr<const ClientParts> parts_;
  ConnectionHandlers handlers_;

  std::uint64_t epoch_ = 0;  // counts lives; answers carry the one they were asked in
  bool up_ = false;
  bool probing_ = false;
  bool stopped_ = false;
  Duration delay_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<api::SequencerConnectService::Stub> connect_;
  std::unique_ptr<api::SequencerAuthenticationService::Stub> auth_;
  std::unique_ptr<api::SequencerService::Stub> sequencer_;
  std::unique_ptr<info::ApiInfoService::Stub> info_;
  std::shared_ptr<rpc::ClientStream> watch_;
  std::vector<std::weak_ptr<rpc::PendingCall>> calls_;  // under way, to cancel them; finished ones are removed at times
  std::size_t prune_calls_at_ = 64;

  std::optional<protocol::PhysicalSynchronizerId> synchronizer_;
  std::optional<Bytes> token_;
  bool authenticating_ = false;
  std::vector<std::function<void(Result<Bytes>)>> token_waiters_;

  std::shared_ptr<rpc::ClientStream> subscription_;
  std::uint64_t subscription_id_ = 0;
  ConnectionStatus status_;
};

Connection::Connection(ConnectionIndex index, Endpoint endpoint, std::shared_ptr<const ClientConfig> config,
                       std::shared_ptr<const ClientParts> parts, ConnectionHandlers handlers)
    : impl_(std::make_shared<Impl>(index, std::move(endpoint), std::move(config), std::move(parts),
                                   std::move(handlers))) {}
Connection::~Connection() { impl_->stop(); }
void Connection::start() { impl_->start(); }
void Connection::stop() { impl_->stop(); }
void Connection::verify_active(std::function<void(Result<bool>)> done) { impl_->verify_active(std::move(done)); }
void Connection::register_onboarding(const std::vector<topology::SignedTransaction>& transactions,
                                     std::function<void(Status)> done) {
  impl_->register_onboarding(transactions, std::move(done));
}
void Connection::probe() { impl_->probe(); }
void Connection::set_synchronizer(const protocol::PhysicalSynchronizerId& synchronizer, bool eager) {
  impl_->set_synchronizer(synchronizer, eager);
}
void Connection::send(Bytes bytes, std::string traceparent, std::function<void(Status)> done) {
  impl_->send(std::move(bytes), std::move(traceparent), std::move(done));
}
void Connection::acknowledge(Bytes bytes, std::function<void(Status)> done) {
  impl_->acknowledge(std::move(bytes), std::move(done));
}
void Connection::get_time(std::function<void(Result<std::optional<Timestamp>>)> done) {
  impl_->get_time(std::move(done));
}
void Connection::topology_hash(std::function<void(Result<crypto::Hash>)> done) {
  impl_->topology_hash(std::move(done));
}
void Connection::download_topology(std::function<void(Result<std::vector<topology::StoredTransaction>>)> done) {
  impl_->download_topology(std::move(done));
}
void Connection::subscribe(std::optional<Timestamp> from, SubscriptionHandlers handlers) {
  impl_->subscribe(from, std::move(handlers));
}
void Connection::unsubscribe() { impl_->unsubscribe(); }
void Connection::consumed(std::size_t credit) { impl_->consumed(credit); }
ConnectionStatus Connection::status() const { return impl_->status(); }

}  // namespace synod::sequencer::client
