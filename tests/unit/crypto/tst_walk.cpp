// SPDX-License-Identifier: Apache-2.0
// Random walks of three machines over a homeserver that loses, repeats and reorders to-device messages, with restarts,
// steps that are reverted and devices that go. What must hold: no Megolm index ever carries two plaintexts, no one-time
// key begins two sessions, and once all has settled every new event is read by everybody.
// WALK_SEED=n WALK_COUNT=m walks again from a seed that was printed.
#include "crypto/encoding.h"
#include "keyserver.h"

#include <QTest>

#include <random>

using namespace voip::crypto;
using namespace voip::crypto::test;
using How = Opened::How;

namespace
{

const QString room = QStringLiteral("!walk:test");
constexpr int stepsOfWalk = 250;

class Walk
{
public:
    explicit Walk(quint32 seed) : m_random(seed)
    {
        for (const char *user : {"@nova_a:test", "@nova_b:test", "@c:test"}) {
            m_parties.push_back(std::make_unique<Party>(user));
            m_parties.back()->machine->setRules(room, {4, 604'800'000});
            m_parties.back()->machine->begin(m_parties.back()->now);
        }
    }

    // What went wrong, or nothing.
    QString run()
    {
        for (int i = 0; i < stepsOfWalk && m_wrong.isEmpty(); ++i)
            step(*m_parties[below(m_parties.size())]);
        return m_wrong.isEmpty() ? end() : m_wrong;
    }

    int sent = 0;
    int read = 0;
    int devices = 0;

private:
    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(m_random); }
    void fail(const QString &what)
    {
        if (m_wrong.isEmpty())
            m_wrong = what;
    }
    [[nodiscard]] RoomView viewOf(const Party &party) const
    {
        RoomView view{room, {}};
        for (const auto &other : m_parties) {
            if (other.get() != &party)
                view.members.push_back(other->user);
        }
        return view;
    }

    void step(Party &party)
    {
        for (const auto &other : m_parties)
            other->now += 50;
        switch (below(12)) {
        case 0:
        case 1:
        case 2:
            say(party);
            break;
        case 3:
        case 4:
        case 5:
            carry(party, below(4) == 0);
            break;
        case 6:
        case 7:
        case 8:
            deliver(party);
            break;
        case 9:
            party.restart(); // what was asked and not answered is forgotten
            break;
        case 10:
            openOne(party);
            break;
        default:
            if (below(12) == 0)
                loseDevice(party);
            else
                undone(party);
        }
    }

    // Seals an event, if the machine says that it may.
    bool say(Party &party)
    {
        if (!party.machine->ready(viewOf(party), party.now)) {
            party.machine->prepare(viewOf(party), party.now);
            party.commit();
            return false;
        }
        const auto content = party.machine->encrypt(viewOf(party), "m.call.invite", {{"n", ++sent}});
        if (!content) {
            fail("not sealed: " + toString(content.error()));
            return false;
        }
        party.commit();
        const auto index = megolmIndexOf(content->value("ciphertext").toString());
        const QString place = content->value("session_id").toString() + ' ' + QString::number(index.value_or(0));
        if (!index || m_places.contains(place))
            fail("an index twice: " + place);
        m_places.insert(place);
        m_events.push_back({{"type", "m.room.encrypted"},
                            {"sender", party.user},
                            {"room_id", room},
                            {"event_id", QString("$%1").arg(sent)},
                            {"content", *content}});
        return true;
    }

    // A step that is decided and not committed: as if it had never been.
    void undone(Party &party)
    {
        if (party.machine->ready(viewOf(party), party.now))
            (void)party.machine->encrypt(viewOf(party), "m.call.hangup", {{"x", static_cast<int>(below(1000))}});
        for (const KeyServer::Queued &one : std::as_const(m_server.queue)) {
            if (one.user == party.user && one.device == party.device())
                party.machine->toDevice(one.message, party.now);
        }
        if (below(2) == 0)
            (void)party.machine->changes();
        party.machine->revert();
    }

    void carry(Party &party, bool withReverts)
    {
        party.commit();
        for (const Asked &asked : party.machine->takeRequests(party.now)) {
            if (below(15) == 0) { // the homeserver did it, or not, and we do not hear of it
                if (below(2) == 0)
                    (void)m_server.perform(party.user, party.device(), asked);
                party.machine->answered({asked.id, Answer::Kind::Failed, {}, 0}, party.now);
                party.commit();
                continue;
            }
            const Answer answer = m_server.perform(party.user, party.device(), asked);
            if (withReverts) {
                party.machine->answered(answer, party.now);
                party.machine->revert();
            }
            party.machine->answered(answer, party.now);
            party.commit();
            tellOfChanges(asked.request, party.user);
        }
    }
    void tellOfChanges(const Request &request, const QString &user)
    {
        const auto *upload = std::get_if<UploadKeys>(&request);
        if (!std::holds_alternative<UploadIdentity>(request) && !(upload && upload->body.contains("device_keys")))
            return;
        for (const auto &other : m_parties) {
            other->machine->devicesChanged({user}, {});
            other->commit();
        }
    }

