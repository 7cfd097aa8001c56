// SPDX-License-Identifier: Apache-2.0
// Sealed state of devices, and sends that wait to be encrypted: what was committed comes back, what was not leaves
// nothing, and damage is told. Both databases.
#include "storetest.h"

#include <QTest>

using namespace storetest;
using namespace voip;

namespace
{

const QString alice = QStringLiteral("@nova_alice:test");
const QString carol = QStringLiteral("@nova_carol:test");
constexpr qsizetype most = 4LL * 1024 * 1024;

StateRow piece(const QString &kind, const QString &key, const QByteArray &sealed, int format = 1)
{
    return {kind, key, QStringLiteral("olm"), format, sealed};
}

QString line(const StateRow &row)
{
    return QStringLiteral("%1/%2 %3 %4 %5")
        .arg(row.kind, row.key, row.backend, QString::number(row.format), QString::fromLatin1(row.sealed.toHex()));
}

QStringList show(const QVector<StateRow> &rows)
{
    QStringList lines;
    for (const StateRow &row : rows)
        lines += line(row);
    return lines;
}

OutboxEntry waiting(qint64 ref, const QString &txnId)
{
    OutboxEntry entry = send(ref, txnId);
    entry.form = Form::Waiting;
    return entry;
}

OutboxEntry encrypted(OutboxEntry entry)
{
    entry.form = Form::Encrypted;
    entry.content = QJsonObject{{QStringLiteral("ciphertext"), QStringLiteral("AwgB")}};
    return entry;
}

} // namespace

class StoreState : public QObject
{
    Q_OBJECT

    Databases m_databases;
    voiphost::DatabaseSettings m_settings;
    std::unique_ptr<SqlStore> m_store;

    void forEachDatabase()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }
    void put(const QString &lane, const QVector<StateRow> &rows)
    {
        Commit c;
        c.lane = lane;
        c.state = rows;
        const auto done = commit(*m_store, c);
        QVERIFY2(done, done ? "" : qPrintable(done.error().message));
    }
    LaneRecord lane(const QString &name)
    {
        const auto lanes = restore(*m_store, 0);
        for (const LaneRecord &record : *lanes) {
            if (record.lane == name)
                return record;
        }
        return {};
    }

