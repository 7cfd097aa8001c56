// SPDX-License-Identifier: Apache-2.0
// The core's words in the host's: refusals as errors, notices, and the figures that follow from a step. No state.
#pragma once

#include "call/effect.h"
#include "observe/metrics.h"
#include "store/rows.h"

#include <voiphost/types.h>

namespace voip::effects
{

[[nodiscard]] voiphost::Error errorOf(const call::Refused &refused);
[[nodiscard]] voiphost::Error unavailable(const QString &code, const QString &message);
[[nodiscard]] voiphost::Error stopping();
[[nodiscard]] voiphost::Error moving();       // to another worker
[[nodiscard]] voiphost::Error databaseAway(); // without what the database said: that is for the log
[[nodiscard]] voiphost::NoticeKind kindOf(const call::NoteContent &content);
[[nodiscard]] voiphost::CallNotice toHost(const store::Notice &notice, const QString &userId);

void countNotices(const QVector<call::Notify> &notices, observe::Metrics &metrics);
void countProgress(const call::Call &before, const call::Call &after, call::Millis now, observe::Metrics &metrics);

} // namespace voip::effects
