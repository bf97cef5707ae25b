// Which certificate a TLS server shows, seen from outside.
#pragma once

#include <string>

namespace synod::e2e {

// SHA-256 in hex of what the server at 127.0.0.1 shows in a handshake of its own; empty: there is none.
std::string shown_certificate(int port);
// The same of the first certificate in a file.
std::string certificate_in(const std::string& pem_file);

}  // namespace synod::e2e