private Q_SLOTS:
    void init()
    {
        QFETCH(QString, driver);
        m_settings = m_databases.fresh(driver);
        m_store = std::make_unique<SqlStore>(m_settings);
        const auto opened = open(*m_store);
        QVERIFY2(opened, opened ? "" : qPrintable(opened.error().message));
    }
    void cleanup() { m_store.reset(); }

    void piecesComeBack_data() { forEachDatabase(); }
    void piecesComeBack()
    {
        const StateRow account = piece(QStringLiteral("account"), {}, QByteArray("\0\xff'\\x", 5), -7);
        const StateRow session = piece(QStringLiteral("session"), QStringLiteral("k/ü 呼\n'"), "s");
        const StateRow large = piece(QStringLiteral("large"), QStringLiteral("l"), QByteArray(most, '\xfe'));
        put(alice, {session, account});
        put(alice, {large});
        put(carol, {piece(QStringLiteral("account"), {}, "other")});
        put(carol, {piece(QStringLiteral("account"), {}, "newer", 2)}); // takes the place of what was there
        QCOMPARE(show(lane(alice).state), show({account, large, session}));
        QCOMPARE(show(lane(carol).state), show({piece(QStringLiteral("account"), {}, "newer", 2)}));
        QVERIFY(!lane(alice).stateDamaged);

        StateRow gone = session;
        gone.sealed = {};
        put(alice, {gone, piece(QStringLiteral("never"), QStringLiteral("there"), {})});
        QCOMPARE(show(lane(alice).state), show({account, large}));
        put(alice, {gone, session, gone, session}); // in the order they are given
        QCOMPARE(show(lane(alice).state), show({account, large, session}));
        QCOMPARE(m_store->counters().corruptRows, quint64(0));
    }

    void aLaneOfStateAloneIsRestored_data() { forEachDatabase(); }
    void aLaneOfStateAloneIsRestored()
    {
        put(alice, {piece(QStringLiteral("account"), {}, "s")});
        Side side(m_settings);
        side.run(QStringLiteral("DELETE FROM lanes"));
        const auto lanes = restore(*m_store, 0);
        QCOMPARE(lanes->size(), 1);
        QCOMPARE(lanes->at(0).lane, alice);
        QCOMPARE(lanes->at(0).state.size(), 1);
    }

    void whatWaitedIsReplaced_data() { forEachDatabase(); }
    void whatWaitedIsReplaced()
    {
        Commit decided;
        decided.lane = alice;
        decided.sends = {send(1, QStringLiteral("x1")), waiting(2, QStringLiteral("x2")),
                         waiting(3, QStringLiteral("x3")), encrypted(send(4, QStringLiteral("x4")))};
        QVERIFY(commit(*m_store, decided));
        const auto forms = [this] {
            QString text;
            const QVector<OutboxEntry> entries = lane(alice).outbox;
            for (const OutboxEntry &entry : entries) {
                text += QString::number(entry.ref);
                text += QLatin1String("pwe").at(static_cast<int>(entry.form));
            }
            return text;
        };
        QCOMPARE(forms(), QStringLiteral("1p2w3w4e"));

        Commit settled; // taken back before it was encrypted
        settled.lane = alice;
        settled.settledSends = {3};
        QVERIFY(commit(*m_store, settled));
        Commit sealed;
        sealed.lane = alice;
        sealed.encrypted = {encrypted(waiting(2, QStringLiteral("x2"))), encrypted(waiting(3, QStringLiteral("x3")))};
        sealed.state = {piece(QStringLiteral("group"), QStringLiteral("!r:test"), "ratchet")};
        for (int i = 0; i < 2; ++i) { // again, as after an answer that was lost
            QVERIFY(commit(*m_store, sealed));
            QCOMPARE(forms(), QStringLiteral("1p2e4e"));
            const OutboxEntry entry = lane(alice).outbox.at(1);
            QCOMPARE(entry.content, sealed.encrypted.at(0).content);
            QCOMPARE(entry.type, QStringLiteral("m.call.answer"));
            QCOMPARE(entry.txnId, QStringLiteral("x2"));
            QCOMPARE(show(lane(alice).state), show(sealed.state));
        }
        // The decision once more, late: what is encrypted by now stays so.
        decided.sends = {waiting(2, QStringLiteral("x2"))};
        QVERIFY(commit(*m_store, decided));
        QCOMPARE(forms(), QStringLiteral("1p2e4e"));

        Commit atOnce; // decided and encrypted in one commit; and another lane's entry is not ours to replace
        atOnce.lane = carol;
        atOnce.sends = {waiting(9, QStringLiteral("y9"))};
        atOnce.encrypted = {encrypted(waiting(9, QStringLiteral("y9"))), waiting(1, QStringLiteral("x1"))};
        QVERIFY(commit(*m_store, atOnce));
        QCOMPARE(lane(carol).outbox.size(), 1);
        QVERIFY(lane(carol).outbox.at(0).form == Form::Encrypted);
        QCOMPARE(forms(), QStringLiteral("1p2e4e"));
    }

    void refusedCommitLeavesNothing_data() { forEachDatabase(); }
    void refusedCommitLeavesNothing()
    {
        Commit good;
        good.lane = alice;
        good.sends = {waiting(1, QStringLiteral("x1"))};
        good.state = {piece(QStringLiteral("a"), QStringLiteral("k"), "old"),
                      piece(QStringLiteral("b"), QStringLiteral("k"), "old")};
        QVERIFY(commit(*m_store, good));
        Side side(m_settings);
        const auto everything = [&side] {
            return side.rows(QStringLiteral("SELECT * FROM crypto_state ORDER BY lane, kind, key")) +
                   side.rows(QStringLiteral("SELECT * FROM outbox ORDER BY lane, ref"));
        };
        const QStringList before = everything();
        const auto refused = [&](const StateRow &row, const QString &word) {
            Commit bad;
            bad.lane = alice;
            bad.encrypted = {encrypted(good.sends.at(0))};
            bad.state = {piece(QStringLiteral("a"), QStringLiteral("k"), "new"),
                         piece(QStringLiteral("b"), QStringLiteral("k"), {}), row};
            const auto result = commit(*m_store, bad);
            QVERIFY(!result);
            QCOMPARE(result.error().kind, StoreError::Kind::Conflict);
            QVERIFY2(result.error().message.contains(word), qPrintable(result.error().message));
            QCOMPARE(everything(), before);
        };
        const QString tooLong(1025, u'x');
        refused(piece(tooLong, {}, "s"), QStringLiteral("crypto_state.kind"));
        refused(piece(QStringLiteral("a"), tooLong, "s"), QStringLiteral("crypto_state.key"));
        refused(piece(QStringLiteral("a"), tooLong, {}), QStringLiteral("crypto_state.key"));
        refused(piece(QStringLiteral("a"), QString(QChar(u'\0')), "s"), QStringLiteral("crypto_state.key"));
        refused({QStringLiteral("a"), {}, tooLong, 1, "s"}, QStringLiteral("crypto_state.backend"));
        refused(piece(QStringLiteral("a"), {}, QByteArray(most + 1, 'x')), QStringLiteral("crypto_state.sealed"));
        put(alice, {piece(QString(1024, u'x'), QString(1024, u'y'), "s")});
        QVERIFY(m_store->available());
    }

    void damageIsTold_data()
    {
        QTest::addColumn<QString>("driver");
        QTest::addColumn<QString>("damage");
        QTest::addColumn<QString>("column");
        const QString where = QStringLiteral(" WHERE lane = '%1' AND kind = 'bad'").arg(alice);
        for (const QString &driver : Databases::drivers()) {
            const auto row = [&](const char *name, const char *set, const char *column) {
                QTest::addRow("%s %s", qPrintable(driver), name)
                    << driver << QStringLiteral("UPDATE crypto_state SET %1%2").arg(QLatin1String(set), where)
                    << QString::fromLatin1(column);
            };
            row("nothing in it", "sealed = ''", "sealed");
            const bool sqlite = driver == u"sqlite";
            row("too large", sqlite ? "sealed = zeroblob(4194305)" : "sealed = decode(repeat('00', 4194305), 'hex')",
                "sealed");
            row("backend too long", sqlite ? "backend = hex(zeroblob(600))" : "backend = repeat('x', 1025)", "backend");
            if (sqlite) { // the other keeps types
                row("no number", "format = 'one'", "format");
                row("no int", "format = 4294967297", "format");
            }
        }
    }
    void damageIsTold()
    {
        QFETCH(QString, damage);
        QFETCH(QString, column);
        const StateRow good = piece(QStringLiteral("good"), QStringLiteral("k"), "s");
        const QString key = QString::fromLatin1(QTest::currentDataTag()); // each key is told once
        put(alice, {piece(QStringLiteral("bad"), key, "s"), good});
        put(carol, {good});
        Side side(m_settings);
        side.run(damage);
        const QString told = QStringLiteral("row skipped: table crypto_state, key %1 bad %2: column %3 cannot be read")
                                 .arg(alice, key, column);
        QTest::ignoreMessage(QtWarningMsg, qPrintable(told));
        const auto lanes = restore(*m_store, 0);
        QCOMPARE(lanes->size(), 2);
        QCOMPARE(show(lanes->at(0).state), show({good}));
        QVERIFY(lanes->at(0).stateDamaged);
        QVERIFY(!lanes->at(1).stateDamaged);
        QCOMPARE(m_store->counters().corruptRows, quint64(1));
        side.run(QStringLiteral("DELETE FROM crypto_state WHERE kind = 'good'"));
        side.run(QStringLiteral("DELETE FROM lanes"));
        const auto last = restore(*m_store, 0); // the damaged row alone still makes the lane known
        QCOMPARE(last->size(), 1);
        QVERIFY(last->at(0).stateDamaged);
    }

    void anUnknownFormIsNeverSent_data() { forEachDatabase(); }
    void anUnknownFormIsNeverSent()
    {
        Commit c;
        c.lane = alice;
        c.sends = {waiting(1, QStringLiteral("x1")), waiting(2, QStringLiteral("x2"))};
        QVERIFY(commit(*m_store, c));
        Side side(m_settings);
        side.run(QStringLiteral("UPDATE outbox SET form = 'ciphered' WHERE ref = 1"));
        const LaneRecord record = lane(alice);
        QCOMPARE(record.outbox.size(), 1);
        QCOMPARE(record.outbox.at(0).ref, 2);
        QCOMPARE(m_store->counters().corruptRows, quint64(1));
    }
};

QTEST_GUILESS_MAIN(StoreState)
#include "tst_store_state.moc"
