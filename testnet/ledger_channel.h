// Connections to participants' Ledger APIs, as applications make them.
#pragma once

#include <memory>
#include <string>

namespace grpc {
class Channel;
}

namespace synod::testnet {

// `ca_file` empty: no TLS.
std::shared_ptr<grpc::Channel> ledger_channel(const std::string& address, const std::string& ca_file);

}  // namespace synod::testnet
