// While one DAR is being checked, which may take long, everybody else is served.
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>

#include "ledger/admin_packages.grpc.pb.h"
#include "ledger/package_service.grpc.pb.h"
#include "participant/ledger_api/ledger_api.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "storage/memory/memory_store.h"

namespace synod::participant {
namespace {

namespace api = ::com::daml::ledger::api::v2;

constexpr auto kPatience = std::chrono::seconds(60);

// Packages whose uploads end when the test says so.
class SlowPackages final : public PackageService {
 public:
  void upload(std::string dar, UploadOptions, std::function<void(Result<std::string>)> done) override {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    lock.unlock();
    done(dar);
  }
  Status validate(const std::string&) const override { return {}; }
  std::vector<PackageDescription> list() const override { return {}; }
  Result<std::optional<std::string>> archive_payload(const std::string&) const override { return "payload"; }
  bool is_known(const std::string&) const override { return false; }
  std::vector<std::string> vetted() const override { return {}; }
  void update_vetting(VettingUpdate, std::function<void(Result<VettingOutcome>)> done) override { done({}); }
  std::vector<VettingState> vetting_states() const override { return {}; }

  bool wait_begun(int uploads) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return begun_ >= uploads; });
  }
  void let_them_end() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  bool open_ = false;
};

class NobodysCommands final : public CommandSink {
 public:
  void submit(CommandSubmission, std::function<void(Status)> accepted) override { accepted({}); }
  void submit_and_wait(CommandSubmission, Duration, std::function<void(Result<Completion>)> done) override { done({}); }
  void interpret(CommandSubmission, std::function<void(Result<lf::InterpretationResult>)> done) override { done({}); }
};

class NobodysParties final : public PartyService {
 public:
  void allocate(Allocation, std::function<void(Result<PartyDetails>)> done) override { done({}); }
  std::optional<PartyDetails> find(const std::string&) const override { return std::nullopt; }
  std::vector<PartyDetails> list(const std::string&, std::size_t) const override { return {}; }
  bool is_local(const std::string&) const override { return false; }
  std::optional<topology::Permission> permission(const std::string&, const std::string&) const override { return {}; }
};

class FakeNode final : public ParticipantNode {
 public:
  FakeNode()
      : store_(std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{ParticipantCore::columns()})),
        ledger_(LedgerStore::open(store_).value()),
        users_(UserStore::open(store_).value()),
        engine_(std::make_shared<lf::Engine>(packages_)) {}
  void start(std::function<void(Status)>) override {}
  void stop(Duration) override {}
  void set_sequencers(std::vector<SequencerEndpoint>) override {}
  std::string participant_id() const override { return "fake::1220"; }
  ParticipantStatus status() const override { return {}; }
  Status health() const override { return {}; }
  CommandSink& commands() override { return commands_; }
  LedgerReader& ledger() override { return *ledger_; }
  SlowPackages& packages() override { return uploads; }
  PartyService& parties() override { return parties_; }
  UserStore& users() override { return *users_; }
  std::shared_ptr<const lf::Engine> engine() const override { return engine_; }
  const lf::Limits& interpretation_limits() const override { return limits_; }
  std::shared_ptr<const lf::PackageStore> package_store() const override { return packages_; }
  lf::PackagePreference package_preference(const lf::PartySet&) const override { return {}; }

  SlowPackages uploads;

 private:
  std::shared_ptr<storage::MemoryStore> store_;
  std::unique_ptr<LedgerStore> ledger_;
  std::unique_ptr<UserStore> users_;
  std::shared_ptr<lf::PackageStore> packages_ = std::make_shared<lf::PackageStore>();
  std::shared_ptr<const lf::Engine> engine_;
  NobodysCommands commands_;
  NobodysParties parties_;
  lf::Limits limits_;
};

TEST(Uploads, DoNotKeepOthersWaiting) {
  FakeNode node;
  LedgerApiConfig config;
  config.max_waiting_uploads = 2;
  LedgerApi ledger_api(node, config, system_clock());
  auto server = rpc::Server::start({}, ledger_api.services());
  ASSERT_TRUE(server) << server.error().to_string();
  rpc::ChannelConfig target;
  target.target = "127.0.0.1:" + std::to_string((*server)->port());
  const auto channel = rpc::make_channel(target);
  ASSERT_TRUE(channel) << channel.error().to_string();
  const auto management = api::admin::PackageManagementService::NewStub(*channel);
  const auto packages = api::PackageService::NewStub(*channel);

  const auto upload = [&] {
    return std::async(std::launch::async, [&] {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + kPatience);
      api::admin::UploadDarFileRequest request;
      request.set_dar_file("dar");
      api::admin::UploadDarFileResponse response;
      return management->UploadDarFile(&context, request, &response);
    });
  };
  auto first = upload();
  ASSERT_TRUE(node.uploads.wait_begun(1));
  for (int i = 0; i < 3; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    api::GetPackageRequest request;
    request.set_package_id("p");
    api::GetPackageResponse response;
    const auto status = packages->GetPackage(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  // Two more may wait; one of these three is turned away.
  std::vector<std::future<grpc::Status>> more;
  for (int i = 0; i < 3; ++i) more.push_back(upload());
  const auto refused = [&] {
    for (auto& call : more)
      if (call.valid() && call.wait_for(std::chrono::milliseconds(5)) == std::future_status::ready) return call.get();
    return grpc::Status::OK;
  };
  grpc::Status answer;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (answer.ok() && std::chrono::steady_clock::now() < until) answer = refused();
  EXPECT_EQ(answer.error_code(), grpc::StatusCode::ABORTED) << answer.error_message();
  EXPECT_NE(answer.error_message().find("PARTICIPANT_BACKPRESSURE"), std::string::npos) << answer.error_message();
  node.uploads.let_them_end();
  EXPECT_TRUE(first.get().ok());
  for (auto& call : more) {
    if (call.valid()) {
      EXPECT_TRUE(call.get().ok());
    }
  }
  (*server)->stop(Duration::seconds(1));
  ledger_api.stop();
}

}  // namespace
}  // namespace synod::participant
