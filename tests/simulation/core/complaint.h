// SPDX-License-Identifier: Apache-2.0
// What the parts of the watcher share: how they complain, and who is who in the lines seen so far.
#pragma once

#include "timeline.h"

#include <QHash>
#include <QJsonArray>
#include <QSet>

namespace simulation
{

struct Complaint {
    QString kind; // which invariant; empty: none
    QString detail;

    [[nodiscard]] explicit operator bool() const { return !kind.isEmpty(); }
};

[[nodiscard]] inline Complaint complain(const char *kind, const QJsonObject &line)
{
    return {QString::fromUtf8(kind), QString::fromUtf8(timeline::text(line))};
}

[[nodiscard]] inline QString word(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1String(key)).toString();
}

[[nodiscard]] inline double number(const QJsonObject &object, const char *key, double otherwise = 0)
{
    return object.value(QLatin1String(key)).toDouble(otherwise);
}

[[nodiscard]] inline QJsonObject part(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1String(key)).toObject();
}

[[nodiscard]] inline bool is(const QString &text, const char *what)
{
    return text == QLatin1String(what);
}

[[nodiscard]] inline QString keyOf(const QString &room, const QString &callId)
{
    return room + u' ' + callId;
}

// Of an event, or of what is sent.
[[nodiscard]] inline QString keyOf(const QJsonObject &event)
{
    return keyOf(word(event, "room_id"), word(part(event, "content"), "call_id"));
}

// The events that a line brings.
[[nodiscard]] inline QJsonArray allEventsOf(const QJsonObject &line)
{
    const QJsonArray events = line.value(QLatin1String("events")).toArray();
    return events.isEmpty() && line.contains(QLatin1String("event")) ? QJsonArray{part(line, "event")} : events;
}

// A result of the outbox that it repeats by itself.
[[nodiscard]] inline bool isTransient(const QJsonObject &failed)
{
    const bool again = failed.contains(QLatin1String("retry_after_ms")) || is(word(failed, "code"), "M_LIMIT_EXCEEDED");
    return failed.value(QLatin1String("transient")).toBool(again);
}

struct Book {
    QString self;
    QJsonObject settings;
    QHash<QString, QString> matrixOf; // host call -> room and call id, as it is now
    QHash<QString, QString> hostOf;   // room and call id -> the host call that had it last
    QHash<QString, QString> keyOfRef; // reference -> room and call id
    QSet<QString> ours;               // room and call id of our invites
    bool encrypted = false;           // the room of the header is
    bool recorded = false;            // the line at hand is one of a running host: it fires no timer on its way
    double before = 0;                // when the line before it was

    [[nodiscard]] double setting(const char *name, double usual) const { return number(settings, name, usual); }
    [[nodiscard]] bool trickles() const { return settings.value(QLatin1String("host_trickles")).toBool(true); }
    // The host call that this is about, if it is the one that has it now.
    [[nodiscard]] QString callWith(const QString &key) const
    {
        const QString call = hostOf.value(key);
        return matrixOf.value(call) == key ? call : QString();
    }
};

} // namespace simulation
