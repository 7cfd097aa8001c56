// SPDX-License-Identifier: Apache-2.0
#include "names.h"

namespace simulation
{

namespace
{

QString word(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1String(key)).toString();
}

// In two steps by way of marks that no text has: an id of one run may be another one's in the other run.
QByteArray replaced(QByteArray text, const QMap<QString, QString> &from, const QMap<QString, QString> &to)
{
    const auto mark = [](int number) { return '\x01' + QByteArray::number(number) + '\x02'; };
    int number = 0;
    for (const QString &id : from)
        text.replace(id.toLatin1(), mark(number++));
    number = 0;
    for (auto it = from.constBegin(); it != from.constEnd(); ++it)
        text.replace(mark(number++), to.value(it.key(), *it).toUtf8());
    return text;
}

} // namespace

QString originOf(const QString &sdp)
{
    const auto from = sdp.indexOf(QLatin1String("o="));
    if (from < 0)
        return {};
    return sdp.sliced(from, sdp.indexOf(u'\r', from) - from).section(u' ', 0, 2); // its address may be hidden
}

void Names::learn(const QJsonObject &out)
{
    const QString kind = word(out, "out");
    const QJsonObject matrix = out.value(QLatin1String("matrix")).toObject();
    if (kind == QLatin1String("host") && !matrix.isEmpty()) {
        const QString label = QStringLiteral("theirs ") + word(matrix, "room_id") + u' ' + word(matrix, "call_id");
        if (word(out, "signal") == QLatin1String("call.initiated"))
            m_ids.insert(label, word(out, "call"));
        m_ids.insert(label + QLatin1String(" party"), word(matrix, "party_id"));
    }
    if (kind != QLatin1String("matrix"))
        return;
    const QJsonObject content = out.value(QLatin1String("content")).toObject();
    const QString type = word(out, "type");
    const QString callId = word(content, "call_id");
    if (type == QLatin1String("m.call.invite")) {
        const QString label =
            QStringLiteral("ours ") + originOf(word(content.value(QLatin1String("offer")).toObject(), "sdp"));
        m_ids.insert(label, callId);
        m_ids.insert(label + QLatin1String(" party"), word(content, "party_id"));
    } else if (m_ids.key(callId).isEmpty())
        m_ids.insert(QStringLiteral("theirs ") + word(out, "room_id") + u' ' + callId + QLatin1String(" party"),
                     word(content, "party_id"));
    const QString whose = m_ids.key(callId, callId) + u' ' + type;
    for (const char *key : {"replacement_id", "create_call", "await_call"}) {
        if (const QString id = word(content, key); id.size() > 8)
            m_ids.insert(whose + u' ' + QLatin1String(key), id);
    }
    m_refs.insert(whose + u' ' + QString::number(++m_sends[whose]), word(out, "ref"));
}

QByteArray translate(const QByteArray &line, const Names &from, const Names &to)
{
    QJsonObject object = timeline::object(line);
    if (const QString ref = word(object, "ref"); !ref.isEmpty()) {
        // One that is not sent in the other run keeps the name; nothing knows it there.
        const QString other = to.refOf(from.labelOfRef(ref));
        object.insert(QLatin1String("ref"), other.isEmpty() ? ref : other);
        return timeline::text(object);
    }
    return replaced(line, from.ids(), to.ids());
}

QMap<QString, timeline::Lines> grouped(const QVector<QJsonObject> &outs, const Names &names)
{
    QMap<QString, QString> labels;
    for (auto it = names.ids().constBegin(); it != names.ids().constEnd(); ++it)
        labels.insert(it.key(), u'<' + it.key() + u'>');
    QMap<QString, timeline::Lines> groups;
    for (QJsonObject out : outs) {
        QString key = word(out, "out");
        if (key == QLatin1String("matrix"))
            key += word(out.value(QLatin1String("content")).toObject(), "call_id");
        else if (key == QLatin1String("host"))
            key += word(out, "call");
        else if (key == QLatin1String("drop"))
            key += word(out, "event_id");
        out.remove(QLatin1String("ref"));
        out.remove(QLatin1String("conversation_id"));
        if (key == QLatin1String("refused")) { // if several calls stand in the way, any of them is named
            for (const char *name : {"call_id", "state", "why"})
                out.remove(QLatin1String(name));
        }
        const QByteArray text = replaced(timeline::text(out), names.ids(), labels);
        groups[QString::fromUtf8(replaced(key.toUtf8(), names.ids(), labels))] += text;
    }
    return groups;
}

} // namespace simulation
