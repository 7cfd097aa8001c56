// SPDX-License-Identifier: Apache-2.0
// What must hold of a timeline (header and inputs), all of it: what Watcher sees, that everything ends, that replaying
// it tells the same, and that it does not matter how its batches are cut.
#pragma once

#include "names.h"
#include "watcher.h"

#include <memory>

namespace simulation
{

// A run of the engine, line by line, with what is seen and learnt on the way.
class Run
{
public:
    explicit Run(const QByteArray &header);
    // What the line brought about; the complaint, if there is one, stays.
    QVector<QJsonObject> take(const QByteArray &line);
    void finish(); // the clock runs far ahead, and everything must be over
    [[nodiscard]] const Complaint &complaint() const { return m_complaint; }
    [[nodiscard]] const Names &names() const { return m_names; }
    [[nodiscard]] const timeline::Lines &inputs() const { return m_inputs; } // with the header
    // By line of the inputs: what came out, and the names as they were known before the line.
    [[nodiscard]] const QVector<timeline::Lines> &texts() const { return m_texts; }
    [[nodiscard]] const QVector<QVector<QJsonObject>> &outs() const { return m_outs; }
    [[nodiscard]] const Names &namesBefore(qsizetype line) const { return m_namesBefore[line]; }
    [[nodiscard]] bool recorded() const; // in the form of a running host
    [[nodiscard]] const Watcher &watcher() const { return *m_watcher; }
    [[nodiscard]] std::optional<voip::call::Millis> due() const { return m_engine.line().nextDue(); }

private:
    voip::replay::Engine m_engine;
    std::unique_ptr<Watcher> m_watcher; // its parts know where it is
    Names m_names;
    timeline::Lines m_inputs;
    QVector<timeline::Lines> m_texts;
    QVector<QVector<QJsonObject>> m_outs;
    QVector<Names> m_namesBefore; // copies share what did not change
    Complaint m_complaint;
    double m_last = 0;
};

// Of a run that is finished.
[[nodiscard]] Complaint replaysAlike(const Run &run);
[[nodiscard]] Complaint replaysWithoutSdp(const Run &run);
[[nodiscard]] Complaint cutsAlike(const Run &run);
// Plays the inputs and checks all of it; ids of `known` are translated (a line may be missing that drew some).
[[nodiscard]] Complaint check(const timeline::Lines &inputs, const Names &known);

} // namespace simulation
