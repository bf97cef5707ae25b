#include "testnet/certificates.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/env.h"
#include "crypto/certificate.h"

namespace synod::testnet {
namespace {

// In one step for whoever reads the file meanwhile.
Status replace(const std::string& path, const std::string& content, bool secret = false) {
  const std::string draft = path + ".new";
  std::ofstream out(draft, std::ios::binary | std::ios::trunc);
  if (secret) chmod(draft.c_str(), 0600);
  out << content;
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(draft, path, error);
  if (!out || error) return fail(unavailable("NETWORK_FOLDER_FAILED", "cannot write " + path));
  return {};
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

crypto::CertificateRequest request_for(const std::string& name, const std::string& organisation) {
  crypto::CertificateRequest request;
  request.common_name = name;
  request.organization = organisation;
  request.valid_from = system_clock()->now() - Duration::seconds(3600);
  return request;
}

Result<crypto::Certificate> authority_of(const NetworkPlan& plan, const std::string& organisation) {
  const std::string folder = plan.folder + "/" + organisation;
  crypto::Certificate authority;
  authority.certificate_pem = read(folder + "/authority.pem");
  authority.private_key_pem = read(folder + "/authority.key");
  if (!authority.certificate_pem.empty() && !authority.private_key_pem.empty()) return authority;
  SYNOD_TRY(authority, crypto::make_certificate_authority(request_for(organisation + " authority", organisation)));
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  SYNOD_RETURN_IF_ERROR(replace(folder + "/authority.key", authority.private_key_pem, true));
  SYNOD_RETURN_IF_ERROR(replace(folder + "/authority.pem", authority.certificate_pem));
  SYNOD_RETURN_IF_ERROR(replace(authorities_file(plan), read(authorities_file(plan)) + authority.certificate_pem));
  return authority;
}

}  // namespace

std::string authorities_file(const NetworkPlan& plan) { return plan.folder + "/authorities.pem"; }

Status renew_certificate(const NetworkPlan& plan, const NodePlan& node) {
  SYNOD_TRY(const crypto::Certificate authority, authority_of(plan, node.organisation));
  crypto::CertificateRequest request = request_for(node.name, node.organisation);
  request.dns_names = {"localhost"};
  request.ip_addresses = {"127.0.0.1"};
  SYNOD_TRY(const crypto::Certificate certificate, crypto::make_certificate(request, authority));
  SYNOD_RETURN_IF_ERROR(replace(node.folder + "/tls.key", certificate.private_key_pem, true));
  return replace(node.folder + "/tls.pem", certificate.certificate_pem);
}

}  // namespace synod::testnet
