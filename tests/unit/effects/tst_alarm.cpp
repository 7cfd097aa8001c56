// SPDX-License-Identifier: Apache-2.0
// One timer for all lanes.
#include "effects/alarm.h"

#include <QTest>

using namespace voip::effects;

class AlarmTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void ringsInOrderAndOnce()
    {
        Clock clock;
        Alarm alarm(clock);
        QStringList rung;
        connect(&alarm, &Alarm::due, this, [&rung](const QString &lane) { rung += lane; });
        const qint64 now = clock.now();
        alarm.set(QStringLiteral("late"), now + 60);
        alarm.set(QStringLiteral("soon"), now + 20);
        alarm.set(QStringLiteral("past"), now - 1000);
        alarm.set(QStringLiteral("never"), now + 10);
        alarm.set(QStringLiteral("never"), {});
        QTRY_COMPARE(rung, QStringList({QStringLiteral("past"), QStringLiteral("soon"), QStringLiteral("late")}));
        QVERIFY(clock.now() >= now + 60); // never too early
    }

    void setAgainReplaces()
    {
        Clock clock;
        Alarm alarm(clock);
        QStringList rung;
        connect(&alarm, &Alarm::due, this, [&rung](const QString &lane) { rung += lane; });
        alarm.set(QStringLiteral("a"), clock.now() + 60 * 60 * 1000);
        alarm.set(QStringLiteral("a"), clock.now() + 10);
        alarm.set(QStringLiteral("b"), clock.now() + 40);
        QTRY_COMPARE(rung, QStringList({QStringLiteral("a"), QStringLiteral("b")}));
    }

    // A lane that answers at once with its next time neither loses it nor spins.
    void setFromWithin()
    {
        Clock clock;
        Alarm alarm(clock);
        int rung = 0;
        connect(&alarm, &Alarm::due, this, [&](const QString &lane) {
            if (++rung < 3)
                alarm.set(lane, clock.now() + 5);
        });
        alarm.set(QStringLiteral("a"), clock.now());
        QTRY_COMPARE(rung, 3);
    }
};

QTEST_GUILESS_MAIN(AlarmTest)
#include "tst_alarm.moc"
