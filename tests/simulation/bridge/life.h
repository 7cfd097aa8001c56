// SPDX-License-Identifier: Apache-2.0
// One life of a worker's process: begins with a start and ends with a stop or a crash. Each request to database or
// homeserver is a point at which it may crash: before anybody saw the request, or with nobody left to hear the answer.
// Once dead, nothing of it gets out any more, although its code still runs to the end of its step.
#pragma once

#include <QtGlobal>

#include <functional>

namespace bridgesim
{

enum class Fate {
    Goes,
    Unseen,  // the process dies, and the request with it
    Unheard, // the request is carried out, the process is dead
};

struct Life {
    int worker = 0;
    int number = 0;
    bool dead = false;
    qint64 wallAhead = 0;    // of the clock that it began with
    bool noDatabase = false; // a partition: it does not reach it
    bool noHomeserver = false;
    std::function<Fate(const char *request)> await;
};

} // namespace bridgesim
