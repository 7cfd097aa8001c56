// SPDX-License-Identifier: Apache-2.0
// The 64 signs of the specification's list for short authentication strings, by their numbers: what is shown, and what
// it is called in English. Data only.
#pragma once

#include <QString>

namespace voip::crypto
{

struct SasEmoji {
    QString symbol;
    QString name;
};

[[nodiscard]] SasEmoji sasEmoji(quint8 index); // 0..63

} // namespace voip::crypto
