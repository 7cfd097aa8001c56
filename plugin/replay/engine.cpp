// SPDX-License-Identifier: Apache-2.0
#include "replay/engine.h"

#include "protocol/read.h"
#include "replay/output.h"

#include <QJsonDocument>

namespace voip::replay
{

using namespace voip::call;

namespace
{

std::uint64_t splitmix64(std::uint64_t &state)
{
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

Seed expand(std::uint64_t seed, std::uint64_t line, std::uint64_t step)
{
    // Each of the three goes through the mixer, so that neighbouring seeds and lines have nothing in common.
    std::uint64_t state = seed;
    state = splitmix64(state) ^ line;
    state = splitmix64(state) ^ step;
    Seed result{};
    for (std::uint64_t &word : result)
        word = splitmix64(state);
    return result;
}

} // namespace

std::variant<Lines, Fault> Engine::take(const QByteArray &text)
{
    ++m_number;
    m_step = 0;
    m_out.clear();
    const auto fault = [this](const QString &what) { return Fault{m_number, {}, what}; };
    if (text.size() > maxLineLength)
        return fault(QStringLiteral("is longer than %1 bytes").arg(maxLineLength));
    if (m_number > maxLines)
        return fault(QStringLiteral("there are more than %1 lines").arg(maxLines));
    if (text.trimmed().isEmpty())
        return Lines();

    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(text, &error);
    if (error.error != QJsonParseError::NoError)
        return fault(QStringLiteral("is not JSON: %1").arg(error.errorString()));
    if (!document.isObject())
        return fault(QStringLiteral("is not a JSON object"));

    std::optional<Fault> found;
    if (!m_header) {
        found = begin(document.object());
    } else {
        const auto entry = readEntry(document.object(), *m_header);
        if (const auto *bad = std::get_if<Fault>(&entry))
            found = *bad;
        else if (const auto &input = std::get<0>(entry))
            found = advance(*input);
    }
    if (found) {
        found->line = m_number;
        return *found;
    }
    return m_out;
}

std::optional<Fault> Engine::finish() const
{
    if (m_header)
        return std::nullopt;
    return Fault{m_number + 1, {}, QStringLiteral("there is no header line")};
}

std::optional<Fault> Engine::begin(const QJsonObject &object)
{
    auto header = readHeader(object);
    if (const auto *bad = std::get_if<Fault>(&header))
        return *bad;
    m_header = std::get<Header>(std::move(header));
    m_line = m_header->line;
    Entropy names(expand(m_header->seed, 0, 0));
    for (Room &room : m_line.rooms) {
        if (room.conversationId.isEmpty())
            room.conversationId = names.id(20);
    }
    return std::nullopt;
}

std::optional<Fault> Engine::advance(const Entry &entry)
{
    if (entry.t < m_now)
        return Fault{0, QStringLiteral("t"), QStringLiteral("goes back from %1 to %2").arg(m_now).arg(entry.t)};
    ++m_inputs;
    if (entry.entropy) // what a running host recorded: its timers were as punctual as the lines say
        m_now = entry.t;
    else if (const auto stuck = moveTo(entry.t))
        return stuck;
    if (const auto *input = std::get_if<Input>(&entry.input))
        feed(*input, &entry);
    else if (const auto *matrix = std::get_if<MatrixInput>(&entry.input))
        feedMatrix(*matrix, entry);
    else if (const auto *result = std::get_if<SendResult>(&entry.input))
        return feedResult(*result, entry);
    else if (const auto *unfit = std::get_if<Unfit>(&entry.input))
        m_out.push_back(refusalLine(m_now, unfit->why, entry.action, entry.callId));
    return std::nullopt;
}

std::optional<Fault> Engine::moveTo(Millis t)
{
    for (auto due = m_line.nextDue(); due && *due <= t; due = m_line.nextDue()) {
        m_now = std::max(m_now, *due);
        feed(Tick{}, nullptr);
        if (const auto next = m_line.nextDue(); next && *next <= m_now)
            return Fault{0, {}, QStringLiteral("the core leaves undone what was due at %1").arg(*next)};
    }
    m_now = t;
    return std::nullopt;
}

void Engine::feed(const Input &input, const Entry *entry)
{
    Step step = transition(std::move(m_line), input, Now{m_now, entropyOf(entry)});
    m_line = std::move(step.line);
    const QString none;
    for (const Effect &effect : std::as_const(step.effects)) {
        if (const auto *send = std::get_if<Send>(&effect))
            m_sends.insert(send->ref, send->callId);
        QByteArray line = toLine(effect, m_now, entry ? entry->action : none, entry ? entry->callId : none);
        if (!line.isEmpty())
            m_out.push_back(std::move(line));
        if (const auto *drop = std::get_if<Drop>(&effect))
            m_taken.remove(drop->eventId); // it may come again when it can be used
    }
}

void Engine::feedMatrix(const MatrixInput &input, const Entry &entry)
{
    MatrixBatch batch;
    for (const QJsonObject &event : input.events) {
        const auto read = protocol::readEvent(event, input.receivedAt.value_or(entry.t));
        if (!read)
            continue; // not for the core
        const QString id = std::visit([](const auto &what) { return what.eventId; }, *read);
        if (!id.isEmpty() && m_taken.contains(id)) {
            m_out.push_back(toLine(Drop{QStringLiteral("duplicate"), id}, m_now, {}, {}));
            continue;
        }
        m_taken.insert(id);
        batch.events.push_back(*read);
    }
    feed(batch, &entry);
}

std::optional<Fault> Engine::feedResult(const SendResult &result, const Entry &entry)
{
    const QString callId = result.callId.isEmpty() ? m_sends.value(result.ref) : result.callId;
    if (callId.isEmpty())
        return Fault{0, QStringLiteral("ref"), QStringLiteral("names nothing that was sent")};
    if (!result.failed) {
        feed(Sent{result.ref, callId, result.eventId}, &entry);
        return std::nullopt;
    }
    SendFailed failed = *result.failed;
    failed.callId = callId;
    feed(failed, &entry);
    return std::nullopt;
}

Seed Engine::entropyOf(const Entry *entry)
{
    const std::uint64_t step = m_step++;
    if (entry && entry->entropy)
        return *entry->entropy;
    // The line's own input is step 0 whatever fell due before it.
    return expand(m_header->seed, m_inputs, entry ? 0 : step + 1);
}

} // namespace voip::replay
