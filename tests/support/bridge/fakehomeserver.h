// SPDX-License-Identifier: Apache-2.0
// What a homeserver answers to the plugin, as far as the plugin asks: accounts, rooms, sending with transaction ids,
// TURN, ping. Keeps what was sent in the order in which it came; a transaction id that comes again adds nothing. The
// test may stand in for any answer.
#pragma once

#include <QJsonArray>
#include <QMap>

#include <fakehttp.h>

namespace bridge
{

struct SentEvent {
    QString sender;
    QString roomId;
    QString type;
    QString txnId;
    QJsonObject content;
};

class FakeHomeserver
{
public:
    FakeHomeserver();

    fakehttp::FakeHttp http;
    // First asked for each request; nothing: the usual answer.
    std::function<std::optional<fakehttp::Answer>(const fakehttp::Request &, const QStringList &path)> instead;
    void forgetGhosts() { m_registered.clear(); }
    QMap<QString, QMap<QString, QString>> rooms; // room id -> member -> membership
    QMap<QString, QJsonArray> messages;          // room id -> what was said there, newest first

    [[nodiscard]] const QList<SentEvent> &sent() const { return m_sent; }
    [[nodiscard]] QStringList sentTypes() const;
    [[nodiscard]] QStringList attempts() const { return m_attempts; } // transaction ids, repeats too
    [[nodiscard]] qsizetype requestsFor(const QByteArray &method, const QString &lastSegment) const;

private:
    fakehttp::Answer answer(const fakehttp::Request &request);
    fakehttp::Answer roomAnswer(const QStringList &path, const fakehttp::Request &request, const QString &user);

    QList<SentEvent> m_sent;
    QStringList m_attempts;
    QSet<QString> m_registered;
    QMap<QString, QString> m_eventIds; // by transaction id
    int m_made = 0;
};

[[nodiscard]] fakehttp::Answer jsonAnswer(const QJsonObject &object, int status = 200);
[[nodiscard]] fakehttp::Answer errorAnswer(int status, const char *code);
[[nodiscard]] QStringList pathOf(const fakehttp::Request &request); // decoded, without /_matrix/client/v3

// Events as they stand in a transaction.
[[nodiscard]] QJsonObject member(const QString &room, const QString &sender, const QString &user,
                                 const QString &membership);
[[nodiscard]] QJsonObject callEvent(const QString &type, const QString &room, const QString &sender,
                                    const QString &callId, QJsonObject content = {});
[[nodiscard]] QJsonObject invite(const QString &room, const QString &sender, const QString &callId,
                                 int lifetimeMs = 60'000);
[[nodiscard]] QJsonObject answerTo(const QString &room, const QString &sender, const QString &callId);
[[nodiscard]] QJsonObject hangup(const QString &room, const QString &sender, const QString &callId);

inline const QString sdp = QStringLiteral("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n");

} // namespace bridge
