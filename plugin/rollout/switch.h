// SPDX-License-Identifier: Apache-2.0
// The administrator's switch: changes are durable first and then in force, one after the other, and remember what was
// before them. What an administrator has set goes before what the configuration says. Knows no store: it is given a
// function that saves. Lives on the core thread.
#pragma once

#include "rollout/gate.h"

#include <deque>
#include <functional>
#include <optional>

namespace voip::rollout
{

class Switch
{
public:
    struct Position {
        bool enabled = false;
        int percent = 0; // 0..100
        bool operator==(const Position &) const = default;
    };
    // Saves the value and says whether it is durable; later, or at once.
    using Save = std::function<void(const QByteArray &value, std::function<void(bool durable)> saved)>;
    using Reply = std::function<void(std::optional<Position>)>; // nothing: it could not be saved, and is not in force

    // The gate stands as configured and outlives the switch.
    Switch(Gate &gate, Save save);

    void restore(const QByteArray &saved); // empty or unreadable: nothing was ever set
    void change(const Position &wanted, Reply reply);
    void rollBack(Reply reply); // to what was in force before the last change

private:
    struct Change {
        std::optional<Position> wanted; // nothing: back
        Reply reply;
    };
    [[nodiscard]] Position now() const;
    void enforce(const Position &position);
    void next();

    Gate &m_gate;
    const Save m_save;
    Position m_previous;
    std::deque<Change> m_changes; // the first is being saved
};

} // namespace voip::rollout
