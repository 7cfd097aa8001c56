// SPDX-License-Identifier: Apache-2.0
#include "rest/midcall_api.h"

#include "rest/midcall_shapes.h"

namespace bridgehost
{

using namespace voiphost;

namespace
{

using Asked = Expected<QFuture<Expected<FullCall>>>;

// Asks `then` with what was read, or gives the error of reading.
template <typename T, typename Then>
Asked with(const Expected<T> &read, Then then)
{
    if (!read)
        return read.error();
    return then(*read);
}

} // namespace

const QStringList &midCallActions()
{
    static const QStringList names{
        QStringLiteral("negotiate"),       QStringLiteral("media"),           QStringLiteral("transfer"),
        QStringLiteral("transfer-accept"), QStringLiteral("transfer-reject"), QStringLiteral("identity"),
    };
    return names;
}

MidCall *midCallOf(CallService *service)
{
    return qobject_cast<MidCall *>(service);
}

Asked askMidCall(MidCall &midCall, const QString &user, const QString &call, const QString &action,
                 const QJsonObject &body)
{
    if (action == QLatin1String("negotiate"))
        return with(readDescription(body), [&](const auto &said) { return midCall.negotiate(user, call, said); });
    if (action == QLatin1String("media"))
        return with(readMuteChange(body),
                    [&](const auto &mute) { return midCall.setMuted(user, call, mute.audio, mute.video); });
    if (action == QLatin1String("transfer"))
        return with(readTransferTarget(body), [&](const auto &target) { return midCall.transfer(user, call, target); });
    if (action == QLatin1String("transfer-accept"))
        return with(readTransferAccept(body),
                    [&](const auto &request) { return midCall.acceptTransfer(user, call, request); });
    if (action == QLatin1String("transfer-reject"))
        return midCall.rejectTransfer(user, call);
    return with(readIdentity(body), [&](const auto &identity) { return midCall.assertIdentity(user, call, identity); });
}

Reply notSupported(const QString &action)
{
    return errorReply(501, QStringLiteral("NOT_SUPPORTED"), QStringLiteral("The plugin cannot do %1").arg(action));
}

} // namespace bridgehost
