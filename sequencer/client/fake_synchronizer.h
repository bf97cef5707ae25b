// For tests: sequencers that order in memory and can be made to misbehave. Everything they say on the wire is real.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/process.h"
#include "canton/connection_v30.grpc.pb.h"
#include "canton/sequencer_api_v30.grpc.pb.h"
#include "protocol/sequenced_event.h"
#include "protocol/signed_content.h"
#include "protocol/submission.h"
#include "rpc/server.h"
#include "rpc/stream_writer.h"
#include "rpc/unary.h"
#include "topology/genesis.h"
#include "topology/state.h"

namespace synod::sequencer::client::testing {

namespace api = com::digitalasset::canton::sequencer::api::v30;
namespace info = com::digitalasset::canton::connection::v30;

struct Identity {
  protocol::Member member;
  crypto::SigningKeyPair signing;
};

// One member (a mediator) and its events, as all honest sequencers see them.
class FakeSynchronizer {
 public:
  explicit FakeSynchronizer(int sequencers) : random(seeded_random(1)), keys(crypto::memory_key_store()) {
    topology::GenesisConfig config;
    config.name = "fake";
    const auto identify = [&](protocol::MemberKind kind, const std::string& name) {
      using crypto::KeyUsage;
      const auto ns = crypto::SigningKeyPair::generate({KeyUsage::namespace_}, *random);
      const auto login =
          crypto::SigningKeyPair::generate({KeyUsage::sequencer_authentication, KeyUsage::proof_of_ownership}, *random);
      const auto signing =
          crypto::SigningKeyPair::generate({KeyUsage::protocol, KeyUsage::proof_of_ownership}, *random);
      for (const auto& key : {ns, login, signing}) EXPECT_TRUE(keys->add(key, name));
      protocol::Member id(kind, protocol::UniqueId::create(name, ns.fingerprint()).value());
      config.identities.push_back(
          topology::introduce_member(*keys, id, {login.public_key(), signing.public_key()}).value());
      if (config.owners.empty()) config.owners.push_back(ns.fingerprint());
      login_key = login.fingerprint();
      return Identity{id, signing};
    };
    for (int i = 0; i < sequencers; ++i) {
      identities.push_back(identify(protocol::MemberKind::sequencer, "sequencer" + std::to_string(i)));
      config.sequencers.push_back(identities.back().member);
    }
    member = identify(protocol::MemberKind::mediator, "mediator").member;
    config.mediator_groups.push_back({0, 1, {member}});
    auto made = topology::make_genesis(config, *keys);
    EXPECT_TRUE(made) << made.error().to_string();
    genesis = *made;
  }

  // A submission of the member; the first with its message id is sequenced and delivered to itself.
  void sequence(const protocol::SubmissionRequest& request) {
    std::vector<std::function<void()>> wake;
    {
      std::lock_guard lock(mutex);
      if (request.aggregation_rule && !seen.insert(request.message_id).second) return;
      append(request.message_id, request.batch);
      for (auto& [id, listener] : listeners) wake.push_back(listener);
    }
    for (auto& w : wake) w();
  }
  void append(std::optional<std::string> message_id, protocol::CompressedBatch batch) {
    protocol::SequencedEvent event;
    if (!events.empty()) event.previous_timestamp = last_time;
    last_time = std::max(last_time.next(), system_clock()->now());
    event.timestamp = last_time;
    event.synchronizer = genesis.synchronizer;
    event.message_id = std::move(message_id);
    event.batch = std::move(batch);
    events.push_back({event.timestamp, event.serialize()});
  }

  struct Event {
    Timestamp timestamp;
    Bytes content;
  };
  std::shared_ptr<Random> random;
  std::shared_ptr<crypto::KeyStore> keys;
  std::vector<Identity> identities;  // of the sequencers
  protocol::Member member;
  crypto::Fingerprint login_key;
  topology::Genesis genesis;

