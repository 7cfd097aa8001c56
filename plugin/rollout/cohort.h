// SPDX-License-Identifier: Apache-2.0
// Who is in: by percentage of the bridged users, with a stable hash, so that a user who is in stays in as the
// percentage grows, on every machine and after every restart. Pure.
#pragma once

#include <QString>
#include <QStringList>

namespace voip::rollout
{

struct Cohort {
    bool enabled = true;
    int percent = 100;      // 0..100
    QStringList allowUsers; // in whatever the percentage, while enabled

    [[nodiscard]] bool has(const QString &userId) const;
    bool operator==(const Cohort &) const = default;
};

// 0..9999, evenly spread.
[[nodiscard]] int bucketOf(const QString &userId);

} // namespace voip::rollout
