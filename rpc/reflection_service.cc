#include "rpc/reflection_service.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/impl/server_initializer.h>

#include <atomic>
#include <set>

#include "grpc/reflection.grpc.pb.h"
#include "grpc/reflection_v1alpha.grpc.pb.h"
#include "rpc/open_streams.h"
#include "rpc/server_bidi.h"

namespace synod::rpc {
namespace {

namespace v1 = grpc::reflection::v1;
using Request = v1::ServerReflectionRequest;
using Response = v1::ServerReflectionResponse;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

// One request at a time, and the next one is read when this much of the answers has room again.
constexpr StreamLimits kLimits{.max_queued_bytes = 1u << 20, .max_unconsumed_bytes = 1};
// Names are shorter; an answer repeats its request.
constexpr std::size_t kMaxRequestBytes = 16u << 10;

void fail_with(grpc::StatusCode code, const char* message, Response& response) {
  response.mutable_error_response()->set_error_code(code);
  response.mutable_error_response()->set_error_message(message);
}

void add_with_dependencies(const FileDescriptor& file, std::set<const FileDescriptor*>& seen,
                           v1::FileDescriptorResponse& out) {
  if (!seen.insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  out.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) add_with_dependencies(*file.dependency(i), seen, out);
}

void answer_file(const FileDescriptor* file, const char* unknown, Response& response) {
  if (!file) return fail_with(grpc::StatusCode::NOT_FOUND, unknown, response);
  std::set<const FileDescriptor*> seen;
  add_with_dependencies(*file, seen, *response.mutable_file_descriptor_response());
}

void answer_extension(const DescriptorPool& pool, const v1::ExtensionRequest& request, Response& response) {
  const auto* type = pool.FindMessageTypeByName(request.containing_type());
  if (!type) return fail_with(grpc::StatusCode::NOT_FOUND, "Type not found.", response);
  const auto* extension = pool.FindExtensionByNumber(type, request.extension_number());
  answer_file(extension ? extension->file() : nullptr, "Extension not found.", response);
}

void answer_extension_numbers(const DescriptorPool& pool, const std::string& name, Response& response) {
  const auto* type = pool.FindMessageTypeByName(name);
  if (!type) return fail_with(grpc::StatusCode::NOT_FOUND, "Type not found.", response);
  auto& numbers = *response.mutable_all_extension_numbers_response();
  numbers.set_base_type_name(name);
  std::vector<const google::protobuf::FieldDescriptor*> extensions;
  pool.FindAllExtensions(type, &extensions);
  for (const auto* extension : extensions) numbers.add_extension_number(extension->number());
}

// Full names of all services of the server. Set before the first call.
using Names = std::shared_ptr<std::vector<std::string>>;

template <typename Service>
class ReflectionService final : public Service::CallbackService, public EndsStreams {
 public:
  explicit ReflectionService(Names names) : names_(std::move(names)) {}

  void end_streams() override { open_.end(); }

  grpc::ServerBidiReactor<Request, Response>* ServerReflectionInfo(grpc::CallbackServerContext* context) override {
    return bidi_answer<Request, Response>(
        context, kLimits, [this](CallContext&, const ServerBidiPtr<Request, Response>& stream) {
          open_.add(stream);
          const std::weak_ptr weak = stream;
          // What waits for room in the queue. Reads and the end of writes may come on two threads, but in turn: nothing
          // is read before the queue has been drained.
          const auto owed = std::make_shared<std::atomic<std::size_t>>(0);
          stream->on_message([weak, owed, names = names_](const Request& request, std::size_t bytes) {
            const auto open = weak.lock();
            if (!open) return;
            if (bytes > kMaxRequestBytes)
              return open->finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "The request is larger than 16 KiB"});
            *owed = bytes;
            if (open->write(reflect(request, *names)) == WriteOutcome::accepted) open->consumed(owed->exchange(0));
          });
          stream->on_drained([weak, owed] {
            if (const auto open = weak.lock()) open->consumed(owed->exchange(0));
          });
          stream->on_half_close([weak] {
            if (const auto open = weak.lock()) open->finish();
          });
        });
  }

 private:
  const Names names_;
  OpenStreams<Response> open_;
};

// gRPC tells plugins only which services a server has.
class TellNames final : public grpc::ServerBuilderPlugin {
 public:
  explicit TellNames(Names names) : names_(std::move(names)) {}
  std::string name() override { return "synod_reflection"; }
  void InitServer(grpc::ServerInitializer*) override {}
  void Finish(grpc::ServerInitializer* server) override { *names_ = *server->GetServiceList(); }
  void ChangeArguments(const std::string&, void*) override {}

 private:
  const Names names_;
};

class NamesOfAll final : public grpc::ServerBuilderOption {
 public:
  explicit NamesOfAll(Names names) : names_(std::move(names)) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->push_back(std::make_unique<TellNames>(names_));
  }

 private:
  const Names names_;
};

}  // namespace

Response reflect(const Request& request, const std::vector<std::string>& services) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      answer_file(pool.FindFileByName(request.file_by_filename()), "File not found.", response);
      break;
    case Request::kFileContainingSymbol:
      answer_file(pool.FindFileContainingSymbol(request.file_containing_symbol()), "Symbol not found.", response);
      break;
    case Request::kFileContainingExtension:
      answer_extension(pool, request.file_containing_extension(), response);
      break;
    case Request::kAllExtensionNumbersOfType:
      answer_extension_numbers(pool, request.all_extension_numbers_of_type(), response);
      break;
    case Request::kListServices:
      for (const std::string& service : services)
        response.mutable_list_services_response()->add_service()->set_name(service);
      break;
    case Request::MESSAGE_REQUEST_NOT_SET:
      fail_with(grpc::StatusCode::UNIMPLEMENTED, "", response);
      break;
  }
  return response;
}

Reflection make_reflection() {
  const Names names = std::make_shared<std::vector<std::string>>();
  return {{std::make_shared<ReflectionService<v1::ServerReflection>>(names),
           std::make_shared<ReflectionService<grpc::reflection::v1alpha::ServerReflection>>(names)},
          std::make_unique<NamesOfAll>(names)};
}

}  // namespace synod::rpc
