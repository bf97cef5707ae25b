#pragma once

#include <string>

#include "testnet/network_process.h"

namespace synod::testnet {

// The PostgreSQL server that was prepared in this folder. Whoever calls it finds the folder prepared.
NetworkProcess postgres_process(const std::string& name, const std::string& folder);

}  // namespace synod::testnet
