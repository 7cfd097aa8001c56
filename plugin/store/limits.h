// SPDX-License-Identifier: Apache-2.0
// The sizes of what a row may hold: refused when written (Conflict), taken for damage when read (Corrupt). They are
// far above what the layers above let through, and only keep a mistake there from becoming a full disk.
#pragma once

#include <QtGlobal>

namespace voip::store
{

inline constexpr qsizetype maxIdLength = 1024;             // characters of an id, a type, a key
inline constexpr qsizetype maxBodyBytes = 4 * 1024 * 1024; // a JSON text or a setting
inline constexpr int maxWaitingJobs = 4096;                // in each thread's queue; beyond: Unavailable at once
inline constexpr int maxGroup = 256;                       // writes in one transaction

inline constexpr qint64 noticeLife = 60LL * 60 * 1000;
inline constexpr qint64 seenLife = 7 * 24 * 60LL * 60 * 1000;
inline constexpr qint64 keyLife = 24 * 60LL * 60 * 1000;

} // namespace voip::store
