// SPDX-License-Identifier: Apache-2.0
// What the machine refused or noticed, for counters and logs: a stable word and whom it is about. Never a key.
#pragma once

#include <QString>
#include <QVector>

namespace voip::crypto
{

struct Note {
    QString word; // "forwarded_key_refused"
    QString user;
    bool operator==(const Note &) const = default;
};

using Notes = QVector<Note>;

} // namespace voip::crypto
