// SPDX-License-Identifier: Apache-2.0
// What a real client sends is read without loss, and what we write for the same has the same shape: the same keys with
// values of the same kind.
#include "events.h"
#include "protocol/read.h"
#include "protocol/sdp.h"
#include "protocol/write.h"

#include <QFile>
#include <QTest>

using namespace voip::call;
using namespace voip::protocol;

namespace
{

QJsonObject samples()
{
    QFile file(QStringLiteral(SAMPLE_DIR "/call-events.json"));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    return QJsonDocument::fromJson(file.readAll()).object().value(QLatin1String("events")).toObject();
}

QJsonObject sampleContent(const QString &type)
{
    return samples().value(type).toObject().value(QLatin1String("content")).toObject();
}

// A place where one object's shape differs from the other's, or empty. Keys of `more` may be missing in `less` only if
// they are listed.
QString shapeDiffers(const QJsonValue &sample, const QJsonValue &ours, const QStringList &optional, const QString &path)
{
    if (sample.type() != ours.type())
        return path + QStringLiteral(" has another type");
    if (sample.isArray()) {
        const QJsonArray a = sample.toArray();
        const QJsonArray b = ours.toArray();
        if (a.size() != b.size())
            return path + QStringLiteral(" has another length");
        for (int i = 0; i < a.size(); ++i) {
            const QString inner = shapeDiffers(a[i], b[i], optional, QStringLiteral("%1[%2]").arg(path).arg(i));
            if (!inner.isEmpty())
                return inner;
        }
    }
    if (!sample.isObject())
        return {};
    const QJsonObject a = sample.toObject();
    const QJsonObject b = ours.toObject();
    for (const QString &key : a.keys() + b.keys()) {
        if (optional.contains(key))
            continue;
        if (!a.contains(key) || !b.contains(key))
            return path + u'.' + key + QStringLiteral(" is in only one");
        const QString inner = shapeDiffers(a.value(key), b.value(key), optional, path + u'.' + key);
        if (!inner.isEmpty())
            return inner;
    }
    return {};
}

// The event says nothing of tracks; a stream that is not muted has one.
Streams withTracks(Streams streams)
{
    for (Stream &stream : streams)
        stream.hasAudio = stream.hasVideo = true;
    return streams;
}

// What we would have sent in the client's place.
OutContent echoOf(const MatrixEvent &event)
{
    if (const auto *invite = std::get_if<InviteEvent>(&event))
        return OutInvite{invite->sdp, invite->lifetime, QStringLiteral("@bob:test"), invite->streams, invite->can, {}};
    if (const auto *answer = std::get_if<AnswerEvent>(&event))
        return OutAnswer{answer->sdp, answer->streams, answer->can, {}};
    if (const auto *candidates = std::get_if<CandidatesEvent>(&event))
        return OutCandidates{candidates->candidates};
    if (const auto *hangup = std::get_if<HangupEvent>(&event))
        return OutHangup{hangup->reason};
    if (const auto *select = std::get_if<SelectAnswerEvent>(&event))
        return OutSelectAnswer{select->selectedPartyId};
    if (const auto *negotiate = std::get_if<NegotiateEvent>(&event))
        return OutNegotiate{negotiate->type, negotiate->sdp, negotiate->lifetime, negotiate->streams, {}};
    if (const auto *changed = std::get_if<StreamsEvent>(&event))
        return OutStreams{withTracks(changed->listed)};
    return OutReject{};
}

} // namespace

class Samples : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void shape_data();
    void shape();
};

void Samples::shape_data()
{
    QTest::addColumn<QString>("type");
    for (const char *type : {"invite", "answer", "candidates", "hangup", "reject", "select_answer", "negotiate",
                             "sdp_stream_metadata_changed"})
        QTest::newRow(type) << (QStringLiteral("m.call.") + QLatin1String(type));
}

void Samples::shape()
{
    QFETCH(QString, type);
    const QJsonObject content = sampleContent(type);
    QVERIFY(!content.isEmpty());
    const auto event = readEvent(eventOf(type, content), 5000);
    QVERIFY(event && !std::holds_alternative<UnusableEvent>(*event));

    Send send;
    send.matrixCallId = content.value(QLatin1String("call_id")).toString();
    send.partyId = content.value(QLatin1String("party_id")).toString();
    send.content = echoOf(*event);
    QCOMPARE(eventType(send.content), type);
    const QJsonObject ours = eventContent(send);
    // `invitee` is ours to set always (R16); the others say what the client can do, and are not in the specification.
    const QStringList optional{QStringLiteral("invitee"), QStringLiteral("capabilities"),
                               QStringLiteral("usernameFragment")};
    QCOMPARE(shapeDiffers(content, ours, optional, type), QString());
    // The same words too, but for what was optional.
    for (const QString &key :
         {QStringLiteral("call_id"), QStringLiteral("party_id"), QStringLiteral("version"), QStringLiteral("offer"),
          QStringLiteral("answer"), QStringLiteral("lifetime"), QStringLiteral("reason"),
          QStringLiteral("selected_party_id"), QStringLiteral("sdp_stream_metadata"), QStringLiteral("description")})
        QCOMPARE(ours.value(key), content.value(key));
    // What we write we read as what was read.
    QVERIFY(echoOf(*readEvent(eventOf(type, ours), 5000)) == send.content);
}

QTEST_APPLESS_MAIN(Samples)
#include "tst_samples.moc"
