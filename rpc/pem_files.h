// Files in PEM, and what they must hold. Error id of all: TLS_CONFIGURATION_INVALID, naming the file.
#pragma once

#include <string>

#include "base/result.h"

namespace synod::rpc {

Error tls_error(const std::string& file, const std::string& what);
Result<std::string> read_pem(const std::string& file);
// At least one certificate.
Status check_certificate(const std::string& pem, const std::string& file);
// The key, without a passphrase, belongs to the first certificate.
Status check_pair(const std::string& certificate_pem, const std::string& certificate_file, const std::string& key_pem,
                  const std::string& key_file);

}  // namespace synod::rpc
