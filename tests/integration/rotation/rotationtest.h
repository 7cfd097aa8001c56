// SPDX-License-Identifier: Apache-2.0
// What the tests of the root key share: a host with secrets, a database full of sealed values, and the question that
// counts: which values does the key open that the next start would take?
#pragma once

#include "crypto/place.h"
#include "crypto/seal.h"
#include "rootkey.h"
#include "rotation.h"
#include "storetest.h"
#include "testhost.h"

#include <QTest>

namespace rotationtest
{

using namespace voip;
using voiphost::SecretSettings;

class Host : public bridge::TestHost
{
public:
    SecretSettings provider;
    [[nodiscard]] SecretSettings secrets() const override { return provider; }
    [[nodiscard]] SecretStore keys() const { return {provider, server.appserviceId}; }
};

inline const QString sealedSetting = QStringLiteral("sealed:state");

inline QByteArray seal(const QByteArray &key, const QByteArray &place)
{
    const auto seal = crypto::Seal::with(crypto::Secret(key));
    return *seal->close(crypto::Secret(QByteArrayView(place)), place, crypto::systemRandom);
}

inline bool opens(const QByteArray &key, const QByteArray &place, const QByteArray &sealed)
{
    const auto seal = crypto::Seal::with(crypto::Secret(key));
    const auto plain = seal->open(sealed, place);
    return plain && plain->view() == place;
}

constexpr int sealedValues = 7;

// Opened with this key, and `sealedValues` values of two users and the settings sealed with it.
inline void fill(const voiphost::DatabaseSettings &settings, const QByteArray &key)
{
    store::SqlStore store(settings);
    if (!storetest::open(store, key))
        qFatal("the database cannot be opened");
    for (const QString &lane : {QStringLiteral("@nova_alice:test"), QStringLiteral("@nova_carol:test")}) {
        store::Commit c;
        c.lane = lane;
        for (const QString &name : {QStringLiteral("a"), QStringLiteral("ü\n'"), QString()}) {
            const QString kind = QStringLiteral("session");
            c.state += {kind, name, QStringLiteral("olm"), 1, seal(key, crypto::placeOf(lane, kind, name))};
        }
        if (!storetest::commit(store, c))
            qFatal("no commit");
    }
    const auto put = [&store](const QString &name, const QByteArray &value) {
        if (!storetest::await<voiphost::Done>([&](QObject *o, auto r) { store.putSetting(name, value, o, r); }))
            qFatal("no setting");
    };
    put(sealedSetting, seal(key, crypto::placeOfSetting(sealedSetting)));
    put(QStringLiteral("rollout"), "plain");
}

// How many values open with the key; -1: the database does not take it.
inline int readable(const voiphost::DatabaseSettings &settings, const QByteArray &key)
{
    store::SqlStore store(settings);
    if (!storetest::open(store, key))
        return -1;
    int count = 0;
    const auto lanes = storetest::restore(store, 0);
    for (const store::LaneRecord &lane : *lanes) {
        for (const store::StateRow &row : lane.state)
            count += opens(key, crypto::placeOf(lane.lane, row.kind, row.key), row.sealed) ? 1 : 0;
    }
    const auto rows = storetest::await<QHash<QString, QByteArray>>([&](QObject *o, auto r) { store.settings(o, r); });
    count += opens(key, crypto::placeOfSetting(sealedSetting), rows->value(sealedSetting)) ? 1 : 0;
    return rows->value(QStringLiteral("rollout")) == "plain" ? count : -1;
}

// What the plugin does between initialise() and the opening of its store.
inline voiphost::Expected<QByteArray> nextStart(voiphost::Host &host)
{
    const auto read = readRootKey(host);
    if (!read.ok())
        return read.error();
    return settleRootKey(host, *read);
}

// A provider of secrets of a case's own, with `key` as root_key unless it is empty.
inline void prepare(Host &host, const QString &provider, const QString &folder, const QByteArray &key)
{
    static int count = 0;
    host.server.appserviceId = QStringLiteral("case%1-%2").arg(++count).arg(QCoreApplication::applicationPid());
    host.provider = {};
    host.provider.provider =
        provider == u"keychain" ? SecretSettings::Provider::Keychain : SecretSettings::Provider::CredentialsDirectory;
    host.provider.path = folder;
    if (provider == u"keychain" && !key.isEmpty() && !host.keys().store(rootKeyName, key))
        qFatal("no keyring");
}

inline void write(const QString &file, const QByteArray &bytes,
                  QFile::Permissions permissions = QFile::ReadOwner | QFile::WriteOwner)
{
    QFile out(file);
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.setPermissions(permissions))
        qFatal("%s cannot be written", qPrintable(file));
}

} // namespace rotationtest
