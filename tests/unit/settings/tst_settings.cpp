// SPDX-License-Identifier: Apache-2.0
// The plugin's own settings: what is read, and the message of each wrong field.
#include "settings.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace voip;

class SettingsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void defaults()
    {
        const auto read = readSettings({});
        QVERIFY(read.ok());
        QVERIFY(read->cohort.enabled);
        QCOMPARE(read->cohort.percent, 100);
        QVERIFY(read->call == call::Settings());
    }

    void everyField()
    {
        const auto read = readSettings({{QStringLiteral("enabled"), false},
                                        {QStringLiteral("rollout_percent"), 25},
                                        {QStringLiteral("allow_users"), QJsonArray{QStringLiteral("alice")}},
                                        {QStringLiteral("mode"), QStringLiteral("appservice")},
                                        {QStringLiteral("invite_lifetime_seconds"), 120},
                                        {QStringLiteral("connect_timeout_seconds"), 30},
                                        {QStringLiteral("longest_call_seconds"), 3600}});
        QVERIFY(read.ok());
        QCOMPARE(read->cohort, (rollout::Cohort{false, 25, {QStringLiteral("alice")}}));
        QCOMPARE(read->call.inviteLifetime, 120'000);
        QCOMPARE(read->call.connectTimeout, 30'000);
        QCOMPARE(read->call.longestCall, 3'600'000);
    }

    void wrongFields_data()
    {
        QTest::addColumn<QByteArray>("json");
        QTest::addColumn<QString>("message");
        const auto row = [](const char *json, const char *message) {
            QTest::newRow(json) << QByteArray(json) << QStringLiteral("plugins.matrixvoip.") + QLatin1String(message);
        };
        row(R"({"enabled":"yes"})", "enabled must be true or false");
        row(R"({"rollout_percent":-1})", "rollout_percent must be a whole number from 0 to 100");
        row(R"({"rollout_percent":101})", "rollout_percent must be a whole number from 0 to 100");
        row(R"({"rollout_percent":1.5})", "rollout_percent must be a whole number from 0 to 100");
        row(R"({"rollout_percent":"5"})", "rollout_percent must be a whole number from 0 to 100");
        row(R"({"rollout_percent":1e300})", "rollout_percent must be a whole number from 0 to 100");
        row(R"({"allow_users":"alice"})", "allow_users must be a list of user ids");
        row(R"({"allow_users":[1]})", "allow_users must be a list of user ids");
        row(R"({"allow_users":[""]})", "allow_users must be a list of user ids");
        row(R"({"mode":"client"})", "mode must be \"appservice\"");
        row(R"({"invite_lifetime_seconds":29})", "invite_lifetime_seconds must be a whole number from 30 to 600");
        row(R"({"connect_timeout_seconds":601})", "connect_timeout_seconds must be a whole number from 10 to 600");
        row(R"({"longest_call_seconds":null})", "longest_call_seconds must be a whole number from 60 to 604800");
        row(R"({"colour":"red"})", "colour is not a setting of this plugin");
    }
    void wrongFields()
    {
        QFETCH(QByteArray, json);
        QFETCH(QString, message);
        const auto read = readSettings(QJsonDocument::fromJson(json).object());
        QVERIFY(!read.ok());
        QCOMPARE(read.error().kind, voiphost::ErrorKind::Invalid);
        QCOMPARE(read.error().code, QStringLiteral("INVALID_SETTING"));
        QCOMPARE(read.error().message, message);
    }
};

QTEST_GUILESS_MAIN(SettingsTest)
#include "tst_settings.moc"
