// SPDX-License-Identifier: Apache-2.0
// The simulated homeserver's side of encryption: devices and their keys, identities, to-device messages. Gives each
// one-time key once, then the fallback key; refuses another key under an id that it knows; knows a to-device message by
// its transaction id. What is for a ghost's device goes with the transactions, where it may get lost, and waits for a
// /sync as that device until one acknowledges it. Devices of its own users are served at once and without faults.
// One that it gave a key of gets no second one for a repeated upload, as Synapse's would.
#pragma once

#include "homeserver/transport.h"
#include "judge.h"
#include "weather.h"

#include <deque>
#include <map>

namespace bridgesim
{

class KeyServer
{
public:
    KeyServer(Judge &judge, Trace &trace, Weather &weather, Chance chance, Defect defect)
        : m_judge(judge), m_trace(trace), m_weather(weather), m_chance(chance), m_defect(defect)
    {
    }

    // --- the application service's requests
    struct Request {
        voip::homeserver::Method method;
        QStringList path; // client, v3, keys, ...
        QString user;
        QString device; // as which it asks; may be empty
        QByteArray body;
    };
    [[nodiscard]] std::optional<voip::homeserver::HttpAnswer> handle(const Request &request); // nothing: not about keys
    // Of a /sync as that device: adds what there is since then. -> how far that goes
    [[nodiscard]] qint64 sync(const QString &user, const QString &device, qint64 since, QJsonObject &answer);

    // --- users of its own
    void add(const QString &user, const QJsonObject &masterKey, const QJsonObject &selfSigningKey);
    void add(const QString &user, const QString &device, const QJsonObject &upload);
    [[nodiscard]] QJsonObject query(const QJsonObject &body) const;
    [[nodiscard]] QJsonObject claim(const QJsonObject &body);
    void send(const QString &sender, const QString &type, const QJsonObject &messages);
    std::function<void(const QString &user, const QString &device, const QJsonObject &message)> onMessage;
    std::function<void(const QString &user)> onChange; // of anybody's devices or identity

    // --- transactions
    std::function<void()> onWaiting;
    [[nodiscard]] bool waits() const { return !m_parcel.isEmpty() || hasNews(); }
    // The same again until it is delivered.
    void fill(voiphost::EventBatch &batch);
    [[nodiscard]] bool isFilled() const { return !m_parcel.isEmpty(); }
    void delivered() { m_parcel = {}; }

private:
    struct Letter {
        qint64 place = 0;
        QString user;
        QString device;
        QJsonObject message;
    };
    struct Device {
        QJsonObject keys;                       // signed by it and by its owner; empty: none yet
        std::map<QString, QJsonObject> oneTime; // by id, to be given
        QHash<QString, QJsonObject> known;      // all that were ever there, by id
        QString fallbackId;
        QJsonObject fallback;
        bool fallbackUsed = false;
        std::deque<Letter> inbox;
    };
    struct User {
        std::map<QString, Device> devices;
        QJsonObject master;
        QJsonObject selfSigning;
    };
    struct Parcel { // what one transaction carries
        QVector<QJsonObject> toDevice;
        QStringList changed;
        QJsonObject counts;
        QJsonObject fallbacks;
        [[nodiscard]] bool isEmpty() const { return toDevice.isEmpty() && changed.isEmpty() && counts.isEmpty(); }
    };
    using Answer = voip::homeserver::HttpAnswer;
    [[nodiscard]] Device *find(const QString &user, const QString &device);
    [[nodiscard]] bool hasNews() const { return !m_letters.empty() || !m_changed.isEmpty() || !m_counted.isEmpty(); }
    [[nodiscard]] Answer makeDevice(const Request &request);
    [[nodiscard]] Answer upload(const QString &user, const QString &device, const QJsonObject &body);
    [[nodiscard]] Answer uploadIdentity(const QString &user, const QJsonObject &body);
    [[nodiscard]] Answer sendOnce(const Request &request, const QJsonObject &body);
    void changed(const QString &user);
    void counted(const QString &user, const QString &device);
    void pack();

    Judge &m_judge;
    Trace &m_trace;
    Weather &m_weather;
    Chance m_chance;
    const Defect m_defect;
    std::map<QString, User> m_users;
    QHash<QString, QJsonObject> m_sent;             // to-device messages, by transaction id
    QHash<QString, QString> m_keyOf;                // curve key -> id of the ghost's one-time key that it was
    QMap<QString, qint64> m_changedAt;              // place
    std::deque<Letter> m_letters;                   // for the application service
    QStringList m_changed;                          // users, for the application service
    QVector<std::pair<QString, QString>> m_counted; // devices whose counts it does not know
    Parcel m_parcel;
    qint64 m_place = 0;
};

} // namespace bridgesim
