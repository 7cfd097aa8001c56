// SPDX-License-Identifier: Apache-2.0
// The cohort by percentage, the gate, and the administrator's switch.
#include "rollout/switch.h"

#include <QTest>

using namespace voip::rollout;

class RolloutTest : public QObject
{
    Q_OBJECT

    static QString user(int i) { return QStringLiteral("user%1").arg(i); }

private Q_SLOTS:
    // The hash is part of what an administrator relies on: who is in today is in tomorrow, on every machine.
    void bucketsAreStable()
    {
        QCOMPARE(bucketOf(QStringLiteral("alice")), 7120);
        QCOMPARE(bucketOf(QStringLiteral("Zoë")), 2608);
        QCOMPARE(bucketOf(QString()), 8721);
    }

    void bucketsAreSpread()
    {
        constexpr int users = 20'000;
        std::array<int, 10> tenths{};
        for (int i = 0; i < users; ++i) {
            const int bucket = bucketOf(user(i));
            QVERIFY(bucket >= 0 && bucket < 10'000);
            ++tenths[static_cast<std::size_t>(bucket / 1000)];
        }
        for (const int tenth : tenths)
            QVERIFY2(tenth > users / 10 * 0.9 && tenth < users / 10 * 1.1, qPrintable(QString::number(tenth)));
    }

    void whoIsInStaysInAsItGrows()
    {
        for (int i = 0; i < 500; ++i) {
            bool before = false;
            for (int percent = 0; percent <= 100; ++percent) {
                const bool in = Cohort{true, percent, {}}.has(user(i));
                QVERIFY2(in || !before, qPrintable(user(i)));
                before = in;
            }
            QVERIFY(before); // at 100 everybody
            QVERIFY(!(Cohort{true, 0, {}}.has(user(i))));
        }
    }

    void allowedAndOff()
    {
        const QStringList allowed{QStringLiteral("vip")};
        QVERIFY((Cohort{true, 0, allowed}.has(QStringLiteral("vip"))));
        QVERIFY(!(Cohort{false, 100, allowed}.has(QStringLiteral("vip"))));
    }

    void gateIsShutUntilItIsSet()
    {
        Gate gate;
        QVERIFY(!gate.admits(QStringLiteral("alice")));
        gate.set({true, 100, {}});
        QVERIFY(gate.admits(QStringLiteral("alice")));
    }

    void changesAreDurableFirst()
    {
        Gate gate;
        gate.set({true, 10, {QStringLiteral("vip")}});
        std::function<void(bool)> saved;
        QByteArray stored;
        Switch lever(gate, [&](const QByteArray &value, auto done) {
            stored = value;
            saved = done;
        });
        std::optional<Switch::Position> got;
        lever.change({true, 50}, [&got](auto position) { got = position; });
        QCOMPARE(gate.cohort().percent, 10);
        saved(true);
        QCOMPARE(gate.cohort(), (Cohort{true, 50, {QStringLiteral("vip")}}));
        QCOMPARE(got, (Switch::Position{true, 50}));

        bool failed = false;
        lever.change({false, 0}, [&failed](auto position) { failed = !position; });
        saved(false);
        QVERIFY(failed);
        QCOMPARE(gate.cohort().percent, 50);

        Gate other; // what was stored last and failed does not count here; a durable one does
        other.set({true, 10, {}});
        lever.change({true, 70}, [](auto) {});
        saved(true);
        Switch restored(other, [&](const QByteArray &, auto done) { done(true); });
        restored.restore(stored);
        QCOMPARE(other.cohort().percent, 70);
        restored.rollBack([&got](auto position) { got = position; });
        QCOMPARE(got, (Switch::Position{true, 50}));
        restored.rollBack([&got](auto position) { got = position; });
        QCOMPARE(got, (Switch::Position{true, 70}));
    }

    void overlappingChangesKeepTheirOrder()
    {
        Gate gate;
        gate.set({true, 0, {}});
        std::deque<std::function<void(bool)>> saves;
        Switch lever(gate, [&](const QByteArray &, auto done) { saves.push_back(done); });
        QList<int> order;
        const auto note = [&order](auto position) { order.push_back(position->percent); };
        lever.change({true, 10}, [&](auto position) {
            note(position);
            lever.change({true, 30}, note); // from within a reply
        });
        lever.change({true, 20}, note);
        while (!saves.empty()) {
            QCOMPARE(saves.size(), 1u); // one at a time
            const auto save = saves.front();
            saves.pop_front();
            save(true);
        }
        QCOMPARE(order, QList<int>({10, 20, 30}));
        lever.rollBack(note);
        saves.front()(true);
        QCOMPARE(order.last(), 20);
    }

    void theSameAgainIsNoChange()
    {
        Gate gate;
        gate.set({true, 10, {}});
        Switch lever(gate, [&](const QByteArray &, auto done) { done(true); });
        lever.change({true, 20}, [](auto) {});
        lever.change({true, 20}, [](auto) {});
        lever.rollBack([](auto) {});
        QCOMPARE(gate.cohort().percent, 10);
    }

    void brokenValuesAreIgnored_data()
    {
        QTest::addColumn<QByteArray>("value");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("text") << QByteArray("on");
        QTest::newRow("percent") << QByteArray("{\"enabled\":true,\"percent\":101}");
        QTest::newRow("type") << QByteArray("{\"enabled\":1,\"percent\":5}");
    }
    void brokenValuesAreIgnored()
    {
        QFETCH(QByteArray, value);
        Gate gate;
        gate.set({true, 10, {}});
        Switch lever(gate, [](const QByteArray &, auto done) { done(true); });
        lever.restore(value);
        QCOMPARE(gate.cohort().percent, 10);
    }
};

QTEST_GUILESS_MAIN(RolloutTest)
#include "tst_rollout.moc"
