// SPDX-License-Identifier: Apache-2.0
// Gives everything that is sealed with the root key a new seal: the rows of `crypto_state`, and the settings whose key
// begins with "sealed:". All of it and the root key's check value in one transaction, so that the database always
// belongs to one key whole. Blocking, for a process that runs for this alone; how a value is opened and closed again is
// the caller's to know. A row that cannot be opened stops it, named, and then nothing has changed.
#pragma once

#include "store/rows.h"

#include <voiphost/settings.h>

#include <memory>
#include <optional>

namespace voip::store
{

class Connection;

// Where a sealed value stands. A setting has a key only.
struct SealedAt {
    QString lane;
    QString kind;
    QString key;

    [[nodiscard]] bool isSetting() const { return lane.isEmpty() && kind.isEmpty(); }
};

class Resealer
{
public:
    // The value under its new seal; nothing: it cannot be opened.
    using Function = std::function<std::optional<QByteArray>(const SealedAt &at, const QByteArray &sealed)>;

    explicit Resealer(voiphost::DatabaseSettings settings);
    ~Resealer();
    Q_DISABLE_COPY_MOVE(Resealer)

    // Keeps the database for this process alone until this object goes. Unavailable: somebody else is at it, or there
    // is none. Misconfigured: its schema is not this program's.
    [[nodiscard]] std::optional<StoreError> open();
    [[nodiscard]] bool hasRootKey() const { return !m_check.isEmpty(); }
    [[nodiscard]] bool fits(const QByteArray &rootKey) const;

    // Gives the number of values. After an error the outcome may be unknown if it is Unavailable: open() tells.
    [[nodiscard]] Result<int> reseal(const QByteArray &oldKey, const QByteArray &newKey, const Function &function);

private:
    [[nodiscard]] Result<int> resealAll(const QByteArray &oldKey, const QByteArray &newKey, const Function &function);

    voiphost::DatabaseSettings m_settings;
    std::unique_ptr<Connection> m_db;
    QString m_check;
};

} // namespace voip::store
