#include "rpc/health_watch.h"

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <vector>

#include "rpc/client_bidi.h"

namespace synod::rpc {
namespace {

// HealthCheckRequest{service=1 string}; the name is shorter than 128 bytes.
grpc::ByteBuffer health_request(const std::string& service) {
  std::string bytes;
  bytes += '\x0a';
  bytes += static_cast<char>(service.size());
  bytes += service;
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// HealthCheckResponse{status=1 enum}: SERVING is 1.
bool says_serving(const grpc::ByteBuffer& response) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!response.Dump(&slices).ok()) return false;
  for (const auto& s : slices) bytes.append(reinterpret_cast<const char*>(s.begin()), s.size());
  return bytes == std::string("\x08\x01", 2);
}

}  // namespace

std::shared_ptr<ClientStream> watch_health(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                                           HealthHandlers handlers) {
  auto on_change = handlers.on_change;
  auto on_end = handlers.on_end;
  StreamHandlers<grpc::ByteBuffer> stream;
  stream.on_message = [on_change](grpc::ByteBuffer response, std::size_t) { on_change(says_serving(response)); };
  stream.on_end = [on_change, on_end](std::optional<Error> error) {
    if (error && error->category == ErrorCategory::unsupported) return on_change(true);
    on_end(error ? *error : unavailable("UNAVAILABLE", "The server has ended the health watch"));
  };
  auto watch = std::make_shared<ClientBidi<grpc::ByteBuffer, grpc::ByteBuffer>>(
      CallOptions{.deadline = {}}, 1024, std::size_t{1} << 40, std::move(stream));
  grpc::GenericStub stub(channel);
  stub.PrepareBidiStreamingCall(watch->context(), "/grpc.health.v1.Health/Watch", {}, watch.get());
  watch->start(watch);
  watch->write(health_request(service));
  watch->writes_done();
  return watch;
}

}  // namespace synod::rpc
