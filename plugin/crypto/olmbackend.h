// SPDX-License-Identifier: Apache-2.0
// The backend over libolm. libolm is deprecated (CVE-2024-45191, -45192, -45193: timing side channels of its AES and
// base64, malleable signatures). What that means here, and what keeps it small: signatures are verified elsewhere
// (signature.h), base64 is checked before (encoding.h), pickles are sealed by us (seal.h) and libolm's own pickle
// encryption is not relied on.
#pragma once

#include "crypto/backend.h"

namespace voip::crypto
{

[[nodiscard]] std::unique_ptr<Backend> olmBackend();

} // namespace voip::crypto
