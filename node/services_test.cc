// The README's table of services against the definitions in proto/ and against what the nodes answer.
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "grpc/reflection.pb.h"
#include "node/testing/roles_in_one_process.h"
#include "rpc/channel.h"
#include "synod/sequencer_operations.pb.h"

namespace synod::node {
namespace {

using testing::kPatience;
using Names = std::set<std::string>;

struct Row {
  std::string at;  // "sequencer", "sequencer, admin"
  Names answers, unimplemented;
};

struct Definition {
  std::string full_name;
  Names rpcs;
};

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// Between separators, without what stands in brackets.
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(trimmed(part.substr(0, part.find('('))));
  return parts;
}

Names names_in(const std::string& cell) {
  Names names;
  for (const std::string& name : split(cell, ',')) names.insert(name);
  names.erase("");
  return names;
}

std::map<std::string, Row> table_of_readme() {
  std::map<std::string, Row> rows;
  std::ifstream in("README.md");
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("## ")) inside = line == "## Services";
    if (!inside || !line.starts_with("| ") || line.starts_with("| service") || line.starts_with("| ---")) continue;
    std::vector<std::string> cells;
    std::istringstream cut(line);
    for (std::string cell; std::getline(cut, cell, '|');) cells.push_back(trimmed(cell));
    EXPECT_EQ(cells.size(), 5u) << line;
    if (cells.size() != 5) continue;
    const std::string service = trimmed(cells[1].substr(0, cells[1].find('(')));
    EXPECT_TRUE(rows.emplace(service, Row{cells[2], names_in(cells[3]), names_in(cells[4])}).second) << service;
  }
  return rows;
}

// By the service's own name. From the text: the pool of descriptors has only what is linked.
std::map<std::string, Definition> services_of_protos() {
  std::map<std::string, Definition> services;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("proto")) {
    if (entry.path().extension() != ".proto" || entry.path().parent_path() == "proto/grpc") continue;
    std::ifstream in(entry.path());
    std::string package, service, word;
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      if (!(words >> word)) continue;
      std::string name;
      words >> name;
      if (word == "package") package = name.substr(0, name.find(';'));
      if (word == "service") {
        service = name;
        EXPECT_TRUE(services.emplace(service, Definition{package + "." + service, {}}).second) << service;
      }
      if (word == "rpc") services.at(service).rpcs.insert(name.substr(0, name.find('(')));
    }
  }
  return services;
}

std::string last_part(const std::string& full_name) { return full_name.substr(full_name.rfind('.') + 1); }

class ServicesTest : public testing::RolesInOneProcess {
 protected:
  struct Answer {
    grpc::Status status;
    std::string message;
    // gRPC's own answer has no text; one of ours, to a request that wants something that is not there, says what.
    bool unimplemented() const {
      return status.error_code() == grpc::StatusCode::UNIMPLEMENTED && status.error_message().empty();
    }
  };

  // The ports by their names in the table: "sequencer", "sequencer, admin".
  std::map<std::string, int> start_at(const std::string& role) {
    NodeFile described = file(role);
    if (described.public_api.port == 0) described.public_api.port = free_port();
    if (role == "participant") described.static_clock = folder_ + "/static-clock";  // or it has no TimeService
    auto running = RunningNode::start(described);
    EXPECT_TRUE(running) << running.error().to_string();
    std::map<std::string, int> ports{{role + ", admin", (*running)->admin().port()}};
    if (role != "mediator") ports[role] = described.public_api.port;
    nodes_[role] = std::move(*running);
    return ports;
  }

