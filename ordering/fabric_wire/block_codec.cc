#include "ordering/fabric_wire/block_codec.h"

#include <openssl/evp.h>

#include "base/check.h"
#include "fabric/envelope.pb.h"

namespace synod::ordering::fabric_wire {
namespace {

Bytes sha256(const std::vector<ByteView>& parts) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  SYNOD_CHECK(context && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
  for (ByteView part : parts) EVP_DigestUpdate(context, part.data(), part.size());
  Bytes digest(32, '\0');
  EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  EVP_MD_CTX_free(context);
  return digest;
}

void append_der(Bytes& out, char tag, ByteView content) {
  SYNOD_CHECK(content.size() < 0x80);  // hashes and one integer: the short form of the length suffices
  out.push_back(tag);
  out.push_back(static_cast<char>(content.size()));
  out.append(content);
}

Bytes der_integer(std::uint64_t value) {
  Bytes bytes(1, '\0');  // the sign, dropped again when not needed
  append_u64(bytes, value);
  std::size_t leading = 0;
  while (leading + 1 < bytes.size() && bytes[leading] == 0 &&
         (static_cast<unsigned char>(bytes[leading + 1]) & 0x80) == 0)
    ++leading;
  return bytes.substr(leading);
}

tl::unexpected<Error> malformed_block(std::string cause) {
  return fail(Error("ORDERING_MALFORMED_BLOCK", ErrorCategory::malicious_or_faulty, std::move(cause)));
}

constexpr int kMetadataEntries = 5;

}  // namespace

Bytes data_hash(const std::vector<Bytes>& data) { return sha256({data.begin(), data.end()}); }

Bytes header_der(std::uint64_t number, ByteView previous_hash, ByteView data_hash) {
  Bytes fields;
  append_der(fields, 0x02, der_integer(number));
  append_der(fields, 0x04, previous_hash);
  append_der(fields, 0x04, data_hash);
  Bytes header;
  append_der(header, 0x30, fields);
  return header;
}

Bytes header_hash(std::uint64_t number, ByteView previous_hash, ByteView data_hash) {
  return sha256({header_der(number, previous_hash, data_hash)});
}

Bytes header_hash(const FabricBlock& block) { return header_hash(block.number, block.previous_hash, block.data_hash); }

Bytes serialize_block(const FabricBlock& block) {
  common::Block message;
  message.mutable_header()->set_number(block.number);
  message.mutable_header()->set_previous_hash(block.previous_hash);
  message.mutable_header()->set_data_hash(data_hash(block.data));
  for (const Bytes& item : block.data) message.mutable_data()->add_data(item);
  for (int i = 0; i < kMetadataEntries; ++i) message.mutable_metadata()->add_metadata("");
  return message.SerializeAsString();
}

Result<FabricBlock> parse_block(ByteView bytes) {
  common::Block message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return malformed_block("these bytes are not a block");
  return from_message(std::move(message));
}

Result<FabricBlock> from_message(common::Block message) {
  if (!message.has_header()) return malformed_block("a block without header");
  FabricBlock block;
  block.number = message.header().number();
  block.previous_hash = message.header().previous_hash();
  block.data_hash = message.header().data_hash();
  if (block.previous_hash.size() > 32 || block.data_hash.size() != 32)
    return malformed_block("hashes of a wrong length in block " + std::to_string(block.number));
  for (Bytes& item : *message.mutable_data()->mutable_data()) block.data.push_back(std::move(item));
  if (data_hash(block.data) != block.data_hash)
    return malformed_block("the content of block " + std::to_string(block.number) +
                           " does not have the hash in its header");
  return block;
}

}  // namespace synod::ordering::fabric_wire
