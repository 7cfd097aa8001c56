// SPDX-License-Identifier: Apache-2.0
// What is to happen in a world, drawn from its seed before anything does: who calls whom and when, and what goes wrong.
// Each part has a name by which it can be left out, so that a world that fails can be made smaller.
#pragma once

#include "chance.h"

#include <QSet>
#include <QString>
#include <QStringList>
#include <QVector>

#include <optional>

namespace bridgesim
{

struct Story { // a call that somebody wants to make
    int number = 0;
    qint64 at = 0;
    bool ours = false; // the host's user calls
    int user = 0;
    int peer = 0;
    quint64 seed = 0; // what each side makes of it
};

enum class Fault {
    HomeserverAway,     // refuses connections, pushes nothing
    HomeserverSlow,     // seconds for each request, or ten minutes
    HomeserverBroken,   // 5xx, pages of a proxy, answers that are cut or of wrong types
    HomeserverLimits,   // 429
    HomeserverRefuses,  // 403 for what is sent: for good
    RequestsLost,       // nothing comes back, nothing was done
    AnswersLost,        // nothing comes back, and it was done
    RequestsLate,       // nothing comes back, and it is done up to ten minutes later
    PushTrouble,        // transactions: lost, answered for nobody, doubled, given again minutes later
    HomeserverRestarts, // stops short; counts its transactions from the beginning
    DatabaseAway,
    DatabaseStalls, // seconds for each write
    DatabaseFails,  // groups of writes fail as a whole
    DatabaseDoubt,  // nobody knows whether a group was written
    DatabaseTorn,   // one half of a group is written, the connection breaks in the next write, the rest fails
    Crash,          // of a worker at its next requests
    Stop,           // and start, in good order
    ClockJumps,     // the wall clock, forth or back, under a worker that runs or starts
    HostSlow,       // it hands on late what comes from the homeserver and what its users are told; users are slow
    PhonesAway,     // streams break, and go on from the last id
    Partition,      // one worker does not reach the database, the homeserver, or either
    RoomEncrypted,  // for good; bridges without a root key must fall silent there
    ToDeviceLost,   // on their way to the application service: in encrypted worlds only
    Count_,
};
[[nodiscard]] const char *nameOf(Fault fault);

struct Trouble {
    int number = 0;
    Fault fault = Fault::Crash;
    qint64 at = 0;
    qint64 lasts = 0;
    int percent = 0; // of what is hit
    quint64 seed = 0;
};

// Planted defects, to show that the checks find them.
enum class Defect {
    None,
    AnswersBeforeCommit, // the database says "written" and then writes
    SendsTwice,          // what was sent is sent again under another transaction id
    NoDeduplication,     // the homeserver takes a repeat for another event
    LosesInbox,          // accepted entries are gone at a crash
    LosesDeadlines,      // of calls
    LosesNotice,
    AcceptsRepeats, // known events are new again
    SwallowsSends,  // the client says "sent" of what it never sent
    Reorders,       // what comes later is sent first
    BlindTokens,    // a stale worker's commit is taken
    LosesHangups,   // the homeserver has it and tells nobody
    // In encrypted worlds.
    LosesRatchets, // of some commits the rows of room keys are not written
    SealsAnew,     // what is sent again is another ciphertext
    SendsInClear,  // what was sealed is sent as what it was
    DropsKeys,     // the homeserver takes to-device messages and gives them to nobody
    NoRescue,      // a /sync brings no to-device messages
};

struct Options {
    quint64 seed = 1;
    int calls = 40;
    int workers = 1;
    bool faults = true;
    Defect defect = Defect::None;
    std::optional<QSet<QString>> keep = {}; // parts by name; nothing: all
    int crashAt = 0;                        // of the systematic mode: at this request; 0: never
    bool crashAfter = false;                // the request is carried out all the same
    bool print = false;
    std::optional<bool> encrypted = {}; // nothing: as the seed has it, and then a shorter world
};

// The bridges have a root key, the peers' devices encrypt, and many rooms are encrypted.
[[nodiscard]] bool isEncrypted(const Options &options);

struct Plan {
    QVector<Story> stories;
    QVector<Trouble> troubles;
    qint64 length = 0; // until nothing new begins and nothing goes wrong any more
    bool calm = false; // nothing goes wrong at all

    [[nodiscard]] static Plan draw(const Options &options);
    [[nodiscard]] QStringList names() const;
};

[[nodiscard]] QString nameOf(const Story &story);
[[nodiscard]] QString nameOf(const Trouble &trouble);

inline constexpr int userCount = 4;
inline constexpr int peerCount = 3;

} // namespace bridgesim
