// SPDX-License-Identifier: Apache-2.0
// Two sides of one verification, each as the other's client would be, and the messages between them; a test may change,
// repeat, drop or make up any. The sides begin when both know each other's keys.
#pragma once

#include "crypto/encoding.h"
#include "crypto/olmbackend.h"
#include "crypto/sas.h"

#include <deque>

namespace voip::crypto::test
{

inline QString keyOf(char fill)
{
    return QString::fromLatin1(toBase64(QByteArray(keySize, fill)));
}

inline QJsonObject changed(QJsonObject object, const QString &field, const QJsonValue &value)
{
    object.insert(field, value);
    return object;
}

struct SasSides {
    std::unique_ptr<Backend> backend = olmBackend();
    SasParty us{QStringLiteral("@alice:test"), QStringLiteral("BRIDGE"), keyOf('u'), {}};
    SasParty them{QStringLiteral("@alice:test"), QStringLiteral("OWNER"), keyOf('t'), keyOf('m')};
    Sas ours{QStringLiteral("tx"), us, them.device};
    Sas theirs{QStringLiteral("tx"), them, us.device};
    std::deque<SasMessage> toUs;
    std::deque<SasMessage> toThem;
    QStringList codes; // of what we cancelled
    // What a homeserver, or a bad client, makes of a message for us.
    std::function<QJsonObject(const QString &type, QJsonObject content)> bend;

    SasSides() { meet(); }
    SasSides(const QString &ourDevice, const QString &theirDevice)
    {
        us.device = ourDevice;
        them.device = theirDevice;
        meet();
    }
    // `master`: of their identity, as we see it.
    void meet(const QString &theirEd25519 = {}, const QString &master = {})
    {
        ours = Sas(QStringLiteral("tx"), us, them.device);
        theirs = Sas(QStringLiteral("tx"), them, us.device);
        (void)ours.meet(theirEd25519.isEmpty() ? them.ed25519 : theirEd25519,
                        master.isEmpty() ? them.masterKey : master);
        (void)theirs.meet(us.ed25519, {});
    }
    void weSay(const SasMessages &messages)
    {
        for (const SasMessage &message : messages) {
            if (message.type.endsWith(QLatin1String("cancel")))
                codes.push_back(message.content.value(QLatin1String("code")).toString());
            toThem.push_back(message);
        }
    }
    void theySay(const SasMessages &messages)
    {
        for (const SasMessage &message : messages)
            toUs.push_back({message.type, bend ? bend(message.type, message.content) : message.content});
    }
    void weHear(const QString &what, const QJsonObject &content)
    {
        weSay(ours.take(QStringLiteral("m.key.verification.") + what, content, *backend, systemRandom));
    }
    bool step()
    {
        if (!toUs.empty()) {
            const SasMessage message = toUs.front();
            toUs.pop_front();
            weSay(ours.take(message.type, message.content, *backend, systemRandom));
            return true;
        }
        if (!toThem.empty()) {
            const SasMessage message = toThem.front();
            toThem.pop_front();
            theySay(theirs.take(message.type, message.content, *backend, systemRandom));
            return true;
        }
        return false;
    }
    void run()
    {
        while (step()) {
        }
    }
    void theyBegin() { theySay(theirs.begin(*backend, systemRandom)); }
    void weBegin() { weSay(ours.begin(*backend, systemRandom)); }
    void bothConfirm()
    {
        weSay(ours.confirm());
        theySay(theirs.confirm());
        run();
    }
};

} // namespace voip::crypto::test
