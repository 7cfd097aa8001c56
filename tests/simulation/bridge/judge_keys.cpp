// SPDX-License-Identifier: Apache-2.0
// What must hold of keys. What a bridge has of other devices is seen from its database and its figures only: sealed
// events are taken in and done with, and of what it counts some words must never come.
#include "crypto/inbound.h"
#include "judge.h"
#include "machine.h"

#include <array>

namespace bridgesim
{

using namespace voip;

namespace
{

constexpr qint64 givenUpAfter = 570'000; // ten minutes, but for how soon the judge hears of an event

// Of what is refused or noticed: nothing in a world is a reason for these.
constexpr std::array never{"bad_mac",
                           "bad_message",
                           "device_gone",
                           "device_key_changed",
                           "device_mismatch",
                           "device_of_another",
                           "device_signature_forged",
                           "device_without_keys",
                           "identity_changed",
                           "no_randomness",
                           "olm_",
                           "one_time_key_forged",
                           "one_time_key_missing",
                           "one_time_key_repeated",
                           "owner_mismatch",
                           "record_unreadable",
                           "replayed",
                           "room_key_",
                           "room_mismatch",
                           "self_signing_key_forged",
                           "session_of_another",
                           "state_unreadable",
                           "state_went_back",
                           "to_device_refused",
                           "to_device_unusable",
                           "unknown_device",
                           "unsigned_device",
                           "unwedged"};

} // namespace

// Kept for as long as any invite lives, and never opened.
void Judge::checkConsumed(const Waiting &entry)
{
    if (!entry.sealed)
        return;
    ++totals.opened;
    if (machine::wallNow(0) - entry.since >= givenUpAfter)
        complain("never_opened", entry.lane);
}

// What is sealed stays so, and what waited is sealed once.
void Judge::checkSealed(const store::Commit &commit)
{
    for (const store::OutboxEntry &entry : commit.sends) {
        if (entry.form == store::Form::Encrypted)
            checkCiphertext(commit.lane, entry.content);
    }
    for (const store::OutboxEntry &entry : commit.encrypted) {
        Decided *row = decided(commit.lane, entry.ref);
        if (!row) {
            complain("sealed_unknown", commit.lane + u' ' + QString::number(entry.ref));
            continue;
        }
        if (row->form == store::Form::Encrypted && row->content != entry.content)
            complain("sealed_anew", commit.lane + u' ' + entry.type);
        row->form = entry.form;
        row->content = entry.content;
        checkCiphertext(commit.lane, entry.content);
    }
}

void Judge::checkCiphertext(const QString &lane, const QJsonObject &content)
{
    const QString ciphertext = content.value(QLatin1String("ciphertext")).toString();
    const QString session = content.value(QLatin1String("session_id")).toString();
    const auto index = crypto::megolmIndexOf(ciphertext);
    if (!index || session.isEmpty())
        return complain("no_ciphertext", lane);
    QString &known = m_ciphertexts[{session, *index}];
    if (!known.isEmpty() && known != ciphertext)
        complain("index_again", QStringLiteral("%1 %2 %3").arg(lane, session).arg(*index));
    known = ciphertext;
}

// A key, or the list of a peer's devices, may be late. Peers withhold nothing.
void Judge::checkUndecryptable(const QString &lane, const store::Notice &notice)
{
    const QString reason = notice.data.value(QLatin1String("reason")).toString();
    if (world.calm || (reason != QLatin1String("no_key") && reason != QLatin1String("unknown_device")))
        complain("undecryptable", lane + u' ' + reason);
}

void Judge::read(const QString &eventId, const QString &type, const QJsonObject &content)
{
    ++totals.read;
    const bool again = m_read.contains(eventId);
    m_read.insert(eventId);
    const auto row = m_decided.constFind(m_txnOf.value(eventId));
    if (row == m_decided.cend())
        return complain("read_undecided", eventId);
    if (row->type != type)
        complain("read_otherwise", row->type + u' ' + type);
    if (!again && type == QLatin1String("m.call.answer"))
        countAnswer(row->lane, row->roomId, content);
}

// Without the key: only if the bridge could not learn of the device, or begin a session with it, while it had time.
void Judge::unread(const QString &device, const QString &eventId, const QString &reason, bool fresh)
{
    ++totals.deaf;
    const QString what = device + u' ' + eventId + u' ' + reason;
    if (!fresh)
        m_deaf.push_back(what);
    if (reason != QLatin1String("no_key") && reason != QLatin1String("unknown_index") &&
        reason != QLatin1String("m.no_olm"))
        complain("unreadable", what);
}

void Judge::lookAtFigures(const QByteArray &metrics)
{
    for (const QByteArray &line : metrics.split('\n')) {
        const qsizetype at = line.indexOf("{reason=\"");
        if (at < 0 || (!line.startsWith("matrix_voip_rejected_events_total") &&
                       !line.startsWith("matrix_voip_undecryptable_total")))
            continue;
        const QByteArray reason = line.mid(at + 9, line.indexOf('"', at + 9) - at - 9);
        const bool waits = line.startsWith("matrix_voip_undecryptable_total") && reason == "unknown_device";
        for (const char *word : never) {
            if (reason.startsWith(word) && !waits)
                complain("counted", QString::fromLatin1(line));
        }
        if (reason != "device_list_late" && reason != "no_olm_session")
            continue;
        m_mayBeDeaf = true;
        if (world.calm)
            complain("counted", QString::fromLatin1(line));
    }
}

} // namespace bridgesim
