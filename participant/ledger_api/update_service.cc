// UpdateService: GetUpdates, GetUpdateByOffset, GetUpdateById.
#include "ledger/update_service.grpc.pb.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/stream_pump.h"
#include "participant/ledger_api/update_codec.h"
#include "rpc/open_streams.h"
#include "rpc/unary.h"

namespace synod::participant {
namespace {

class UpdateService final : public api::UpdateService::CallbackService, public rpc::EndsStreams {
 public:
  explicit UpdateService(ContextPtr context) : context_(std::move(context)) {}
  void end_streams() override { open_.end(); }

  grpc::ServerWriteReactor<api::GetUpdatesResponse>* GetUpdates(grpc::CallbackServerContext* call,
                                                                const api::GetUpdatesRequest* request) override {
    return rpc::stream_answer<api::GetUpdatesResponse>(call, {.max_queued_bytes = context_->config.max_queued_bytes},
                                                       [&](rpc::CallContext& info, auto stream) {
                                                         open_.add(stream);
                                                         if (const Status status = start(*request, stream); !status)
                                                           stream->abort(status.error(), info.request_ids());
                                                       });
  }
  grpc::ServerUnaryReactor* GetUpdateByOffset(grpc::CallbackServerContext* call,
                                              const api::GetUpdateByOffsetRequest* request,
                                              api::GetUpdateResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext&, rpc::Reply<api::GetUpdateResponse> reply) {
      context_->loop.post([this, request, reply] {
        reply([&]() -> Result<api::GetUpdateResponse> {
          SYNOD_TRY(const Offset offset, positive_offset(request->offset(), "offset"));
          if (!request->has_update_format()) return fail(missing_field("update_format"));
          SYNOD_TRY(const auto update, context_->node.ledger().update_at(offset));
          return show(update, request->update_format());
        }());
      });
    });
  }
  grpc::ServerUnaryReactor* GetUpdateById(grpc::CallbackServerContext* call, const api::GetUpdateByIdRequest* request,
                                          api::GetUpdateResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext&, rpc::Reply<api::GetUpdateResponse> reply) {
      context_->loop.post([this, request, reply] {
        reply([&]() -> Result<api::GetUpdateResponse> {
          SYNOD_TRY(const std::string id, ledger_string(request->update_id(), "update_id"));
          if (!request->has_update_format()) return fail(missing_field("update_format"));
          SYNOD_TRY(const auto update, context_->node.ledger().update_by_id(id));
          return show(update, request->update_format());
        }());
      });
    });
  }

 private:
  Status start(const api::GetUpdatesRequest& request, rpc::ServerStreamPtr<api::GetUpdatesResponse> stream) {
    if (request.descending_order())
      return fail(Error("UNSUPPORTED_OPERATION", ErrorCategory::unsupported,
                        "GetUpdates in descending order is not supported; read in ascending order"));
    if (!request.has_update_format()) return fail(missing_field("update_format"));
    SYNOD_TRY(UpdateView view, parse_update_format(request.update_format(), *context_->node.package_store()));
    SYNOD_TRY(const Offset begin, non_negative_offset(request.begin_exclusive(), "begin_exclusive"));
    const Offset end = context_->node.ledger().ledger_end();
    if (begin > end) return fail(offset_after_end("Begin", begin, end));
    std::optional<Offset> until;
    if (request.has_end_inclusive()) {
      SYNOD_TRY(until, positive_offset(request.end_inclusive(), "end_inclusive"));
      if (*until > end) return fail(offset_after_end("End", *until, end));
      if (*until < begin) return fail(end_before_begin(begin, *until));
    }
    const auto shared = std::make_shared<const UpdateView>(std::move(view));
    StreamPump<api::GetUpdatesResponse>::start(
        context_, std::move(stream), begin, until,
        [context = context_, shared](Offset after, Offset to,
                                     const StreamPump<api::GetUpdatesResponse>::Emit& emit) -> Status {
          Status outcome;
          SYNOD_RETURN_IF_ERROR(context->node.ledger().updates(after, to, false, [&](const Update& update) {
            Result<std::optional<api::GetUpdatesResponse>> message = encode(*context, update, *shared);
            if (!message) {
              outcome = fail(message.error());
              return false;
            }
            return emit(update.offset, std::move(*message));
          }));
          return outcome;
        },
        [context = context_](Offset at) {
          api::GetUpdatesResponse response;
          UpdateCodec(*context).checkpoint(at, context->node.ledger().record_time(),
                                           response.mutable_offset_checkpoint());
          return response;
        });
    return {};
  }

  static Result<std::optional<api::GetUpdatesResponse>> encode(const ServiceContext& context, const Update& update,
                                                               const UpdateView& view) {
    const UpdateCodec codec(context);
    api::GetUpdatesResponse response;
    if (view.transactions && update.transaction()) {
      SYNOD_TRY(const bool visible, codec.transaction(update, *view.transactions, response.mutable_transaction()));
      if (visible) return response;
    }
    if (view.topology_parties &&
        codec.topology(update, *view.topology_parties, response.mutable_topology_transaction()))
      return response;
    return std::nullopt;
  }

  Result<api::GetUpdateResponse> show(const std::optional<Update>& update, const api::UpdateFormat& format) const {
    SYNOD_TRY(const UpdateView view, parse_update_format(format, *context_->node.package_store()));
    if (update) {
      SYNOD_TRY(std::optional<api::GetUpdatesResponse> message, encode(*context_, *update, view));
      if (message) {
        api::GetUpdateResponse response;
        if (message->has_transaction())
          *response.mutable_transaction() = std::move(*message->mutable_transaction());
        else
          *response.mutable_topology_transaction() = std::move(*message->mutable_topology_transaction());
        return response;
      }
    }
    return fail(not_found("UPDATE_NOT_FOUND", "Update not found, or not visible."));
  }

  ContextPtr context_;
  rpc::OpenStreams<api::GetUpdatesResponse> open_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_update_service(ContextPtr context) {
  return std::make_shared<UpdateService>(std::move(context));
}

}  // namespace synod::participant
