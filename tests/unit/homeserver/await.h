// SPDX-License-Identifier: Apache-2.0
// Turns a callback into a value for a test: starts the call, runs the event loop until its one answer is there.
#pragma once

#include <QTest>

#include <fakehttp.h>
#include <homeserver/client.h>
#include <optional>

template <typename T>
voip::homeserver::Result<T> await(const std::function<void(voip::homeserver::Reply<T>)> &call)
{
    using voip::homeserver::Result;
    auto answers = std::make_shared<QList<Result<T>>>();
    call([answers](Result<T> result) { answers->append(std::move(result)); });
    if (!answers->isEmpty()) {
        qFatal("the answer came before the call returned");
    }
    if (!QTest::qWaitFor([&] { return !answers->isEmpty(); }, 30'000)) {
        qFatal("no answer came");
    }
    return answers->first();
}

inline voip::homeserver::Access accessTo(const QUrl &url)
{
    return {url, QStringLiteral("test"), "s3cret_as_token", QStringLiteral("novabridge"), QStringLiteral("nova")};
}

inline fakehttp::Answer json(int status, const QByteArray &body)
{
    return {status, body};
}
