// SPDX-License-Identifier: Apache-2.0
// One verification of our device by another device of the same user, by a short authentication string (m.sas.v1, E26):
// the other asked for it, either side begins, people compare, both sides vouch for their keys. Takes what the other
// device sends and what our person says; gives the messages to be sent, in order. Anything that does not fit ends it
// with the code of the specification; what comes again unchanged is passed over. Keys are fixed when it begins (E7).
// Pure: no clock, no lists, no I/O. Copies share the ephemeral key, in which nothing changes but the other side's.
#pragma once

#include "crypto/backend.h"

#include <QJsonObject>
#include <QVector>

#include <array>
#include <optional>

namespace voip::crypto
{

struct SasParty {
    QString user;
    QString device;
    QString ed25519;
    QString masterKey; // theirs: of their identity, as it is seen; ours: one that we vouch for; empty: none
};

struct SasMessage { // content without the transaction id
    QString type;
    QJsonObject content;
    bool operator==(const SasMessage &) const = default;
};
using SasMessages = QVector<SasMessage>;

// What people compare.
struct SasShown {
    bool hasEmoji = false;                // both sides can show them; the numbers always
    std::array<quint8, 7> emoji = {};     // indices into the specification's list
    std::array<quint16, 3> decimals = {}; // 1000..9191
    bool operator==(const SasShown &) const = default;
};

class Sas
{
public:
    //   Asked --meet()--> Ready --their start--> Accepted ----------their key---> Compared --confirm()--> Confirmed
    //                       |                       ^ their start goes before        ^  |                      |
    //                       +----begin()------> Begun --their accept--> Keyed --key--+  +-- their MACs --+-----+
    //                                                                                                    v
    //   any of these --cancel(), their cancel, a misfit--> Cancelled                 both have said so: Done
    enum class State { Asked, Ready, Begun, Keyed, Accepted, Compared, Confirmed, Done, Cancelled };

    Sas(QString transaction, SasParty ours, QString theirDevice);

    // Their keys are known: from now on they do not change.
    [[nodiscard]] SasMessages meet(const QString &ed25519, const QString &masterKey);
    // We begin, because they do not. Nothing if they have.
    [[nodiscard]] SasMessages begin(Backend &backend, const Random &random);
    [[nodiscard]] SasMessages take(const QString &type, const QJsonObject &content, Backend &backend,
                                   const Random &random);
    // Our person says that both sides show the same. Nothing in another state than Compared.
    [[nodiscard]] SasMessages confirm();
    [[nodiscard]] SasMessages cancel(const QString &code); // nothing when it is over

    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] bool isOver() const { return m_state == State::Done || m_state == State::Cancelled; }
    [[nodiscard]] const QString &transaction() const { return m_transaction; }
    [[nodiscard]] const QString &device() const { return m_theirs.device; }
    [[nodiscard]] const QString &code() const { return m_code; } // why it was cancelled
    [[nodiscard]] const std::optional<SasShown> &shown() const { return m_shown; }
    // When it is done: the master key for which they vouched; empty: for none.
    [[nodiscard]] QString verifiedMasterKey() const { return m_state == State::Done ? m_vouched : QString(); }

private:
    [[nodiscard]] SasMessages started(const QJsonObject &start, Backend &backend, const Random &random);
    [[nodiscard]] SasMessages accepted(const QJsonObject &accept);
    [[nodiscard]] SasMessages keyCame(const QJsonObject &content);
    [[nodiscard]] SasMessages macsCame(const QJsonObject &content);
    [[nodiscard]] bool compare(const QString &theirKey);
    [[nodiscard]] QByteArray macInfo(const SasParty &of, const SasParty &to) const;
    [[nodiscard]] SasMessages finish(SasMessages messages);

    QString m_transaction;
    SasParty m_ours;
    SasParty m_theirs;
    State m_state = State::Asked;
    QString m_code;
    std::shared_ptr<SasKeys> m_keys;
    QJsonObject m_start; // the one that counts
    bool m_weBegan = false;
    QString m_commitment; // theirs, to a key that they show later
    std::optional<SasShown> m_shown;
    bool m_emojiAgreed = false;
    bool m_theirMacsFit = false;
    QString m_vouched;
    QHash<QString, QJsonObject> m_taken; // by type
};

} // namespace voip::crypto
