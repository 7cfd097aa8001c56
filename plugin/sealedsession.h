// SPDX-License-Identifier: Apache-2.0
// Where an account's session is kept: in the store's settings, sealed with the root key, so that no token stands in the
// database in clear. Removing it leaves an empty value behind.
#pragma once

#include "crypto/seal.h"
#include "homeserver/sessionrecord.h"
#include "store/store.h"

#include <functional>

namespace voip
{

class SealedSession
{
public:
    // The store must not be gone while this is used; answers come on the thread of `context`.
    SealedSession(store::Store &store, const QByteArray &rootKey, QObject *context);

    // Nothing: there is none. An error: there is one that this root key does not open.
    [[nodiscard]] voiphost::Expected<std::optional<homeserver::SessionRecord>>
    read(const QHash<QString, QByteArray> &settings) const;
    void save(const QByteArray &record, const std::function<void(bool)> &saved);

private:
    store::Store &m_store;
    crypto::Outcome<crypto::Seal> m_seal;
    QObject *m_context;
};

} // namespace voip
