#include "testnet/certificates.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/env.h"
#include "base/files.h"
#include "crypto/certificate.h"

namespace synod::testnet {
namespace {

Status failed(const std::string& path) { return fail(unavailable("NETWORK_FOLDER_FAILED", "cannot write " + path)); }

struct File {
  std::string path, content;
  bool secret = false;
};

// Each in one step for whoever reads it meanwhile. All are written first: between the steps is as little time as can
// be, and who reads in between finds that the files do not belong together, and reads again (rpc/served_certificate.h).
Status replace(const std::vector<File>& files) {
  for (const File& file : files) {
    const std::string draft = file.path + ".new";
    std::ofstream out(draft, std::ios::binary | std::ios::trunc);
    if (file.secret) chmod(draft.c_str(), 0600);
    out << file.content;
    out.close();
    if (!out) return failed(draft);
  }
  for (const File& file : files)
    if (rename((file.path + ".new").c_str(), file.path.c_str()) != 0) return failed(file.path);
  return {};
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
  authority.certificate_pem = file_bytes(folder + "/authority.pem").value_or("");
  authority.private_key_pem = file_bytes(folder + "/authority.key").value_or("");
  if (!authority.certificate_pem.empty() && !authority.private_key_pem.empty()) return authority;
  SYNOD_TRY(authority, crypto::make_certificate_authority(request_for(organisation + " authority", organisation)));
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  SYNOD_RETURN_IF_ERROR(
      replace({{folder + "/authority.key", authority.private_key_pem, true},
               {folder + "/authority.pem", authority.certificate_pem},
               {authorities_file(plan), file_bytes(authorities_file(plan)).value_or("") + authority.certificate_pem}}));
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
  return replace({{node.folder + "/tls.key", certificate.private_key_pem, true},
                  {node.folder + "/tls.pem", certificate.certificate_pem}});
}

Status reissue(const CertificateFiles& files, const std::string& name, const std::string& organisation,
               const std::string& unit) {
  crypto::CertificateRequest request = request_for(name, organisation);
  request.organizational_unit = unit;
  SYNOD_TRY(const crypto::Certificate certificate,
            crypto::make_certificate(
                request, {file_bytes(files.authority).value_or(""), file_bytes(files.authority_key).value_or("")}));
  return replace({{files.key, certificate.private_key_pem, true}, {files.certificate, certificate.certificate_pem}});
}

}  // namespace synod::testnet
