#include "rpc/health_service.h"

#include <vector>

#include "rpc/unary.h"

namespace synod::rpc {
namespace {

constexpr std::size_t kMaxQueuedBytes = 4096;  // a watcher that does not read is let go

HealthService::Response response(HealthService::Response::ServingStatus status) {
  HealthService::Response response;
  response.set_status(status);
  return response;
}

}  // namespace

HealthService::Response::ServingStatus HealthService::status_of(const std::string& service) const {
  if (shared_->ended) return Response::NOT_SERVING;
  const auto known = serving_.find(service);
  if (known == serving_.end()) return Response::SERVICE_UNKNOWN;
  return known->second ? Response::SERVING : Response::NOT_SERVING;
}

void HealthService::changed(const std::string& service, bool serving) {
  std::lock_guard lock(shared_->mutex);
  const auto before = status_of(service);
  serving_[service] = serving;
  if (status_of(service) == before) return;
  const auto watchers = shared_->watchers.find(service);
  if (watchers == shared_->watchers.end()) return;
  for (const auto& [key, stream] : watchers->second) stream->write(response(status_of(service)));
}

void HealthService::end_streams() {
  std::vector<Stream> streams;
  {
    std::lock_guard lock(shared_->mutex);
    shared_->ended = true;
    for (const auto& [service, watchers] : shared_->watchers)
      for (const auto& [key, stream] : watchers) streams.push_back(stream);
  }
  for (const Stream& stream : streams) {
    stream->write(response(Response::NOT_SERVING));
    stream->finish(server_stops(), quietly);
  }
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context, const Request* request,
                                               Response* out) {
  return answer(context, out, [&](CallContext&, const Reply<Response>& reply) {
    Response::ServingStatus status = Response::SERVICE_UNKNOWN;
    {
      std::lock_guard lock(shared_->mutex);
      status = status_of(request->service());
    }
    if (status == Response::SERVICE_UNKNOWN) {
      reply.status({grpc::StatusCode::NOT_FOUND, "service name unknown"});
    } else {
      reply(response(status));
    }
  });
}

grpc::ServerWriteReactor<HealthService::Response>* HealthService::Watch(grpc::CallbackServerContext* context,
                                                                        const Request* request) {
  return stream_answer<Response>(context, {.max_queued_bytes = kMaxQueuedBytes}, [&](CallContext&, Stream stream) {
    const std::string service = request->service();
    bool ended = false;
    {
      std::lock_guard lock(shared_->mutex);
      ended = shared_->ended;
      stream->write(response(status_of(service)));
      if (!ended) shared_->watchers[service][stream.get()] = stream;
    }
    if (ended) return stream->finish(server_stops(), quietly);
    stream->on_closed([shared = shared_, service, key = stream.get()] {
      Stream gone;  // released outside of the lock
      std::lock_guard lock(shared->mutex);
      const auto watchers = shared->watchers.find(service);
      if (watchers == shared->watchers.end()) return;
      const auto found = watchers->second.find(key);
      if (found == watchers->second.end()) return;
      gone = std::move(found->second);
      watchers->second.erase(found);
      if (watchers->second.empty()) shared->watchers.erase(watchers);
    });
  });
}

}  // namespace synod::rpc
