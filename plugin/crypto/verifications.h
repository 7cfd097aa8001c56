// SPDX-License-Identifier: Apache-2.0
// All verifications (sas.h) of one device of ours: which message belongs to which, how long each may take, and what is
// refused before it becomes one. Only a device that its owner has signed is answered: another one asks to be verified
// itself, and has asked all. Gives letters to devices of the same user, to be sent in order. Plain state that does not
// outlive the process: the other side then hears that the transaction is unknown, or runs out of time.
#pragma once

#include "crypto/devices.h"
#include "crypto/sas.h"

namespace voip::crypto
{

[[nodiscard]] inline bool isVerification(const QString &type)
{
    return type.startsWith(QLatin1String("m.key.verification."));
}

struct SasView {
    QString id; // ours; the transaction's could be anything
    QString device;
    Sas::State state = Sas::State::Asked;
    std::optional<SasShown> shown;
    qint64 until = 0; // it ends by itself
    QString code;     // cancelled: why
    bool operator==(const SasView &) const = default;
};

class Verifications
{
public:
    static constexpr qint64 life = 600'000;
    static constexpr qint64 beginAfter = 5000; // by then the other side would have begun
    static constexpr int mostAtOnce = 4;

    struct Letter {
        QString device;
        QString type;
        QJsonObject content;
    };
    struct Step {
        QVector<Letter> letters;
        QString note;         // a stable word: something was refused
        bool askList = false; // the user's device list is wanted anew: keys are fixed by it
        QString vouched = {}; // a master key that counts as verified from now on
        [[nodiscard]] bool isEmpty() const
        {
            return letters.isEmpty() && note.isEmpty() && !askList && vouched.isEmpty();
        }
    };

    // From another device of the same user; `type` with its prefix m.key.verification.
    [[nodiscard]] Step take(const QString &type, const QJsonObject &content, const SasParty &ours, Backend &backend,
                            const Random &random, qint64 now);
    // Somebody who has no business with us asked. At most one answer a second goes to such.
    [[nodiscard]] Step refuse(const QJsonObject &content, const QString &code, qint64 now);
    // `list`: of our user; null or outdated: nothing can begin.
    [[nodiscard]] Step advance(const UserDevices *list, Backend &backend, const Random &random, qint64 now);
    [[nodiscard]] Step confirm(const QString &id);
    // While the signs are shown: they differ.
    [[nodiscard]] Step cancel(const QString &id);

    [[nodiscard]] QVector<SasView> views() const;
    [[nodiscard]] std::optional<qint64> nextDue() const;

private:
    struct Flow {
        Sas sas;
        QJsonObject request;
        qint64 since = 0;
        qint64 beginAt = 0; // Ready: if they have not begun by then
        bool counted = false;
    };
    [[nodiscard]] Step asked(const QJsonObject &content, const SasParty &ours, qint64 now);
    [[nodiscard]] Flow *find(const QString &transaction);
    [[nodiscard]] Flow *byId(const QString &id);
    static void post(Step &step, Flow &flow, const SasMessages &messages);
    static void end(Step &step, Flow &flow, const QString &code);

    QVector<Flow> m_flows; // oldest first
    std::optional<qint64> m_refusedAt;
};

} // namespace voip::crypto
