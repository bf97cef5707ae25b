// CommandService, CommandSubmissionService and CommandCompletionService.
#include <algorithm>
#include <chrono>

#include "ledger/command_services.grpc.pb.h"
#include "participant/ledger_api/command_decoder.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/stream_pump.h"
#include "participant/ledger_api/update_codec.h"
#include "rpc/open_streams.h"
#include "rpc/unary.h"

namespace synod::participant {
namespace {

// What is left until the caller's own deadline, at most the configured time.
Duration time_left(grpc::CallbackServerContext* call, Duration most) {
  using namespace std::chrono;
  const auto left = duration_cast<microseconds>(call->deadline() - system_clock::now()).count();
  return std::clamp(Duration{left}, Duration{0}, most);
}

class CommandService final : public api::CommandService::CallbackService {
 public:
  explicit CommandService(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerUnaryReactor* SubmitAndWait(grpc::CallbackServerContext* call, const api::SubmitAndWaitRequest* request,
                                          api::SubmitAndWaitResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext& info, rpc::Reply<api::SubmitAndWaitResponse> reply) {
      submit(call, info, request->commands(), reply, [reply](const Completion& completion) {
        api::SubmitAndWaitResponse answer;
        answer.set_update_id(completion.update_id);
        answer.set_completion_offset(completion.offset.value);
        reply(std::move(answer));
      });
    });
  }

  grpc::ServerUnaryReactor* SubmitAndWaitForTransaction(grpc::CallbackServerContext* call,
                                                        const api::SubmitAndWaitForTransactionRequest* request,
                                                        api::SubmitAndWaitForTransactionResponse* response) override {
    return rpc::answer(
        call, response, [&](rpc::CallContext& info, rpc::Reply<api::SubmitAndWaitForTransactionResponse> reply) {
          // Before the command is carried out, that a bad format cannot look like a command that failed.
          if (request->has_transaction_format())
            if (const auto view =
                    parse_transaction_format(request->transaction_format(), *context_->node.package_store());
                !view)
              return reply.error(view.error());
          submit(call, info, request->commands(), reply, [this, request, reply](const Completion& completion) {
            context_->loop.post([this, request, reply, completion] { reply(transaction(*request, completion)); });
          });
        });
  }

 private:
  template <typename Response, typename Done>
  void submit(grpc::CallbackServerContext* call, rpc::CallContext& info, const api::Commands& commands,
              rpc::Reply<Response> reply, Done done) {
    const Duration timeout = time_left(call, context_->config.submit_timeout);
    context_->loop.post([this, &commands, reply, done = std::move(done), timeout, traceparent = info.traceparent()] {
      Result<CommandSubmission> submission = decode_commands(*context_, commands, traceparent);
      if (!submission) return reply.error(submission.error());
      context_->node.commands().submit_and_wait(std::move(*submission), timeout,
                                                [reply, done](Result<Completion> completion) {
                                                  if (!completion) return reply.error(completion.error());
                                                  if (completion->rejection) return reply.error(*completion->rejection);
                                                  done(*completion);
                                                });
    });
  }

  Result<api::SubmitAndWaitForTransactionResponse> transaction(const api::SubmitAndWaitForTransactionRequest& request,
                                                               const Completion& completion) const {
    SYNOD_TRY(const lf::PartySet read_as, party_ids(request.commands().read_as(), "read_as"));
    TransactionView view{EventFilter::all_of(lf::parties_union(completion.act_as, read_as)), Shape::acs_delta};
    if (request.has_transaction_format()) {
      SYNOD_TRY(view, parse_transaction_format(request.transaction_format(), *context_->node.package_store()));
    }
    SYNOD_TRY(const std::optional<Update> update, context_->node.ledger().update_at(completion.offset));
    if (!update) return fail(internal_error("no update at offset " + std::to_string(completion.offset.value)));
    api::SubmitAndWaitForTransactionResponse response;
    SYNOD_TRY(const bool visible, UpdateCodec(*context_).transaction(*update, view, response.mutable_transaction()));
    (void)visible;  // a transaction without visible events is shown empty
    return response;
  }

