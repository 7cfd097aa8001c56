// SPDX-License-Identifier: Apache-2.0
#include "replay/output.h"

#include "protocol/write.h"

#include <QJsonDocument>

namespace voip::replay
{

using namespace voip::call;

namespace
{

// QJsonObject sorts its keys; a line that is read by people begins with its time and kind.
class LineWriter
{
public:
    LineWriter(Millis t, const char *out)
    {
        put("t", static_cast<double>(t));
        put("out", QLatin1String(out));
    }
    LineWriter &put(const char *key, const QJsonValue &value) { return put(QLatin1String(key), value); }
    LineWriter &put(const QString &key, const QJsonValue &value)
    {
        m_text += m_text.isEmpty() ? '{' : ',';
        m_text += bare(key) + ':' + bare(value);
        return *this;
    }
    LineWriter &putAll(const QJsonObject &object)
    {
        for (auto it = object.constBegin(); it != object.constEnd(); ++it)
            put(it.key(), it.value());
        return *this;
    }
    [[nodiscard]] QByteArray finish() const { return m_text + '}'; }

private:
    static QByteArray bare(const QJsonValue &value)
    {
        const QByteArray list = QJsonDocument(QJsonArray{value}).toJson(QJsonDocument::Compact);
        return list.sliced(1, list.size() - 2);
    }

    QByteArray m_text;
};

QString refText(std::int64_t ref)
{
    return QLatin1Char('o') + QString::number(ref);
}

QString word(Refusal why)
{
    switch (why) {
    case Refusal::UnknownCall:
        return QStringLiteral("unknown_call");
    case Refusal::WrongState:
        return QStringLiteral("wrong_state");
    case Refusal::Ringing:
        return QStringLiteral("ringing");
    case Refusal::InProgress:
        return QStringLiteral("in_progress");
    case Refusal::UnknownRoom:
        return QStringLiteral("unknown_room");
    case Refusal::NoPeer:
        return QStringLiteral("no_peer");
    case Refusal::NotJoined:
        return QStringLiteral("not_joined");
    case Refusal::Collision:
        return QStringLiteral("collision");
    case Refusal::NoOffer:
        return QStringLiteral("no_offer");
    case Refusal::PeerCannot:
        return QStringLiteral("peer_cannot");
    case Refusal::NoTransfer:
        return QStringLiteral("no_transfer");
    case Refusal::TransferPending:
        return QStringLiteral("transfer_pending");
    case Refusal::TooMany:
        return QStringLiteral("too_many");
    }
    return {};
}

struct EffectWriter {
    Millis t;
    const QString &action;
    const QString &callId;

    QByteArray operator()(const Send &send) const
    {
        return LineWriter(t, "matrix")
            .put("ref", refText(send.ref))
            .put("type", protocol::eventType(send.content))
            .put("room_id", send.roomId)
            .put("content", protocol::eventContent(send))
            .finish();
    }
    QByteArray operator()(const Unsend &unsend) const
    {
        return LineWriter(t, "unsend").put("ref", refText(unsend.ref)).finish();
    }
    QByteArray operator()(const EnterRoom &enter) const
    {
        return LineWriter(t, "enter_room").put("room_id", enter.roomId).finish();
    }
    QByteArray operator()(const Notify &notify) const
    {
        LineWriter line(t, "host");
        line.put("signal", protocol::noticeName(notify.content)).put("call", notify.callId);
        if (!notify.conversationId.isEmpty())
            line.put("conversation_id", notify.conversationId);
        return line.put("seq", static_cast<double>(notify.seq)).putAll(protocol::noticeData(notify)).finish();
    }
    QByteArray operator()(const Accepted &) const { return {}; }
    QByteArray operator()(const Refused &refused) const
    {
        LineWriter line(t, "refused");
        line.put("why", word(refused.why)).put("do", action).put("call", callId);
        if (refused.callId != callId && !refused.callId.isEmpty())
            line.put("call_id", refused.callId); // the call that stands in the way
        if (!refused.callId.isEmpty())
            line.put("state", toString(refused.state));
        return line.finish();
    }
    QByteArray operator()(const Drop &drop) const
    {
        return LineWriter(t, "drop").put("reason", drop.reason).put("event_id", drop.eventId).finish();
    }
};

} // namespace

QByteArray toLine(const Effect &effect, Millis t, const QString &action, const QString &callId)
{
    return std::visit(EffectWriter{t, action, callId}, effect);
}

QByteArray refusalLine(Millis t, const QString &why, const QString &action, const QString &callId)
{
    return LineWriter(t, "refused").put("why", why).put("do", action).put("call", callId).finish();
}

} // namespace voip::replay
