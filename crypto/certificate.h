// X.509 certificates for TLS between the nodes of a test network: a certificate authority and what it signs. PEM
// throughout.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace synod::crypto {

struct Certificate {
  std::string certificate_pem;
  std::string private_key_pem;  // PKCS#8, P-256, unencrypted
};

struct CertificateRequest {
  std::string common_name;
  std::string organization;
  std::string organizational_unit;        // empty: none
  std::vector<std::string> dns_names;     // subject alternative names
  std::vector<std::string> ip_addresses;  // textual, version 4 or 6
  Timestamp valid_from;
  Duration valid_for = Duration::seconds(365LL * 86400);
};

// A self-signed authority.
Result<Certificate> make_certificate_authority(const CertificateRequest& request);
// A certificate for TLS servers and clients, signed by `authority`; not valid before that is.
Result<Certificate> make_certificate(const CertificateRequest& request, const Certificate& authority);

// The DER inside a PEM certificate, and its SHA-256.
Result<std::string> certificate_der(const std::string& certificate_pem);
Result<std::string> certificate_fingerprint(const std::string& certificate_pem);  // hex

}  // namespace synod::crypto
