// SPDX-License-Identifier: Apache-2.0
// The plugin's own settings: what is read, and the message of each wrong field.
#include "settings.h"
#include "testhost.h"

#include <QFile>
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
                                        {QStringLiteral("longest_call_seconds"), 3600},
                                        {QStringLiteral("negotiate_lifetime_seconds"), 10},
                                        {QStringLiteral("resume_timeout_seconds"), 0},
                                        {QStringLiteral("reconnect_timeout_seconds"), 5},
                                        {QStringLiteral("host_trickles"), false},
                                        {QStringLiteral("fold_milliseconds"), 10'000},
                                        {QStringLiteral("gather_milliseconds"), 0},
                                        {QStringLiteral("parallel_calls"), true},
                                        {QStringLiteral("private_addresses"), QStringLiteral("hide")},
                                        {QStringLiteral("invites_per_minute"), 5},
                                        {QStringLiteral("ringing_of_peer"), 2},
                                        {QStringLiteral("places_per_minute"), 7},
                                        {QStringLiteral("keep_details_hours"), 1},
                                        {QStringLiteral("keep_history_days"), 2},
                                        {QStringLiteral("timeline_megabytes"), 3},
                                        {QStringLiteral("transfers"), false}});
        QVERIFY(read.ok());
        QCOMPARE(read->cohort, (rollout::Cohort{false, 25, {QStringLiteral("alice")}}));
        QCOMPARE(read->call.inviteLifetime, 120'000);
        QCOMPARE(read->call.connectTimeout, 30'000);
        QCOMPARE(read->call.longestCall, 3'600'000);
        QCOMPARE(read->call.negotiateLifetime, 10'000);
        QCOMPARE(read->call.resumeTimeout, 0);
        QCOMPARE(read->call.reconnectTimeout, 5000);
        QVERIFY(!read->call.hostTrickles);
        QCOMPARE(read->call.foldFor, 10'000);
        QCOMPARE(read->call.gatherFor, 0);
        QVERIFY(read->call.parallelCalls);
        QVERIFY(read->call.privateAddresses == call::PrivateAddresses::Hide);
        QVERIFY(!read->call.transfers);
        QCOMPARE(read->call.invitesPerMinute, 5);
        QCOMPARE(read->call.ringingOfPeer, 2);
        QCOMPARE(read->call.placesPerMinute, 7);
        QCOMPARE(read->retention.detailHours, 1);
        QCOMPARE(read->retention.historyDays, 2);
        QCOMPARE(read->timelineMegabytes, 3);
        const auto half = readSettings({{QStringLiteral("private_addresses"), QStringLiteral("hide_unencrypted")}});
        QVERIFY(half->call.privateAddresses == call::PrivateAddresses::HideUnencrypted);
    }

    // What an administrator reads in the schema is what holds: the same fields, and their defaults.
    void theSchemaSaysTheSame()
    {
        QFile file(QStringLiteral(SETTINGS_SCHEMA));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject fields =
            QJsonDocument::fromJson(file.readAll()).object().value(QStringLiteral("properties")).toObject();
        QJsonObject defaults;
        for (auto it = fields.constBegin(); it != fields.constEnd(); ++it) {
            const QJsonObject field = it->toObject();
            defaults.insert(it.key(), field.value(QStringLiteral("default")));
            for (const char *end : {"minimum", "maximum"}) {
                if (field.contains(QLatin1String(end)))
                    QVERIFY2(readSettings({{it.key(), field.value(QLatin1String(end))}}).ok(), qPrintable(it.key()));
            }
            if (field.contains(QStringLiteral("maximum"))) {
                const int beyond = field.value(QStringLiteral("maximum")).toInt() + 1;
                QVERIFY2(!readSettings({{it.key(), beyond}}).ok(), qPrintable(it.key()));
            }
        }
        const auto read = readSettings(defaults);
        QVERIFY2(read.ok(), read.ok() ? "" : qPrintable(read.error().message));
        QVERIFY(read->call == call::Settings());
        QVERIFY(read->cohort == rollout::Cohort());
        const PluginSettings usual;
        QCOMPARE(read->retention.detailHours, usual.retention.detailHours);
        QCOMPARE(read->retention.historyDays, usual.retention.historyDays);
        QCOMPARE(read->timelineMegabytes, usual.timelineMegabytes);
    }

    void account()
    {
        const QJsonObject fields{{QStringLiteral("user"), QStringLiteral("@alice:test")},
                                 {QStringLiteral("login"), QStringLiteral("password")},
                                 {QStringLiteral("password"), QStringLiteral("pass word")},
                                 {QStringLiteral("invitations"), QStringLiteral("all")},
                                 {QStringLiteral("key_backup"), true}};
        const auto read =
            readSettings({{QStringLiteral("mode"), QStringLiteral("client")}, {QStringLiteral("account"), fields}});
        QVERIFY(read.ok());
        QCOMPARE(read->account->login.user, QStringLiteral("@alice:test"));
        QVERIFY(read->account->login.by == homeserver::LoginSettings::By::Password);
        QCOMPARE(read->account->login.password, QByteArray("pass word"));
        QCOMPARE(read->account->login.deviceName, QStringLiteral("Matrix VoIP bridge"));
        QVERIFY(read->account->invitations == homeserver::Invitations::All);
        QVERIFY(read->account->keyBackup);
        QVERIFY(!AccountSettings().keyBackup);
    }

    void keyBackupNeedsTheRecoveryKey()
    {
        bridge::TestHost host;
        host.people = host.people.first(1);
        AccountSettings settings;
        settings.login.user = QStringLiteral("@alice:test");
        QVERIFY(completeAccount(settings, host).ok());
        settings.keyBackup = true;
        const auto without = completeAccount(settings, host);
        QVERIFY(!without.ok());
        QCOMPARE(without.error().details.value(QLatin1String("key")).toString(), QStringLiteral("account.key_backup"));
        QCOMPARE(without.error().message,
                 QStringLiteral("plugins.matrixvoip.account.key_backup needs the account's recovery key: give "
                                "account.recovery_key or the secret account_recovery_key, or set it to false"));
        settings.recoveryKey = "EsSz z9tE P7v3 2x3J pej9 kEu3 wFRg Cohn LtKd CcAP Gyjg nnbj";
        QVERIFY(completeAccount(settings, host).ok());
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
        row(R"({"mode":"user"})", "mode must be \"appservice\" or \"client\"");
        row(R"({"mode":"client"})", "account is missing: mode client needs it");
        row(R"({"account":{"user":"@a:b","login":"sso"}})", "account belongs to mode client only");
        const auto account = [&row](const QByteArray &fields, const char *message) {
            row((R"({"mode":"client","account":)" + fields + "}").constData(), message);
        };
        account("[]", "account must be a map of keys and values");
        account("{}", "account.user is missing");
        account(R"({"user":"@a:b"})", "account.login is missing");
        for (const char *user : {"7", "\"alice\"", "\"@alice\"", "\"@:b\"", "\"@a:\"", "\"@a b:c\""}) {
            account(R"({"login":"sso","user":)" + QByteArray(user) + "}",
                    "account.user must be a Matrix id such as @alice:example.org");
        }
        account(R"({"user":"@a:b","login":"key"})", "account.login must be \"token\", \"password\" or \"sso\"");
        account(R"({"user":"@a:b","login":"sso","device_name":""})", "account.device_name must be 1 to 100 characters");
        account(R"({"user":"@a:b","login":"sso","invitations":true})",
                "account.invitations must be \"direct\", \"all\" or \"none\"");
        account(R"({"user":"@a:b","login":"token","token":"a b"})",
                "account.token must be an access token: printable, without spaces");
        account(R"({"user":"@a:b","login":"password","password":7})", "account.password must be 1 to 512 characters");
        account(R"({"user":"@a:b","login":"sso","key_backup":"yes"})", "account.key_backup must be true or false");
        account(R"({"user":"@a:b","login":"sso","colour":1})", "account.colour is not a setting of this plugin");
        row(R"({"invite_lifetime_seconds":29})", "invite_lifetime_seconds must be a whole number from 30 to 600");
        row(R"({"connect_timeout_seconds":601})", "connect_timeout_seconds must be a whole number from 10 to 600");
        row(R"({"longest_call_seconds":null})", "longest_call_seconds must be a whole number from 60 to 604800");
        row(R"({"negotiate_lifetime_seconds":9})", "negotiate_lifetime_seconds must be a whole number from 10 to 600");
        row(R"({"resume_timeout_seconds":-1})", "resume_timeout_seconds must be a whole number from 0 to 600");
        row(R"({"reconnect_timeout_seconds":4})", "reconnect_timeout_seconds must be a whole number from 5 to 600");
        row(R"({"host_trickles":1})", "host_trickles must be true or false");
        row(R"({"fold_milliseconds":10001})", "fold_milliseconds must be a whole number from 0 to 10000");
        row(R"({"gather_milliseconds":2001})", "gather_milliseconds must be a whole number from 0 to 2000");
        row(R"({"parallel_calls":"no"})", "parallel_calls must be true or false");
        row(R"({"private_addresses":"never"})", "private_addresses must be \"send\", \"hide_unencrypted\" or \"hide\"");
        row(R"({"private_addresses":true})", "private_addresses must be \"send\", \"hide_unencrypted\" or \"hide\"");
        row(R"({"transfers":null})", "transfers must be true or false");
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
