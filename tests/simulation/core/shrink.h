// SPDX-License-Identifier: Apache-2.0
// Makes a timeline that fails smaller: leaves out lines and events of batches as long as the same kind of complaint
// comes. What remains is written as a scenario, with what comes out of it.
#pragma once

#include "checks.h"

namespace simulation
{

struct Shrunk {
    timeline::Lines inputs; // with the header
    Complaint complaint;
    int tries = 0;
};

[[nodiscard]] Shrunk shrink(timeline::Lines inputs, const Complaint &complaint, int atMost = 4000);
// As a file of the scenarios; the note says what is wrong.
[[nodiscard]] bool writeScenario(const QString &path, const Shrunk &shrunk, const QString &origin);

} // namespace simulation