    void deliver(Party &party)
    {
        QVector<qsizetype> own;
        for (qsizetype i = 0; i < m_server.queue.size(); ++i) {
            if (m_server.queue.at(i).user == party.user && m_server.queue.at(i).device == party.device())
                own.push_back(i);
        }
        if (own.isEmpty())
            return;
        const qsizetype which = own.at(static_cast<qsizetype>(below(static_cast<std::size_t>(own.size()))));
        const QJsonObject message = m_server.queue.at(which).message;
        const std::size_t fate = below(12);
        if (fate > 0) // 0: it comes again later
            m_server.queue.remove(which);
        if (fate == 1) // lost
            return;
        take(party, message);
    }
    void take(Party &party, const QJsonObject &message)
    {
        party.commit();
        party.notes.clear();
        party.machine->toDevice(message, party.now);
        party.commit();
        const bool taken = std::none_of(party.notes.begin(), party.notes.end(),
                                        [](const Note &note) { return note.word.startsWith("olm_"); });
        const QJsonObject content = message.value("content").toObject();
        const QJsonObject olm =
            content.value("ciphertext").toObject().value(party.machine->device().keys().curve25519).toObject();
        if (!taken || olm.value("type").toInt(-1) != 0)
            return;
        // A pre-key message: version, one-time key, base key.
        const auto bytes = fromBase64(olm.value("body").toString().toUtf8());
        if (!bytes || bytes->size() < 70 || bytes->at(1) != 0x0a || bytes->at(35) != 0x12)
            return fail("a pre-key message of another make");
        const QString oneTime = QString::fromLatin1(toBase64(bytes->mid(3, 32)));
        const QByteArray base = bytes->mid(37, 32);
        if (m_begun.contains(oneTime) && m_begun.value(oneTime) != base && isOneTime(oneTime))
            fail("a one-time key began two sessions");
        m_begun.insert(oneTime, base);
    }
    // And no fallback key.
    [[nodiscard]] bool isOneTime(const QString &key) const
    {
        return std::any_of(m_server.asked.begin(), m_server.asked.end(), [&key](const Request &request) {
            const auto *upload = std::get_if<UploadKeys>(&request);
            const QJsonObject keys = upload ? upload->body.value("one_time_keys").toObject() : QJsonObject();
            return std::any_of(keys.begin(), keys.end(),
                               [&key](const QJsonValue &one) { return one.toObject().value("key").toString() == key; });
        });
    }

    void openOne(Party &party)
    {
        if (m_events.isEmpty())
            return;
        const QJsonObject event = m_events.at(static_cast<qsizetype>(below(static_cast<std::size_t>(m_events.size()))));
        if (event.value("sender").toString() == party.user) {
            party.machine->echo(event, party.now);
            const bool same = event.value("content").toObject().value("device_id").toString() == party.device();
            party.commit();
            if (same && party.noted("state_went_back"))
                fail("an echo of our own was taken for one of the future");
            return;
        }
        read += party.machine->open(event, party.now).how == How::Opened ? 1 : 0;
        party.commit();
    }

    void loseDevice(Party &party)
    {
        if (party.machine->device().stage() != OwnDevice::Stage::Complete)
            return;
        ++devices;
        m_server.deleteDevice(party.user, party.device());
        for (const auto &other : m_parties)
            other->machine->devicesChanged({party.user}, {});
    }

    QString end()
    {
        QVector<Party *> all;
        for (const auto &party : m_parties)
            all.push_back(party.get());
        // A new key for each, after all that may have been excused or given up is tried again.
        for (int round = 0; round < 3; ++round) {
            for (Party *party : all) {
                party->now += 3'600'001;
                party->machine->setRules(room, {1, 604'800'000});
                party->machine->gap(party->now);
                for (Party *other : all)
                    party->machine->devicesChanged({other->user}, {});
                party->machine->prepare(viewOf(*party), party->now);
            }
            settle(m_server, all);
            for (Party *party : all)
                (void)say(*party);
        }
        settle(m_server, all);
        for (Party *party : all) {
            party->machine->prepare(viewOf(*party), party->now);
            settle(m_server, all);
            if (!say(*party))
                return party->user + " cannot send: " + party->machine->obstacle(viewOf(*party), party->now);
            const QJsonObject event = m_events.last();
            for (Party *other : all) {
                if (other == party)
                    continue;
                Opened opened = other->machine->open(event, other->now);
                if (opened.how == How::Waits) {
                    settle(m_server, all);
                    opened = other->machine->open(event, other->now);
                }
                other->commit();
                if (opened.how != How::Opened)
                    return other->user + " cannot read " + party->user + ": " + opened.reason;
                if (opened.event.value("content").toObject().value("n").toInt() != sent)
                    return QStringLiteral("something else was read");
            }
        }
        return m_wrong;
    }

    std::mt19937 m_random;
    KeyServer m_server;
    std::vector<std::unique_ptr<Party>> m_parties;
    QVector<QJsonObject> m_events;
    QSet<QString> m_places;             // session and index
    QHash<QString, QByteArray> m_begun; // one-time key -> base key of the session that it began
    QString m_wrong;
};

} // namespace

class TestWalk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void walks_end_well()
    {
        const quint32 first = qEnvironmentVariableIsSet("WALK_SEED") ? qEnvironmentVariable("WALK_SEED").toUInt()
                                                                     : std::random_device()();
        const int count = qEnvironmentVariableIsSet("WALK_COUNT") ? qEnvironmentVariableIntValue("WALK_COUNT") : 30;
        int sent = 0;
        int read = 0;
        int devices = 0;
        for (int i = 0; i < count; ++i) {
            const quint32 seed = first + static_cast<quint32>(i);
            Walk walk(seed);
            const QString wrong = walk.run();
            QVERIFY2(wrong.isEmpty(), qPrintable(QString("WALK_SEED=%1 WALK_COUNT=1: %2").arg(seed).arg(wrong)));
            sent += walk.sent;
            read += walk.read;
            devices += walk.devices;
        }
        qInfo().noquote() << QString("seeds %1 and on: %2 walks, %3 events, %4 read on the way, %5 devices lost")
                                 .arg(first)
                                 .arg(count)
                                 .arg(sent)
                                 .arg(read)
                                 .arg(devices);
        QVERIFY(count < 10 || (sent > count && read > 0));
    }
};

QTEST_GUILESS_MAIN(TestWalk)
#include "tst_walk.moc"
