// TLS and mutual TLS on real sockets, with certificates made for the test.
#include "rpc/tls.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "base/env.h"
#include "canton/connection_v30.grpc.pb.h"
#include "crypto/certificate.h"
#include "rpc/channel.h"
#include "rpc/client_call.h"
#include "rpc/server.h"
#include "rpc/unary.h"

namespace synod::rpc {
namespace {

namespace info = com::digitalasset::canton::connection::v30;

class NamesService final : public info::ApiInfoService::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetApiInfo(grpc::CallbackServerContext* context, const info::GetApiInfoRequest*,
                                       info::GetApiInfoResponse* response) override {
    return answer_now(context, response, [](CallContext& call) -> Result<info::GetApiInfoResponse> {
      info::GetApiInfoResponse names;
      for (const auto& name : call.client_certificate_names()) names.set_name(names.name() + name + " ");
      return names;
    });
  }
};

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("synod-tls-" + system_random()->uuid());
    std::filesystem::create_directories(folder);
    authority = crypto::make_certificate_authority(request("authority")).value();
    save("ca.pem", authority.certificate_pem);
    issue("server", authority);
    issue("client", authority);
    const auto stranger = crypto::make_certificate_authority(request("stranger")).value();
    save("other-ca.pem", stranger.certificate_pem);
    issue("impostor", stranger);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  static crypto::CertificateRequest request(const std::string& name) {
    return {.common_name = name,
            .organization = "test",
            .dns_names = {name},
            .ip_addresses = {"127.0.0.1"},
            .valid_from = system_clock()->now() - Duration::seconds(60)};
  }
  void issue(const std::string& name, const crypto::Certificate& issuer) {
    const auto certificate = crypto::make_certificate(request(name), issuer).value();
    save(name + ".pem", certificate.certificate_pem);
    save(name + ".key", certificate.private_key_pem);
  }
  void save(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }
  std::string file(const std::string& name) const { return folder / name; }

  Result<std::string> names(const Server& server, std::optional<ClientTls> tls) {
    auto channel = make_channel({.target = "127.0.0.1:" + std::to_string(server.port()), .tls = std::move(tls)});
    if (!channel) return fail(channel.error());
    auto stub = info::ApiInfoService::NewStub(*channel);
    std::promise<Result<std::string>> answer;
    unary_call(stub->async(), &info::ApiInfoService::Stub::async_interface::GetApiInfo, info::GetApiInfoRequest(),
               {.deadline = Duration::seconds(120)}, std::function([&](Result<info::GetApiInfoResponse> response) {
                 if (!response) return answer.set_value(fail(response.error()));
                 answer.set_value(response->name());
               }));
    return answer.get_future().get();
  }
  std::unique_ptr<Server> serve(ServerTls tls) {
    auto server = Server::start({.tls = std::move(tls)}, {std::make_shared<NamesService>()});
    EXPECT_TRUE(server) << server.error().to_string();
    return std::move(*server);
  }

  std::filesystem::path folder;
  crypto::Certificate authority;
};

TEST_F(TlsTest, ServerCertificateIsChecked) {
  const auto server = serve({file("server.pem"), file("server.key"), std::nullopt});
  const auto trusted = names(*server, ClientTls{.ca_file = file("ca.pem")});
  EXPECT_TRUE(trusted) << trusted.error().to_string();
  EXPECT_EQ(names(*server, ClientTls{.ca_file = file("other-ca.pem")}).error().id, "UNAVAILABLE");
  EXPECT_FALSE(names(*server, std::nullopt));  // plaintext
}

TEST_F(TlsTest, MutualTlsAsksForAKnownClient) {
  const auto server = serve({file("server.pem"), file("server.key"), file("ca.pem")});
  EXPECT_FALSE(names(*server, ClientTls{.ca_file = file("ca.pem")}));
  EXPECT_FALSE(names(*server, ClientTls{file("ca.pem"), file("impostor.pem"), file("impostor.key")}));
  const auto known = names(*server, ClientTls{file("ca.pem"), file("client.pem"), file("client.key")});
  ASSERT_TRUE(known) << known.error().to_string();
  EXPECT_NE(known->find("client"), std::string::npos);
}

TEST_F(TlsTest, BadFilesAreReportedAtTheStart) {
  const auto id = [](const auto& result) { return result ? std::string() : result.error().id; };
  EXPECT_EQ(id(server_credentials(ServerTls{file("none.pem"), file("server.key"), std::nullopt})),
            "TLS_CONFIGURATION_INVALID");
  EXPECT_EQ(id(server_credentials(ServerTls{file("server.pem"), file("client.key"), std::nullopt})),
            "TLS_CONFIGURATION_INVALID");
  EXPECT_EQ(id(server_credentials(ServerTls{file("server.key"), file("server.key"), std::nullopt})),
            "TLS_CONFIGURATION_INVALID");
  EXPECT_EQ(id(channel_credentials(ClientTls{.ca_file = file("none.pem")})), "TLS_CONFIGURATION_INVALID");
  EXPECT_EQ(id(channel_credentials(ClientTls{file("ca.pem"), file("client.pem"), std::nullopt})),
            "TLS_CONFIGURATION_INVALID");
  EXPECT_EQ(id(channel_credentials(ClientTls{file("ca.pem"), file("client.pem"), file("client.key")})), "");
}

TEST_F(TlsTest, AServerShowsItsNewCertificateOnceItHasTheKeyOfIt) {
  const auto server = serve({file("server.pem"), file("server.key"), std::nullopt});
  const auto trusts = [&](const char* authority_file) {
    return static_cast<bool>(names(*server, ClientTls{.ca_file = file(authority_file)}));
  };
  ASSERT_TRUE(trusts("ca.pem"));
  // The impostor's pair stands for what an operator puts in its place, one file after the other.
  std::filesystem::copy_file(file("impostor.key"), file("server.key"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(trusts("ca.pem")) << "a key without its certificate is not taken";
  std::filesystem::remove(file("server.pem"));
  EXPECT_TRUE(trusts("ca.pem")) << "neither is no certificate at all";
  std::filesystem::copy_file(file("impostor.pem"), file("server.pem"));
  EXPECT_TRUE(trusts("other-ca.pem"));
  EXPECT_FALSE(trusts("ca.pem"));
}

}  // namespace
}  // namespace synod::rpc
