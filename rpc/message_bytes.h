// How much of a queue's byte limit a message takes.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>

namespace synod::rpc {

inline std::size_t message_bytes(const google::protobuf::MessageLite& message) { return message.ByteSizeLong() + 16; }
inline std::size_t message_bytes(const grpc::ByteBuffer& message) { return message.Length() + 16; }

}  // namespace synod::rpc
