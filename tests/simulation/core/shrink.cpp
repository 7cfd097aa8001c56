// SPDX-License-Identifier: Apache-2.0
#include "shrink.h"

#include <QJsonArray>

namespace simulation
{

using timeline::Lines;

namespace
{

// The names of the timeline as it stands, to which its lines refer.
Names namesOf(const Lines &inputs)
{
    Run run(inputs.first());
    for (qsizetype i = 1; i < inputs.size(); ++i)
        run.take(inputs[i]);
    return run.names();
}

// As the lines are after those before them changed: each in the names of this run.
Lines renamed(const Lines &inputs, const Names &known)
{
    Run run(inputs.first());
    for (qsizetype i = 1; i < inputs.size() && !run.complaint(); ++i)
        run.take(translate(inputs[i], known, run.names()));
    return run.inputs();
}

class Shrinker
{
public:
    Shrinker(Lines inputs, const Complaint &complaint, int atMost)
        : m_atMost(atMost), m_names(namesOf(inputs)), m_now{std::move(inputs), complaint, 0}
    {
    }

    Shrunk run() &&
    {
        bool smaller = true;
        while (smaller && m_now.tries < m_atMost) {
            smaller = false;
            for (qsizetype piece = std::max<qsizetype>(1, m_now.inputs.size() / 2); piece >= 1; piece /= 2)
                smaller = leaveOutLines(piece) || smaller;
            smaller = leaveOutEvents() || smaller;
        }
        m_now.inputs = renamed(m_now.inputs, m_names);
        return std::move(m_now);
    }

private:
    bool fails(const Lines &inputs)
    {
        ++m_now.tries;
        const Complaint complaint = check(inputs, m_names);
        if (complaint.kind != m_now.complaint.kind)
            return false;
        m_now.complaint = complaint;
        m_now.inputs = inputs;
        return true;
    }

    // From the end: later lines are more often without consequence.
    bool leaveOutLines(qsizetype piece)
    {
        bool smaller = false;
        for (qsizetype at = m_now.inputs.size() - piece; at >= 1 && m_now.tries < m_atMost; at -= piece) {
            Lines fewer = m_now.inputs;
            fewer.remove(at, std::min(piece, fewer.size() - at));
            smaller = fails(fewer) || smaller;
        }
        return smaller;
    }

    bool leaveOutEvents()
    {
        bool smaller = false;
        for (qsizetype at = m_now.inputs.size() - 1; at >= 1; --at) {
            const auto count = timeline::object(m_now.inputs[at]).value(QLatin1String("events")).toArray().size();
            for (auto event = count - 1; event >= 0 && m_now.tries < m_atMost; --event) {
                QJsonObject line = timeline::object(m_now.inputs[at]);
                QJsonArray events = line.value(QLatin1String("events")).toArray();
                if (events.size() < 2)
                    break;
                events.removeAt(event);
                line.insert(QLatin1String("events"), events);
                Lines fewer = m_now.inputs;
                fewer[at] = timeline::text(line);
                smaller = fails(fewer) || smaller;
            }
        }
        return smaller;
    }

    int m_atMost;
    Names m_names;
    Shrunk m_now;
};

} // namespace

Shrunk shrink(Lines inputs, const Complaint &complaint, int atMost)
{
    return Shrinker(std::move(inputs), complaint, atMost).run();
}

bool writeScenario(const QString &path, const Shrunk &shrunk, const QString &origin)
{
    Lines inputs = shrunk.inputs;
    QJsonObject header = timeline::object(inputs.first());
    header.insert(QLatin1String("note"),
                  QStringLiteral("Found by %1: %2; say here what should be.").arg(origin, shrunk.complaint.kind));
    inputs.first() = timeline::text(header);
    const timeline::Played played = timeline::play(inputs);
    return timeline::write(path, played.fault.isEmpty() ? played.lines : inputs);
}

} // namespace simulation
