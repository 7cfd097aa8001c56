// SPDX-License-Identifier: Apache-2.0
// Reads one HTTP/1.1 answer from bytes as they come: status line, headers, a body by length, in chunks or until the
// end. Total: any bytes end in Done, Broken or TooLarge, and memory stays within the limits. Pure; no I/O.
#pragma once

#include "answer.h"

#include <optional>

namespace voip::homeserver
{

class AnswerParser
{
public:
    enum class State {
        More,     // not complete
        Done,     // answer() is complete
        Broken,   // not HTTP
        TooLarge, // the body is, or announces to be, larger than allowed
    };

    explicit AnswerParser(qint64 maxBody) : m_maxBody(maxBody) {}

    State feed(const QByteArray &bytes);
    State end(); // no more bytes will come: completes a body that has no length

    [[nodiscard]] bool begun() const { return m_begun; }
    [[nodiscard]] bool keepAlive() const { return m_state == State::Done && m_keepAlive && m_unread.isEmpty(); }
    [[nodiscard]] const HttpAnswer &answer() const { return m_answer; }

private:
    enum class Part { Head, Fixed, UntilEnd, ChunkSize, Chunk, ChunkEnd, Trailers };

    void step(bool &stuck);
    void readHead(const QByteArray &head);
    void readChunkSize(const QByteArray &line);
    std::optional<QByteArray> takeUntil(const char *mark, qsizetype most);
    void takeBody(qint64 most);

    const qint64 m_maxBody;
    State m_state = State::More;
    Part m_part = Part::Head;
    HttpAnswer m_answer;
    QByteArray m_unread;
    qint64 m_left = 0; // of the body or the chunk
    bool m_begun = false;
    bool m_keepAlive = false;
};

} // namespace voip::homeserver
