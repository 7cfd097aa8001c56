// SPDX-License-Identifier: Apache-2.0
// Turns a callback into a value for a test: starts the call, runs the event loop until its one answer is there.
#pragma once

#include <QEventLoop>
#include <QTest>
#include <QTimer>

#include <fakehttp.h>
#include <homeserver/client.h>
#include <memory>
#include <optional>

template <typename T>
voip::homeserver::Result<T> await(const std::function<void(voip::homeserver::Reply<T>)> &call)
{
    using voip::homeserver::Result;
    struct Waiting {
        std::optional<Result<T>> answer;
        QEventLoop loop;
    };
    auto waiting = std::make_shared<Waiting>();
    call([waiting](Result<T> result) {
        waiting->answer = std::move(result);
        waiting->loop.quit();
    });
    if (waiting->answer) {
        qFatal("the answer came before the call returned");
    }
    QTimer::singleShot(30'000, &waiting->loop, [] { qFatal("no answer came"); });
    waiting->loop.exec();
    return *waiting->answer;
}

inline voip::homeserver::Access accessTo(const QUrl &url)
{
    return {url, QStringLiteral("test"), "s3cret_as_token", QStringLiteral("novabridge"), QStringLiteral("nova")};
}

inline fakehttp::Answer json(int status, const QByteArray &body)
{
    return {status, body};
}
