// SPDX-License-Identifier: Apache-2.0
#include "crypto/outcome.h"

namespace voip::crypto
{

QString toString(Fault fault)
{
    switch (fault) {
    case Fault::BadBase64:
        return QStringLiteral("bad_base64");
    case Fault::BadJson:
        return QStringLiteral("bad_json");
    case Fault::BadKey:
        return QStringLiteral("bad_key");
    case Fault::BadSignature:
        return QStringLiteral("bad_signature");
    case Fault::BadSeal:
        return QStringLiteral("bad_seal");
    case Fault::BadPickle:
        return QStringLiteral("bad_pickle");
    case Fault::BadMessage:
        return QStringLiteral("bad_message");
    case Fault::BadMac:
        return QStringLiteral("bad_mac");
    case Fault::UnknownOneTime:
        return QStringLiteral("unknown_one_time_key");
    case Fault::UnknownIndex:
        return QStringLiteral("unknown_index");
    case Fault::Replayed:
        return QStringLiteral("replayed");
    case Fault::TooLarge:
        return QStringLiteral("too_large");
    case Fault::NoRandomness:
        return QStringLiteral("no_randomness");
    }
    return {};
}

} // namespace voip::crypto
