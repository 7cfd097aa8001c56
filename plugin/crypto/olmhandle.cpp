// SPDX-License-Identifier: Apache-2.0
#include "crypto/olmhandle.h"

namespace voip::crypto::olm
{

Fault faultOf(OlmErrorCode code)
{
    switch (code) {
    case OLM_INVALID_BASE64:
        return Fault::BadBase64;
    case OLM_BAD_ACCOUNT_KEY:
    case OLM_BAD_SESSION_KEY:
    case OLM_SAS_THEIR_KEY_NOT_SET:
        return Fault::BadKey;
    case OLM_BAD_SIGNATURE:
        return Fault::BadSignature;
    case OLM_UNKNOWN_PICKLE_VERSION:
    case OLM_CORRUPTED_PICKLE:
    case OLM_BAD_LEGACY_ACCOUNT_PICKLE:
    case OLM_PICKLE_EXTRA_DATA:
        return Fault::BadPickle;
    case OLM_BAD_MESSAGE_MAC:
        return Fault::BadMac;
    case OLM_BAD_MESSAGE_KEY_ID:
        return Fault::UnknownOneTime;
    case OLM_UNKNOWN_MESSAGE_INDEX:
        return Fault::UnknownIndex;
    case OLM_NOT_ENOUGH_RANDOM:
        return Fault::NoRandomness;
    case OLM_SUCCESS:
    case OLM_OUTPUT_BUFFER_TOO_SMALL:
    case OLM_BAD_MESSAGE_VERSION:
    case OLM_BAD_MESSAGE_FORMAT:
    case OLM_INPUT_BUFFER_TOO_SMALL:
        return Fault::BadMessage;
    }
    return Fault::BadMessage;
}

Outcome<Secret> draw(std::size_t size, const Random &random)
{
    Secret bytes(size);
    if (size > 0 && !random({bytes.data(), size}))
        return Fault::NoRandomness;
    return bytes;
}

} // namespace voip::crypto::olm
