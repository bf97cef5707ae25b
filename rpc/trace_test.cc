// What a handler logs carries the trace id of its caller.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "canton/sequencer_api_v30.grpc.pb.h"
#include "rpc/server.h"
#include "rpc/stream_writer.h"
#include "rpc/unary.h"

namespace synod::rpc {
namespace {

namespace api = com::digitalasset::canton::sequencer::api::v30;

// Answers with the trace id under which it would log.
class TracedService final : public api::SequencerService::CallbackService {
 public:
  grpc::ServerUnaryReactor* DownloadTopologyStateForInitHash(
      grpc::CallbackServerContext* context, const api::DownloadTopologyStateForInitHashRequest*,
      api::DownloadTopologyStateForInitHashResponse* response) override {
    return answer_now(context, response, [](CallContext&) -> Result<api::DownloadTopologyStateForInitHashResponse> {
      api::DownloadTopologyStateForInitHashResponse answer;
      answer.set_topology_state_hash(log::trace_id());
      return answer;
    });
  }
  grpc::ServerWriteReactor<api::SubscriptionResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                                 const api::SubscriptionRequest*) override {
    return stream_answer<api::SubscriptionResponse>(context, {}, [](CallContext&, auto stream) {
      api::SubscriptionResponse response;
      response.set_signed_sequenced_event(log::trace_id());
      stream->write(response);
      stream->finish();
    });
  }
};

TEST(Trace, IsThatOfTheCallerWhileAHandlerRuns) {
  const auto server = Server::start({}, {std::make_shared<TracedService>()}).value();
  const auto stub = api::SequencerService::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()), grpc::InsecureChannelCredentials()));
  const auto ask = [&](const std::string& traceparent) {
    const auto with_header = [&](grpc::ClientContext& context) {
      if (!traceparent.empty()) context.AddMetadata("traceparent", traceparent);
    };
    grpc::ClientContext unary, streaming;
    with_header(unary);
    with_header(streaming);
    api::DownloadTopologyStateForInitHashResponse answer;
    EXPECT_TRUE(stub->DownloadTopologyStateForInitHash(&unary, {}, &answer).ok());
    const auto reader = stub->Subscribe(&streaming, {});
    api::SubscriptionResponse item;
    EXPECT_TRUE(reader->Read(&item));
    EXPECT_EQ(item.signed_sequenced_event(), answer.topology_state_hash());
    return answer.topology_state_hash();
  };
  const std::string id = "0af7651916cd43dd8448eb211c80319c";
  EXPECT_EQ(ask("00-" + id + "-b7ad6b7169203331-01"), id);
  EXPECT_EQ(ask(""), "");  // not that of the call before
  EXPECT_EQ(ask("00-this is no trace id, but as long as it-b7ad6b7169203331-01"), "");
}

}  // namespace
}  // namespace synod::rpc
