// A node's private keys in a folder of its own: one file per key, readable by the owner only.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "crypto/keys.h"

namespace synod::crypto {

// Opens or creates `folder` (mode 0700; files 0600, named <fingerprint>.key). Refuses a folder or file that others may
// read, and a file whose content does not match its name. Keys are written to a temporary file, synced and renamed.
Result<std::unique_ptr<KeyStore>> open_key_folder(const std::string& folder);

}  // namespace synod::crypto
