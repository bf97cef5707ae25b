#include "tests/e2e/served_certificate.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/bytes.h"

namespace synod::e2e {
namespace {

std::string digest(const X509* certificate) {
  unsigned char hash[32];
  unsigned size = 0;
  if (!certificate || X509_digest(certificate, EVP_sha256(), hash, &size) != 1) return "";
  return to_hex(Bytes(reinterpret_cast<const char*>(hash), size));
}

int connected(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{30, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

std::string shown_certificate(int port) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const unsigned char http2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), http2, sizeof http2);
  const std::unique_ptr<SSL, decltype(&SSL_free)> session(SSL_new(context.get()), SSL_free);
  const int fd = connected(port);
  if (fd < 0) return "";
  SSL_set_fd(session.get(), fd);
  std::string shown;
  if (SSL_connect(session.get()) == 1) {
    X509* certificate = SSL_get1_peer_certificate(session.get());
    shown = digest(certificate);
    X509_free(certificate);
  }
  close(fd);
  return shown;
}

std::string certificate_in(const std::string& pem_file) {
  std::FILE* file = std::fopen(pem_file.c_str(), "re");
  if (!file) return "";
  X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  const std::string found = digest(certificate);
  X509_free(certificate);
  return found;
}

}  // namespace synod::e2e