  static std::future<Answer> call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                                  const std::string& request, std::chrono::seconds patience) {
    struct Call {
      explicit Call(const std::shared_ptr<grpc::Channel>& to) : stub(to) {}
      grpc::GenericStub stub;
      grpc::ClientContext context;
      grpc::ByteBuffer in, out;
      std::promise<Answer> answer;
    };
    const auto made = std::make_shared<Call>(channel);
    made->context.set_deadline(std::chrono::system_clock::now() + patience);
    made->context.set_wait_for_ready(true);
    const grpc::Slice slice(request);
    made->in = grpc::ByteBuffer(&slice, 1);
    made->stub.UnaryCall(&made->context, method, {}, &made->in, &made->out, [made](grpc::Status status) {
      Answer answer{std::move(status), ""};
      std::vector<grpc::Slice> slices;
      if (made->out.Valid() && made->out.Dump(&slices).ok())
        for (const grpc::Slice& part : slices) answer.message.append(part.begin(), part.end());
      made->answer.set_value(std::move(answer));
    });
    return made->answer.get_future();
  }

  // Empty, except that keys are not to be replaced for a minute.
  static std::string request_of(const std::string& rpc) {
    if (rpc != "RotateKeys") return "";
    sequencer::operations::v1::RotateKeysRequest request;
    request.set_timeout_micros(1);
    return request.SerializeAsString();
  }

  static Names offered(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::reflection::v1::ServerReflectionRequest request;
    request.set_list_services("*");
    const Answer answer = call(channel, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                               request.SerializeAsString(), kPatience)
                              .get();
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    grpc::reflection::v1::ServerReflectionResponse response;
    EXPECT_TRUE(response.ParseFromString(answer.message));
    Names names;
    for (const auto& service : response.list_services_response().service())
      if (!service.name().starts_with("grpc.")) names.insert(last_part(service.name()));
    return names;
  }
};

TEST_F(ServicesTest, EveryRpcThatIsDefinedStandsInTheReadme) {
  const auto rows = table_of_readme();
  const auto services = services_of_protos();
  ASSERT_GT(services.size(), 20u);
  for (const auto& [service, definition] : services) {
    ASSERT_TRUE(rows.contains(service)) << service;
    const Row& row = rows.at(service);
    Names said = row.answers;
    for (const std::string& rpc : row.unimplemented) EXPECT_TRUE(said.insert(rpc).second) << service << " " << rpc;
    EXPECT_EQ(said, definition.rpcs) << service;
  }
  for (const auto& [service, row] : rows) EXPECT_TRUE(services.contains(service)) << service;
}

TEST_F(ServicesTest, EveryRpcAnswersAsTheReadmeSays) {
  const auto rows = table_of_readme();
  const auto services = services_of_protos();
  Names tried;
  for (const std::string role : {"orderer", "sequencer", "mediator", "topology-manager", "participant"}) {
    for (const auto& [place, port] : start_at(role)) {
      const auto channel = rpc::make_channel({.target = "127.0.0.1:" + std::to_string(port)}).value();
      const Names registered = offered(channel);
      std::map<std::string, std::future<Answer>> answering;  // some wait for a synchronizer that is not there
      for (const std::string& service : registered) EXPECT_TRUE(rows.contains(service)) << service << " at " << place;
      for (const auto& [service, row] : rows) {
        const bool here = row.at == place || (row.at == "every node, admin" && place == role + ", admin");
        EXPECT_EQ(registered.contains(service), here && !row.answers.empty()) << service << " at " << place;
        if (!here || !services.contains(service)) continue;
        tried.insert(service);
        const std::string prefix = "/" + services.at(service).full_name + "/";
        for (const std::string& rpc : row.answers)
          answering[prefix + rpc] = call(channel, prefix + rpc, request_of(rpc), std::chrono::seconds(2));
        for (const std::string& rpc : row.unimplemented)
          EXPECT_TRUE(call(channel, prefix + rpc, "", kPatience).get().unimplemented()) << prefix << rpc;
      }
      for (auto& [rpc, answer] : answering) EXPECT_FALSE(answer.get().unimplemented()) << rpc;
    }
    nodes_.clear();
  }
  EXPECT_EQ(tried.size(), rows.size());
}

}  // namespace
}  // namespace synod::node
