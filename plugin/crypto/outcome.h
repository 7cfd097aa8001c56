// SPDX-License-Identifier: Apache-2.0
// What crypto/ answers when something cannot be done: a value, never an exception, and never a secret.
#pragma once

#include "voiphost/types.h"

namespace voip::crypto
{

enum class Fault {
    BadBase64,      // not unpadded standard base64, or not as long as it must be
    BadJson,        // not what canonical JSON allows, or a field is missing or odd
    BadKey,         // a public key or a session key that is none
    BadSignature,   // it does not verify, or is not there
    BadSeal,        // sealed with another key, for another place, or changed
    BadPickle,      // unsealed, and yet not what the backend wrote
    BadMessage,     // a message that cannot be read
    BadMac,         // a message that was not made with this session
    UnknownOneTime, // a pre-key message for a one-time key that we do not have (any more)
    UnknownIndex,   // a Megolm message from before the session was shared with us
    Replayed,       // a Megolm message whose index another event had (E14)
    TooLarge,       // over the limit of its kind
    NoRandomness,   // the source of randomness failed
};

[[nodiscard]] QString toString(Fault fault); // a stable word for counters

template <typename T>
using Outcome = voiphost::Expected<T, Fault>;

using voiphost::Done;

} // namespace voip::crypto
