// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

#include "replay/redact.h"

#include <QJsonArray>
#include <QSet>

#include <algorithm>

namespace simulation
{

using timeline::Lines;
using voip::replay::withoutSdp;

namespace
{

constexpr double farAhead = 10.0 * 24 * 60 * 60 * 1000;

Complaint differs(const char *kind, const Lines &wanted, const Lines &got)
{
    const QByteArray difference = timeline::difference(wanted, got);
    return difference.isEmpty() ? Complaint() : Complaint{QLatin1String(kind), QString::fromUtf8(difference)};
}

QJsonArray eventsOf(const QJsonObject &line)
{
    return line.value(QLatin1String("events")).toArray();
}

// Batches of which R28 says that they may be cut: at most one event of each call, none about rooms or members.
bool mayBeCut(const QJsonArray &events)
{
    QSet<QString> calls;
    for (const QJsonValue &value : events) {
        const QJsonObject event = value.toObject();
        const QJsonValue id = event.value(QLatin1String("content")).toObject().value(QLatin1String("call_id"));
        if (event.contains(QLatin1String("state_key")) || calls.contains(id.toString()))
            return false;
        calls.insert(id.toString());
    }
    return true;
}

} // namespace

Run::Run(const QByteArray &header) : m_watcher(std::make_unique<Watcher>(timeline::object(header)))
{
    take(header);
}

QVector<QJsonObject> Run::take(const QByteArray &line)
{
    QVector<QJsonObject> outs;
    const auto result = m_engine.take(line);
    m_inputs += line;
    m_namesBefore += m_names;
    if (const auto *fault = std::get_if<voip::replay::Fault>(&result)) {
        if (!m_complaint)
            m_complaint = {QStringLiteral("fault"), fault->text() + QStringLiteral(": ") + QString::fromUtf8(line)};
        m_texts += Lines();
        m_outs += outs;
        return outs;
    }
    const QJsonObject input = timeline::object(line);
    m_last = input.value(QLatin1String("t")).toDouble();
    const Lines &texts = std::get<Lines>(result);
    for (const QByteArray &text : texts) {
        outs += timeline::object(text);
        m_names.learn(outs.last());
    }
    m_texts += texts;
    m_outs += outs;
    if (m_inputs.size() > 1 && !m_complaint)
        m_complaint = m_watcher->see(input, outs);
    return outs;
}

bool Run::recorded() const
{
    return m_inputs.size() > 1 && m_inputs[1].contains("\"entropy\"");
}

void Run::finish()
{
    // In the form of a running host, its timers are clock lines of their own.
    for (int i = 0; recorded() && m_engine.line().nextDue() && i < 10'000 && !m_complaint; ++i) {
        m_last = std::max(m_last, static_cast<double>(*m_engine.line().nextDue()));
        take(timeline::text({{QStringLiteral("t"), m_last},
                             {QStringLiteral("in"), QStringLiteral("clock")},
                             {QStringLiteral("entropy"), QString(64, u'7')}}));
    }
    if (!recorded())
        take(timeline::text(
            {{QStringLiteral("t"), m_last + farAhead}, {QStringLiteral("in"), QStringLiteral("clock")}}));
    if (!m_complaint)
        m_complaint = m_watcher->finish();
    if (!m_complaint && (m_engine.line().nextDue() || !m_engine.line().calls.isEmpty()))
        m_complaint = {QStringLiteral("something is left in the end"), QString()};
}

Complaint replaysAlike(const Run &run)
{
    voip::replay::Engine engine;
    for (qsizetype i = 0; i < run.inputs().size(); ++i) {
        const auto result = engine.take(run.inputs()[i]);
        if (const auto *fault = std::get_if<voip::replay::Fault>(&result))
            return {QStringLiteral("does not replay"), fault->text()};
        if (std::get<Lines>(result) != run.texts()[i])
            return differs("replays otherwise", run.texts()[i], std::get<Lines>(result));
        for (const QByteArray &out : run.texts()[i]) {
            const auto passedOver = engine.take(out);
            if (!std::holds_alternative<Lines>(passedOver) || !std::get<Lines>(passedOver).isEmpty())
                return {QStringLiteral("an output line is not passed over"), QString::fromUtf8(out)};
        }
    }
    return {};
}

Complaint replaysWithoutSdp(const Run &run)
{
    if (!run.recorded())
        return {};
    voip::replay::Engine engine;
    for (qsizetype i = 0; i < run.inputs().size(); ++i) {
        const QJsonObject cut = withoutSdp(timeline::object(run.inputs()[i]));
        const auto result = engine.take(timeline::text(cut));
        if (const auto *fault = std::get_if<voip::replay::Fault>(&result))
            return {QStringLiteral("does not replay without SDP"), fault->text()};
        Lines wanted;
        for (const QJsonObject &out : run.outs()[i])
            wanted += timeline::text(withoutSdp(out));
        Lines got;
        for (const QByteArray &out : std::get<Lines>(result))
            got += timeline::text(withoutSdp(timeline::object(out)));
        if (wanted != got)
            return differs("replays otherwise without SDP", wanted, got);
    }
    return {};
}

Complaint cutsAlike(const Run &run)
{
    const Lines &inputs = run.inputs();
    bool some = false;
    for (const QByteArray &line : inputs) {
        if (!line.contains("\"events\""))
            continue;
        if (!mayBeCut(eventsOf(timeline::object(line))))
            return {};
        some = true;
    }
    if (!some)
        return {};
    Run cut(inputs.first());
    for (qsizetype i = 1; i < inputs.size(); ++i) {
        QVector<QJsonObject> got;
        QJsonObject line = timeline::object(translate(inputs[i], run.namesBefore(i), cut.names()));
        const QJsonArray events = eventsOf(line);
        line.remove(QLatin1String("events"));
        for (const QJsonValue &event : events) {
            line.insert(QLatin1String("event"), event);
            got += cut.take(timeline::text(line));
            // The next one is a line of its own, with randomness of its own.
            if (QString entropy = line.value(QLatin1String("entropy")).toString(); !entropy.isEmpty())
                line.insert(QLatin1String("entropy"), entropy.sliced(1) + entropy.at(0));
        }
        if (events.isEmpty())
            got += cut.take(timeline::text(line));
        const Names &known = i + 1 < inputs.size() ? run.namesBefore(i + 1) : run.names();
        const auto wholeGroups = grouped(run.outs()[i], known);
        const auto cutGroups = grouped(got, cut.names());
        if (wholeGroups == cutGroups)
            continue;
        Lines all;
        Lines other;
        for (const Lines &lines : wholeGroups)
            all += lines;
        for (const Lines &lines : cutGroups)
            other += lines;
        return {QStringLiteral("depends on how a batch is cut"),
                QString::fromUtf8(inputs[i] + '\n' + timeline::difference(all, other))};
    }
    return {};
}

Complaint check(const Lines &inputs, const Names &known)
{
    Run run(inputs.first());
    for (qsizetype i = 1; i < inputs.size() && !run.complaint(); ++i)
        run.take(translate(inputs[i], known, run.names()));
    if (!run.complaint())
        run.finish();
    if (run.complaint())
        return run.complaint();
    for (const auto &holds : {replaysAlike, replaysWithoutSdp, cutsAlike}) {
        if (const Complaint wrong = holds(run))
            return wrong;
    }
    return {};
}

} // namespace simulation
