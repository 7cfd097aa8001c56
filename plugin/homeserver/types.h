// SPDX-License-Identifier: Apache-2.0
// What every part of homeserver/ speaks in: how to reach the homeserver, and why a request had no result.
// A Failure is made from untrusted answers: its code and message are cut and cleaned before anybody sees them,
// and neither ever holds a token. Values only; nothing here does I/O.
#pragma once

#include <voiphost/types.h>

#include <QByteArray>
#include <QString>
#include <QUrl>

#include <functional>

namespace voip::homeserver
{

using voiphost::Done;

struct Access {
    QUrl url; // may have a path prefix; no user info, query or fragment
    QString serverName;
    QByteArray asToken; // secret; of an account its access token
    QString senderLocalpart;
    QString appserviceId;
    QString account = {}; // the one Matrix id that is served; empty: an application service that acts as its ghosts

    [[nodiscard]] bool isAccount() const { return !account.isEmpty(); }
};

enum class FailureKind {
    Unreachable, // no HTTP answer: refused, unknown host, certificate, broken connection
    Timeout,     // the time limit passed
    RateLimited, // 429
    ServerError, // 5xx, 408
    Rejected,    // any other 4xx: the same request again gets the same answer (an unknown as_token included)
    BadAnswer,   // redirect, not JSON, wrong types, too large: not (only) a homeserver, or a broken one
};

struct Failure {
    FailureKind kind = FailureKind::Unreachable;
    int status = 0;       // HTTP status; 0: there was none
    QString code = {};    // "M_FORBIDDEN"; at most 64 of [A-Z0-9_.]; empty: the server gave none
    QString message = {}; // for people and logs; at most 256 characters
    int retryAfterMs = 0; // RateLimited only: 0..60000
    // The server may have carried the request out although we have no result. Matters to what must not happen twice.
    bool maybeDone = false;
    bool softLogout = false; // M_UNKNOWN_TOKEN only: the device still stands, the token must be renewed

    // The same request may succeed later without anybody changing anything.
    [[nodiscard]] bool transient() const;
    // Transient, or no answer of the homeserver's at all: a proxy's page says nothing of what was asked.
    [[nodiscard]] bool passing() const;
    // The acting user lies in our namespace but was never registered: register it (GhostDirectory) and try again.
    [[nodiscard]] bool ghostMissing() const;
    // The server does not have the device that was to act.
    [[nodiscard]] bool deviceMissing() const;

    bool operator==(const Failure &) const = default;
};

template <typename T>
using Result = voiphost::Expected<T, Failure>;

template <typename T>
using Reply = std::function<void(Result<T>)>;

// Not "toString": Qt Test would take that one for its own.
[[nodiscard]] QString nameOf(FailureKind kind);

} // namespace voip::homeserver
