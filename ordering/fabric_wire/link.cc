#include "ordering/fabric_wire/link.h"

#include <fstream>
#include <sstream>

namespace synod::ordering::fabric_wire {

Bytes Link::tls_certificate_hash() const {
  if (!config.tls || !config.tls->certificate_chain_file) return {};
  std::ifstream file(*config.tls->certificate_chain_file, std::ios::binary);
  std::stringstream pem;
  pem << file.rdbuf();
  return certificate_hash(pem.str()).value_or(Bytes());
}

}  // namespace synod::ordering::fabric_wire
