// SPDX-License-Identifier: Apache-2.0
#include "profiles.h"

#include "call/types.h"

#include <QJsonArray>
#include <QSet>

#include <algorithm>

namespace profiles
{

using timeline::Lines;

namespace
{

QString word(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1String(key)).toString();
}

const QSet<QString> &ofV0()
{
    static const QSet<QString> types{QStringLiteral("m.call.invite"), QStringLiteral("m.call.answer"),
                                     QStringLiteral("m.call.candidates"), QStringLiteral("m.call.hangup")};
    return types;
}

bool isEnd(const QJsonValue &candidate)
{
    const QJsonValue text = candidate.toObject().value(QLatin1String("candidate"));
    return text.isString() && text.toString().isEmpty();
}

QJsonArray eventsOf(const QJsonObject &line)
{
    return line.contains(QLatin1String("events")) ? line.value(QLatin1String("events")).toArray()
                                                  : QJsonArray{line.value(QLatin1String("event"))};
}

// Events of calls that somebody else than our user sent.
template <typename Visit>
void eachRemote(const Lines &lines, Visit visit)
{
    const QString self = word(timeline::object(lines.first()), "local_user");
    for (const QByteArray &text : lines) {
        const QJsonObject line = timeline::object(text);
        if (word(line, "in") != QLatin1String("matrix"))
            continue;
        for (const QJsonValue &value : eventsOf(line)) {
            const QJsonObject event = value.toObject();
            if (word(event, "sender") != self &&
                event.value(QLatin1String("content")).toObject().contains(QLatin1String("call_id")))
                visit(event);
        }
    }
}

void rename(QJsonObject &object, const char *from, const char *to)
{
    if (object.contains(QLatin1String(from)))
        object.insert(QLatin1String(to), object.take(QLatin1String(from)));
}

QJsonObject asJsSdk(QJsonObject event, const QString &self, const QSet<QString> &parties)
{
    static const QHash<QString, QString> unstable{
        {QStringLiteral("m.call.sdp_stream_metadata_changed"),
         QStringLiteral("org.matrix.call.sdp_stream_metadata_changed")},
        {QStringLiteral("m.call.asserted_identity"), QStringLiteral("org.matrix.call.asserted_identity")},
        {QStringLiteral("m.call.reject_locally"), QStringLiteral("org.matrix.msc4220.call.reject_locally")}};
    const QString type = word(event, "type");
    event.insert(QLatin1String("type"), unstable.value(type, type));
    const QJsonValue age = event.value(QLatin1String("unsigned")).toObject().value(QLatin1String("age"));
    if (!age.isUndefined())
        event.insert(QLatin1String("age"), age);
    event.insert(QLatin1String("user_id"), event.value(QLatin1String("sender")));

    QJsonObject content = event.value(QLatin1String("content")).toObject();
    rename(content, "sdp_stream_metadata", "org.matrix.msc3077.sdp_stream_metadata");
    for (const char *key : {"party_id", "selected_party_id"}) {
        if (const QString party = word(content, key); parties.contains(party))
            content.insert(QLatin1String(key), QStringLiteral("DEV") + party);
    }
    if (type == QLatin1String("m.call.invite") && word(content, "invitee") == self)
        content.remove(QLatin1String("invitee"));
    const bool describes = type == QLatin1String("m.call.invite") || type == QLatin1String("m.call.answer");
    if (describes && !content.contains(QLatin1String("capabilities")))
        content.insert(QLatin1String("capabilities"), QJsonObject{{QStringLiteral("m.call.dtmf"), false},
                                                                  {QStringLiteral("m.call.transferee"), false}});
    if (content.value(QLatin1String("candidates")).isArray()) {
        QJsonArray list;
        for (const QJsonValue &value : content.value(QLatin1String("candidates")).toArray()) {
            QJsonObject candidate = value.toObject();
            if (isEnd(value))
                candidate = {{QStringLiteral("candidate"), QString()}};
            else if (value.isObject())
                candidate.insert(QLatin1String("usernameFragment"), QStringLiteral("tGMU"));
            list.append(value.isObject() ? QJsonValue(candidate) : value);
        }
        content.insert(QLatin1String("candidates"), list);
    }
    content.insert(QLatin1String("org.example.client"), QJsonObject{{QStringLiteral("n"), 1}});
    event.insert(QLatin1String("content"), content);
    return event;
}

QJsonArray asNheko(QJsonObject event)
{
    QJsonObject content = event.value(QLatin1String("content")).toObject();
    if (content.value(QLatin1String("lifetime")).toDouble() == 60'000)
        content.insert(QLatin1String("lifetime"), 120'000);
    event.insert(QLatin1String("content"), content);
    const QJsonValue all = content.value(QLatin1String("candidates"));
    if (word(event, "type") != QLatin1String("m.call.candidates") || !all.isArray())
        return {event};
    QJsonArray events;
    int number = 0;
    for (const QJsonValue &value : all.toArray()) {
        if (isEnd(value))
            continue;
        QJsonObject candidate = value.toObject();
        const bool both =
            candidate.contains(QLatin1String("sdpMid")) && candidate.contains(QLatin1String("sdpMLineIndex"));
        if (both)
            candidate.remove(number % 2 == 0 ? QLatin1String("sdpMid") : QLatin1String("sdpMLineIndex"));
        content.insert(QLatin1String("candidates"), QJsonArray{value.isObject() ? QJsonValue(candidate) : value});
        QJsonObject one = event;
        one.insert(QLatin1String("content"), content);
        if (number++ > 0)
            one.insert(QLatin1String("event_id"), word(event, "event_id") + QStringLiteral(".%1").arg(number));
        events.append(one);
    }
    return events;
}

QJsonArray asV0(QJsonObject event)
{
    QJsonObject content = event.value(QLatin1String("content")).toObject();
    for (const char *key :
         {"party_id", "sdp_stream_metadata", "org.matrix.msc3077.sdp_stream_metadata", "capabilities"})
        content.remove(QLatin1String(key));
    content.insert(QLatin1String("version"), 0);
    if (word(event, "type") == QLatin1String("m.call.reject")) {
        event.insert(QLatin1String("type"), QStringLiteral("m.call.hangup"));
        content.remove(QLatin1String("reason"));
    }
    event.insert(QLatin1String("content"), content);
    return {event};
}

} // namespace

QStringList names()
{
    return {QStringLiteral("js-sdk"), QStringLiteral("nheko"), QStringLiteral("v0")};
}

Client client(const QString &name)
{
    return name == QLatin1String("js-sdk")  ? Client::JsSdk
           : name == QLatin1String("nheko") ? Client::Nheko
                                            : Client::V0;
}

QString notFor(const Lines &scenario, const QString &name)
{
    const QJsonObject header = timeline::object(scenario.first());
    if (const QString why = word(header.value(QLatin1String("not_for")).toObject(), name.toLatin1().constData());
        !why.isEmpty())
        return why;
    QString why;
    bool any = false;
    QHash<QString, QString> devices; // call and user -> party id
    eachRemote(scenario, [&](const QJsonObject &event) {
        any = true;
        if (client(name) != Client::V0)
            return;
        const QJsonObject content = event.value(QLatin1String("content")).toObject();
        const QString type = word(event, "type");
        if (!ofV0().contains(type) && type != QLatin1String("m.call.reject"))
            why = type + QStringLiteral(" is not of version 0");
        if (content.value(QLatin1String("version")) != QJsonValue(QStringLiteral("1")))
            why = QStringLiteral("is about versions");
        QString &device = devices[word(content, "call_id") + u' ' + word(event, "sender")];
        if (const QString party = word(content, "party_id"); device.isEmpty())
            device = party;
        else if (device != party)
            why = QStringLiteral("several devices cannot be told apart");
    });
    return any ? why : QStringLiteral("nothing comes from the other side");
}

Lines as(Client client, const Lines &scenario)
{
    const Lines inputs = timeline::inputsOf(scenario);
    const QString self = word(timeline::object(inputs.first()), "local_user");
    QSet<QString> parties;
    eachRemote(inputs, [&parties](const QJsonObject &event) {
        const QString party = word(event.value(QLatin1String("content")).toObject(), "party_id");
        if (voip::call::isOpaqueId(party))
            parties.insert(party);
    });
    Lines said;
    for (const QByteArray &text : inputs) {
        QJsonObject line = timeline::object(text);
        if (word(line, "in") != QLatin1String("matrix")) {
            said += text;
            continue;
        }
        QJsonArray events;
        for (const QJsonValue &value : eventsOf(line)) {
            const QJsonObject event = value.toObject();
            const QJsonObject content = event.value(QLatin1String("content")).toObject();
            if (word(event, "sender") == self || !content.contains(QLatin1String("call_id"))) {
                events.append(event);
                continue;
            }
            QJsonArray changed;
            switch (client) {
            case Client::JsSdk:
                changed = {asJsSdk(event, self, parties)};
                break;
            case Client::Nheko:
                changed = asNheko(event);
                break;
            case Client::V0:
                changed = asV0(event);
                break;
            }
            for (const QJsonValue &one : changed)
                events.append(one);
        }
        line.remove(QLatin1String("event"));
        line.insert(QLatin1String("events"), events);
        if (events.isEmpty()) { // said by nobody; the line stays, for the randomness is drawn by line
            line.remove(QLatin1String("events"));
            line.insert(QLatin1String("in"), QStringLiteral("clock"));
        }
        said += timeline::text(line);
    }
    return said;
}

QStringList gist(Client client, const timeline::Played &played, bool original)
{
    QStringList gist;
    for (const QByteArray &text : played.outs) {
        const QJsonObject out = timeline::object(text);
        const QString kind = word(out, "out");
        QString said;
        if (kind == QLatin1String("host")) {
            const QJsonArray candidates = out.value(QLatin1String("candidates")).toArray();
            const bool onlyEnd = !candidates.isEmpty() && std::all_of(candidates.begin(), candidates.end(), isEnd);
            if (onlyEnd && client == Client::Nheko)
                continue;
            said = word(out, "signal") + u' ' + word(out, "reason");
        } else if (kind == QLatin1String("matrix")) {
            said = word(out, "type");
            if (client == Client::V0 && original) {
                if (said == QLatin1String("m.call.reject"))
                    said = QStringLiteral("m.call.hangup");
                if (!ofV0().contains(said))
                    continue;
            }
        } else if (kind == QLatin1String("refused")) {
            said = QStringLiteral("refused ") + word(out, "do") + u' ' + word(out, "why");
        } else {
            continue;
        }
        const bool more =
            said.startsWith(QLatin1String("call.ice_candidate")) && !gist.isEmpty() && gist.last() == said;
        if (!more)
            gist += said;
    }
    return gist + played.states;
}

QStringList foreignToV0(const timeline::Played &played)
{
    QStringList foreign;
    for (const QByteArray &text : played.outs) {
        const QJsonObject out = timeline::object(text);
        if (const QString type = word(out, "type");
            word(out, "out") == QLatin1String("matrix") && !ofV0().contains(type))
            foreign += type;
    }
    return foreign;
}

} // namespace profiles