  ContextPtr context_;
};

class CommandSubmissionService final : public api::CommandSubmissionService::CallbackService {
 public:
  explicit CommandSubmissionService(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* call, const api::SubmitRequest* request,
                                   api::SubmitResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext& info, rpc::Reply<api::SubmitResponse> reply) {
      context_->loop.post([this, request, reply, traceparent = info.traceparent()] {
        Result<CommandSubmission> submission = decode_commands(*context_, request->commands(), traceparent);
        if (!submission) return reply.error(submission.error());
        context_->node.commands().submit(std::move(*submission), [reply](Status accepted) {
          if (accepted)
            reply(api::SubmitResponse());
          else
            reply.error(accepted.error());
        });
      });
    });
  }

 private:
  ContextPtr context_;
};

class CommandCompletionService final : public api::CommandCompletionService::CallbackService, public rpc::EndsStreams {
 public:
  explicit CommandCompletionService(ContextPtr context) : context_(std::move(context)) {}
  void end_streams() override { open_.end(); }

  grpc::ServerWriteReactor<api::CompletionStreamResponse>* CompletionStream(
      grpc::CallbackServerContext* call, const api::CompletionStreamRequest* request) override {
    return rpc::stream_answer<api::CompletionStreamResponse>(
        call, {.max_queued_bytes = context_->config.max_queued_bytes}, [&](rpc::CallContext& info, auto stream) {
          open_.add(stream);
          if (const Status status = start(*request, stream); !status) stream->abort(status.error(), info.request_ids());
        });
  }

 private:
  Status start(const api::CompletionStreamRequest& request,
               rpc::ServerStreamPtr<api::CompletionStreamResponse> stream) {
    SYNOD_TRY(const std::string user, user_id(request.user_id(), "user_id"));
    if (request.parties().empty()) return fail(missing_field("parties"));
    SYNOD_TRY(const lf::PartySet parties, party_ids(request.parties(), "parties"));
    SYNOD_TRY(const Offset begin, non_negative_offset(request.begin_exclusive(), "begin_exclusive"));
    const Offset end = context_->node.ledger().ledger_end();
    if (begin > end) return fail(offset_after_end("Begin", begin, end));
    StreamPump<api::CompletionStreamResponse>::start(
        context_, std::move(stream), begin, std::nullopt,
        [context = context_, user, parties](Offset after, Offset to,
                                            const StreamPump<api::CompletionStreamResponse>::Emit& emit) {
          return context->node.ledger().completions(after, to, [&](const Completion& completion) {
            const bool ours =
                completion.user_id == user && std::any_of(completion.act_as.begin(), completion.act_as.end(),
                                                          [&](const auto& p) { return parties.contains(p); });
            if (!ours) return emit(completion.offset, std::nullopt);
            api::CompletionStreamResponse response;
            UpdateCodec(*context).completion(completion, response.mutable_completion());
            return emit(completion.offset, std::move(response));
          });
        },
        [context = context_](Offset at) {
          api::CompletionStreamResponse response;
          UpdateCodec(*context).checkpoint(at, context->node.ledger().record_time(),
                                           response.mutable_offset_checkpoint());
          return response;
        });
    return {};
  }

  ContextPtr context_;
  rpc::OpenStreams<api::CompletionStreamResponse> open_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_command_service(ContextPtr context) {
  return std::make_shared<CommandService>(std::move(context));
}
std::shared_ptr<grpc::Service> make_command_submission_service(ContextPtr context) {
  return std::make_shared<CommandSubmissionService>(std::move(context));
}
std::shared_ptr<grpc::Service> make_command_completion_service(ContextPtr context) {
  return std::make_shared<CommandCompletionService>(std::move(context));
}

}  // namespace synod::participant
