// SPDX-License-Identifier: Apache-2.0
// What the host's user does, as it stands in a timeline: the fields of the call service's requests. Gives an input of
// the core, or says what the shell around the core would have refused by itself. Private to replay/.
#pragma once

#include "replay/timeline.h"

namespace voip::replay
{

// Fills action, callId and input; what is wrong becomes a fault of `fields`.
void readHost(Fields &fields, const Header &header, Entry &entry);

} // namespace voip::replay
