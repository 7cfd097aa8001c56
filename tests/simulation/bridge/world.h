// SPDX-License-Identifier: Apache-2.0
// One world: a homeserver with its users, a database, the workers on it and the users of their host, one thread, one
// clock. Plays a plan, then lets everything come to rest, and says what did not hold.
#pragma once

#include "peer.h"
#include "phone.h"

namespace bridgesim
{

struct Outcome {
    QString kind; // empty: all held
    QString detail;
    quint64 hash = 0; // of the trace
    qint64 notes = 0;
    qint64 lasted = 0; // virtual ms
    int awaits = 0;
    int calls = 0;
    QStringList parts; // of the plan, by name
    Judge::Totals totals;
};

// There is one loop, the application's dispatcher.
[[nodiscard]] Outcome play(TimeLoop &loop, const Options &options);

} // namespace bridgesim