  std::mutex mutex;
  std::vector<Event> events;
  Timestamp last_time;
  std::set<std::string> seen;
  std::map<int, std::function<void()>> listeners;
  int next_listener = 0;
};

// How a fake sequencer departs from what it should do.
struct Misbehaviour {
  std::atomic<bool> swallow_sends = false;    // takes submissions and forgets them, but for ticks
  std::atomic<bool> overloaded = false;       // refuses them
  std::atomic<bool> fork_events = false;      // changes what it delivers
  std::atomic<bool> wrong_signature = false;  // signs with another key
  std::atomic<bool> expire_tokens = false;    // one-time tokens
  std::atomic<bool> inactive = false;         // the member is not active
  std::atomic<int> refused_onboardings = 0;   // so many; overloaded
  std::atomic<bool> knows_newcomer = false;   // refuses to onboard whom it has onboarded
  std::atomic<int> refused_downloads = 0;     // of the topology: the member may not; negative: all
  std::atomic<bool> frozen = false;           // keeps its connections, but neither answers nor delivers any more
};

class FakeSequencer {
 public:
  FakeSequencer(FakeSynchronizer& world, int index, int port = 0) : world_(world), index_(index) {
    services_ = {std::make_shared<Info>(*this), std::make_shared<Connect>(*this), std::make_shared<Login>(*this),
                 std::make_shared<Sequencer>(*this)};
    start(port);
  }
  ~FakeSequencer() { kill(); }
  void start(int port) {
    // Not a port of outgoing connections: it comes back to the same one.
    server = rpc::Server::start({.port = port == 0 ? free_port() : port}, {services_.begin(), services_.end()}).value();
    server->health().set_serving("sequencer-health-check-service");
    port_ = server->port();
  }
  // All connections break at once.
  void kill() {
    if (!server) return;
    {
      std::lock_guard lock(mutex_);
      unanswered_.clear();
    }
    server->stop(Duration{});
    server.reset();
  }
  void restart() { start(port_); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  Misbehaviour wrong;
  std::atomic<int> sends = 0;
  std::atomic<int> repeatable = 0;  // taken with an aggregation rule
  std::atomic<int> acknowledgements = 0;
  std::atomic<int> logins = 0;
  std::atomic<int> onboardings = 0;  // asked for, as the next
  std::atomic<int> downloads = 0;
  std::unique_ptr<rpc::Server> server;

 private:
  struct Info final : info::ApiInfoService::CallbackService {
    explicit Info(FakeSequencer& s) : self(s) {}
    grpc::ServerUnaryReactor* GetApiInfo(grpc::CallbackServerContext* context, const info::GetApiInfoRequest*,
                                         info::GetApiInfoResponse* response) override {
      using Reply = rpc::Reply<info::GetApiInfoResponse>;
      return rpc::answer(context, response, [&](rpc::CallContext&, Reply reply) {
        if (self.wrong.frozen) {
          std::lock_guard lock(self.mutex_);
          self.unanswered_.push_back(reply);
          return;
        }
        info::GetApiInfoResponse answer;
        answer.set_name("sequencer-public-api");
        reply(answer);
      });
    }
    FakeSequencer& self;
  };
  struct Connect final : api::SequencerConnectService::CallbackService {
    explicit Connect(FakeSequencer& s) : self(s) {}
    template <typename Response, typename Fill>
    grpc::ServerUnaryReactor* fill(grpc::CallbackServerContext* context, Response* response, Fill fill) {
      return rpc::answer_now(context, response, [&](rpc::CallContext&) -> Result<Response> {
        Response answer;
        fill(answer);
        return answer;
      });
    }
    using S = api::SequencerConnect;
    grpc::ServerUnaryReactor* Handshake(grpc::CallbackServerContext* c, const S::HandshakeRequest*,
                                        S::HandshakeResponse* r) override {
      return fill(c, r, [](auto& a) {
        a.set_server_protocol_version(35);
        a.mutable_success();
      });
    }
    grpc::ServerUnaryReactor* GetSynchronizerId(grpc::CallbackServerContext* c, const S::GetSynchronizerIdRequest*,
                                                S::GetSynchronizerIdResponse* r) override {
      return fill(c, r, [&](auto& a) {
        a.set_physical_synchronizer_id(self.world_.genesis.synchronizer.to_string());
        a.set_sequencer_uid(self.identity().member.uid().to_string());
      });
    }
    grpc::ServerUnaryReactor* GetSynchronizerParameters(grpc::CallbackServerContext* c,
                                                        const S::GetSynchronizerParametersRequest*,
                                                        S::GetSynchronizerParametersResponse* r) override {
      return fill(c, r, [](auto& a) { topology::StaticParameters{}.to_proto(*a.mutable_parameters_v1()); });
    }
    grpc::ServerUnaryReactor* VerifyActive(grpc::CallbackServerContext* c, const S::VerifyActiveRequest*,
                                           S::VerifyActiveResponse* r) override {
      return fill(c, r, [&](auto& a) { a.mutable_success()->set_is_active(!self.wrong.inactive); });
    }
    grpc::ServerUnaryReactor* RegisterOnboardingTopologyTransactions(
        grpc::CallbackServerContext* c, const S::RegisterOnboardingTopologyTransactionsRequest*,
        S::RegisterOnboardingTopologyTransactionsResponse* r) override {
      using Response = S::RegisterOnboardingTopologyTransactionsResponse;
      return rpc::answer_now(c, r, [&](rpc::CallContext&) -> Result<Response> {
        self.onboardings++;
        if (self.wrong.refused_onboardings-- > 0)
          return fail({"SEQUENCER_OVERLOADED", ErrorCategory::contention_on_shared_resources, "too much"});
        if (self.wrong.knows_newcomer) {
          return fail({"FAILED_PRECONDITION", ErrorCategory::invalid_state_other,
                       "Participant PAR::x is either active on the synchronizer or has previously been offboarded."});
        }
        self.wrong.inactive = false;
        return Response();
      });
    }
    FakeSequencer& self;
  };
  struct Login final : api::SequencerAuthenticationService::CallbackService {
    explicit Login(FakeSequencer& s) : self(s) {}
    using S = api::SequencerAuthentication;
    grpc::ServerUnaryReactor* Challenge(grpc::CallbackServerContext* c, const S::ChallengeRequest*,
                                        S::ChallengeResponse* r) override {
      return rpc::answer_now(c, r, [&](rpc::CallContext&) -> Result<S::ChallengeResponse> {
        S::ChallengeResponse answer;
        answer.set_nonce(std::string(20, 'n'));
        answer.add_fingerprints(self.world_.login_key);
        return answer;
      });
    }
    grpc::ServerUnaryReactor* Authenticate(grpc::CallbackServerContext* c, const S::AuthenticateRequest* request,
                                           S::AuthenticateResponse* r) override {
      return rpc::answer_now(c, r, [&](rpc::CallContext&) -> Result<S::AuthenticateResponse> {
        SYNOD_TRY(const auto signature, crypto::Signature::from_proto(request->signature()));
        SYNOD_RETURN_IF_ERROR(
            crypto::verify(protocol::authentication_hash(request->nonce(), self.world_.genesis.synchronizer), signature,
                           self.world_.keys->signing_key(self.world_.login_key)->public_key()));
        S::AuthenticateResponse answer;
        std::lock_guard lock(self.mutex_);
        answer.set_token(std::string(19, 't') + static_cast<char>('0' + self.logins++ % 64));
        self.tokens_.insert(answer.token());
        answer.mutable_expires_at()->set_seconds(system_clock()->now().micros / 1'000'000 + 3600);
        return answer;
      });
    }
    FakeSequencer& self;
  };
  struct Sequencer final : api::SequencerService::CallbackService {
    explicit Sequencer(FakeSequencer& s) : self(s) {}
    Status check(rpc::CallContext& call) {
      std::lock_guard lock(self.mutex_);
      const std::string token = call.metadata("authToken-bin").value_or("");
      if (!self.tokens_.contains(token)) return fail({"MISSING", ErrorCategory::authentication, "no such token"});
      if (self.wrong.expire_tokens) self.tokens_.erase(token);
      return {};
    }
    grpc::ServerUnaryReactor* SendAsync(grpc::CallbackServerContext* c, const api::SendAsyncRequest* request,
                                        api::SendAsyncResponse* r) override {
      return rpc::answer_now(c, r, [&](rpc::CallContext& call) -> Result<api::SendAsyncResponse> {
        SYNOD_RETURN_IF_ERROR(check(call));
        self.sends++;
        if (self.wrong.overloaded) {
          return fail({"SEQUENCER_OVERLOADED", ErrorCategory::contention_on_shared_resources, "too much"});
        }
        SYNOD_TRY(const auto content, protocol::SignedContent::parse(request->signed_submission_request()));
        SYNOD_TRY(const auto submission, protocol::SubmissionRequest::parse(content.content, {}));
        if (self.wrong.swallow_sends && !submission.message_id.starts_with("tick-")) return api::SendAsyncResponse();
        if (submission.aggregation_rule) {
          // As real ones do, by their own clocks.
          if (submission.max_sequencing_time >= system_clock()->now() + Duration::seconds(360)) {
            return fail({"SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR", ErrorCategory::invalid_state_other,
                         "Max sequencing time is too far in the future"});
          }
          self.repeatable++;
        }
        self.world_.sequence(submission);
        return api::SendAsyncResponse();
      });
    }
    grpc::ServerUnaryReactor* AcknowledgeSigned(grpc::CallbackServerContext* c, const api::AcknowledgeSignedRequest*,
                                                api::AcknowledgeSignedResponse* r) override {
      return rpc::answer_now(c, r, [&](rpc::CallContext& call) -> Result<api::AcknowledgeSignedResponse> {
        SYNOD_RETURN_IF_ERROR(check(call));
        self.acknowledgements++;
        return api::AcknowledgeSignedResponse();
      });
    }
    grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* c, const api::GetTimeRequest*,
                                      api::GetTimeResponse* r) override {
      return rpc::answer_now(c, r, [&](rpc::CallContext& call) -> Result<api::GetTimeResponse> {
        SYNOD_RETURN_IF_ERROR(check(call));
        api::GetTimeResponse answer;
        answer.set_sequencing_timestamp(17);
        return answer;
      });
    }
    grpc::ServerUnaryReactor* DownloadTopologyStateForInitHash(
        grpc::CallbackServerContext* c, const api::DownloadTopologyStateForInitHashRequest*,
        api::DownloadTopologyStateForInitHashResponse* r) override {
      return rpc::answer_now(
          c, r, [&](rpc::CallContext& call) -> Result<api::DownloadTopologyStateForInitHashResponse> {
            SYNOD_RETURN_IF_ERROR(check(call));
            self.downloads++;
            if (const int left = self.wrong.refused_downloads; left != 0) {
              if (left > 0) self.wrong.refused_downloads--;  // below zero: all, until the test says otherwise
              return fail({"MEMBER_UNKNOWN", ErrorCategory::permission, "it is in no group"});
            }
            api::DownloadTopologyStateForInitHashResponse answer;
            answer.set_topology_state_hash(topology::snapshot_hash(self.world_.genesis.snapshot).bytes());
            return answer;
          });
    }
    grpc::ServerWriteReactor<api::DownloadTopologyStateForInitResponse>* DownloadTopologyStateForInit(
        grpc::CallbackServerContext* c, const api::DownloadTopologyStateForInitRequest*) override {
      return rpc::stream_answer<api::DownloadTopologyStateForInitResponse>(c, {}, [&](rpc::CallContext&, auto stream) {
        for (const Bytes& bytes : topology::encode_snapshot_messages(self.world_.genesis.snapshot, 3)) {
          api::DownloadTopologyStateForInitResponse item;
          item.ParseFromString(bytes);
          stream->write(item);
        }
        stream->finish();
      });
    }
    grpc::ServerWriteReactor<api::SubscriptionResponse>* Subscribe(grpc::CallbackServerContext* c,
                                                                   const api::SubscriptionRequest* request) override {
      std::optional<Timestamp> from;
      if (request->has_timestamp()) from = Timestamp{request->timestamp()};
      return rpc::stream_answer<api::SubscriptionResponse>(c, {}, [&](rpc::CallContext& call, auto stream) {
        if (Status ok = check(call); !ok) return stream->abort(ok.error());
        FakeSynchronizer& world = self.world_;
        auto next = std::make_shared<std::size_t>(0);
        std::lock_guard lock(world.mutex);
        while (from && *next < world.events.size() && world.events[*next].timestamp < *from) ++*next;
        const int id = world.next_listener++;
        auto pump = [this, stream, next, &world] {
          std::lock_guard inner(world.mutex);
          while (!self.wrong.frozen && *next < world.events.size())
            stream->write(self.deliver(world.events[(*next)++]));
        };
        world.listeners[id] = pump;
        while (*next < world.events.size()) stream->write(self.deliver(world.events[(*next)++]));
        stream->on_closed([id, &world] {
          std::thread([id, &world] {
            std::lock_guard inner(world.mutex);
            world.listeners.erase(id);
          }).join();
        });
      });
    }
    FakeSequencer& self;
  };

  const Identity& identity() const { return world_.identities[index_]; }
  api::SubscriptionResponse deliver(const FakeSynchronizer::Event& event) {
    Bytes content = event.content;
    if (wrong.fork_events) {
      auto parsed = protocol::SequencedEvent::parse(content, {}).value();
      parsed.message_id = "forged";
      content = parsed.serialize();
    }
    const auto key = wrong.wrong_signature
                         ? crypto::SigningKeyPair::generate({crypto::KeyUsage::protocol}, *world_.random)
                         : identity().signing;
    api::SubscriptionResponse response;
    response.set_signed_sequenced_event(
        protocol::sign_content(crypto::HashPurpose::sequenced_event, content, key, std::nullopt).serialize());
    response.mutable_trace_context()->set_traceparent("");
    return response;
  }

  FakeSynchronizer& world_;
  const int index_;
  int port_ = 0;
  std::mutex mutex_;
  std::set<std::string> tokens_;
  std::vector<rpc::Reply<info::GetApiInfoResponse>> unanswered_;
  std::vector<std::shared_ptr<grpc::Service>> services_;
};

}  // namespace synod::sequencer::client::testing
