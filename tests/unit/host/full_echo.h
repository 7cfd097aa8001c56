// SPDX-License-Identifier: Apache-2.0
// The echo plugin's calls with MidCall: writes down what was asked, and answers with what the test has laid out.
#pragma once

#include "../../contract/echo-plugin/echo_calls.h"

#include <voiphost/midcall.h>

#include <QJsonDocument>

class FullEcho : public EchoCalls, public voiphost::MidCall
{
    Q_OBJECT
    Q_INTERFACES(voiphost::MidCall)

public:
    using EchoCalls::answer;
    using EchoCalls::EchoCalls;
    using EchoCalls::place;
    using One = Answer<voiphost::FullCall>;

    QString said;            // the last request, one word after the other
    voiphost::FullCall full; // how calls look
    QString failure;         // if set, the code of a conflict that is answered instead

    Answer<voiphost::FullPlaced> place(const QString &, const QString &conversation,
                                       const voiphost::FullPlaceRequest &request) override
    {
        say({QStringLiteral("place"), conversation, request.sdp, text(request.streams), text(request.capabilities),
             request.idempotencyKey});
        return QtFuture::makeReadyFuture(voiphost::Expected<voiphost::FullPlaced>({full, repeats}));
    }
    One answer(const QString &, const QString &call, const voiphost::AnswerRequest &request) override
    {
        return give({QStringLiteral("answer"), call, request.sdp, text(request.streams), text(request.capabilities)});
    }
    One decline(const QString &, const QString &call, voiphost::Decline how) override
    {
        return give({QStringLiteral("decline"), call, QString::number(static_cast<int>(how))});
    }
    One fullCall(const QString &, const QString &call) override { return give({QStringLiteral("call"), call}); }
    Answer<QList<voiphost::FullCall>> fullLiveCalls(const QString &) override
    {
        return QtFuture::makeReadyFuture(voiphost::Expected<QList<voiphost::FullCall>>(QList{full}));
    }
    Answer<QList<voiphost::FullCall>> fullHistory(const QString &user, int, const QString &) override
    {
        return fullLiveCalls(user);
    }
    One negotiate(const QString &, const QString &call, const voiphost::SessionDescription &said) override
    {
        return give({QStringLiteral("negotiate"), call,
                     said.type == voiphost::SdpType::Offer ? QStringLiteral("offer") : QStringLiteral("answer"),
                     said.sdp, text(said.streams)});
    }
    One setMuted(const QString &, const QString &call, std::optional<bool> audio, std::optional<bool> video) override
    {
        return give({QStringLiteral("media"), call, text(audio), text(video)});
    }
    One transfer(const QString &, const QString &call, const voiphost::TransferTarget &target) override
    {
        return give({QStringLiteral("transfer"), call, target.matrixUser, target.callId});
    }
    One acceptTransfer(const QString &, const QString &call, const voiphost::FullPlaceRequest &request) override
    {
        return give({QStringLiteral("accept"), call, request.sdp, text(request.streams), text(request.capabilities)});
    }
    One rejectTransfer(const QString &, const QString &call) override { return give({QStringLiteral("refuse"), call}); }
    One assertIdentity(const QString &, const QString &call, const std::optional<voiphost::Identity> &identity) override
    {
        if (!identity)
            return give({QStringLiteral("identity"), call, QStringLiteral("null")});
        return give({QStringLiteral("identity"), call, identity->id, identity->displayName, identity->avatarUrl});
    }

    bool repeats = false;

private:
    void say(const QStringList &words) { said = words.join(u' ').trimmed(); }
    One give(const QStringList &words)
    {
        say(words);
        if (failure.isEmpty())
            return QtFuture::makeReadyFuture(voiphost::Expected<voiphost::FullCall>(full));
        return QtFuture::makeReadyFuture(voiphost::Expected<voiphost::FullCall>(
            voiphost::Error{voiphost::ErrorKind::Conflict, failure, QStringLiteral("what to do"), {}}));
    }
    static QString text(const QJsonObject &object)
    {
        return QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact));
    }
    static QString text(std::optional<bool> flag)
    {
        return !flag ? QStringLiteral("-") : *flag ? QStringLiteral("on") : QStringLiteral("off");
    }
    static QString text(const voiphost::Capabilities &can)
    {
        return QStringLiteral("%1%2").arg(can.transferee ? 1 : 0).arg(can.dtmf ? 1 : 0);
    }
};
