// SPDX-License-Identifier: Apache-2.0
// See http.h. Where a header can be read in two ways, the answer is Broken or the connection is not used again.
#include "http.h"

#include <algorithm>

namespace voip::homeserver
{

namespace
{

constexpr qsizetype kMaxHead = 64 * 1024;
constexpr qsizetype kMaxLine = 4 * 1024;

std::optional<qint64> digits(const QByteArray &text, int base)
{
    const bool plain = !text.isEmpty() && text.size() <= 15 && std::all_of(text.cbegin(), text.cend(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
    bool ok = false;
    const qint64 number = text.toLongLong(&ok, base);
    return plain && ok ? std::optional(number) : std::nullopt;
}

} // namespace

AnswerParser::State AnswerParser::feed(const QByteArray &bytes)
{
    m_begun = m_begun || !bytes.isEmpty();
    m_unread += bytes;
    bool stuck = false;
    while (m_state == State::More && !stuck) {
        step(stuck);
    }
    return m_state;
}

AnswerParser::State AnswerParser::end()
{
    if (m_state == State::More) {
        m_state = m_part == Part::UntilEnd ? State::Done : State::Broken;
        m_keepAlive = false;
    }
    return m_state;
}

std::optional<QByteArray> AnswerParser::takeUntil(const char *mark, qsizetype most)
{
    const qsizetype length = m_unread.indexOf(mark);
    if (length > most || (length < 0 && m_unread.size() > most)) {
        m_state = State::Broken;
        return std::nullopt;
    }
    if (length < 0) {
        return std::nullopt;
    }
    const QByteArray taken = m_unread.left(length);
    m_unread.remove(0, length + qsizetype(qstrlen(mark)));
    return taken;
}

void AnswerParser::takeBody(qint64 most)
{
    const QByteArray taken = m_unread.left(most);
    if (m_answer.body.size() + taken.size() > m_maxBody) {
        m_state = State::TooLarge;
        return;
    }
    m_answer.body += taken;
    m_unread.remove(0, taken.size());
}

void AnswerParser::step(bool &stuck)
{
    switch (m_part) {
    case Part::Head:
        if (!QByteArray("HTTP/1.").startsWith(m_unread.left(7))) {
            m_state = State::Broken; // at once: another protocol may never send an empty line
        } else if (const auto head = takeUntil("\r\n\r\n", kMaxHead)) {
            readHead(*head);
        } else {
            stuck = true;
        }
        return;
    case Part::Fixed:
    case Part::Chunk: {
        const qint64 before = m_answer.body.size();
        takeBody(m_left);
        m_left -= m_answer.body.size() - before;
        if (m_left > 0) {
            stuck = true;
        } else if (m_part == Part::Chunk) {
            m_part = Part::ChunkEnd;
        } else if (m_state == State::More) {
            m_state = State::Done;
        }
        return;
    }
    case Part::UntilEnd:
        takeBody(m_unread.size());
        stuck = true;
        return;
    case Part::ChunkSize:
        if (const auto line = takeUntil("\r\n", kMaxLine)) {
            readChunkSize(*line);
        } else {
            stuck = true;
        }
        return;
    case Part::ChunkEnd:
        if (m_unread.size() < 2) {
            stuck = true;
        } else if (!m_unread.startsWith("\r\n")) {
            m_state = State::Broken;
        } else {
            m_unread.remove(0, 2);
            m_part = Part::ChunkSize;
        }
        return;
    case Part::Trailers:
        if (const auto line = takeUntil("\r\n", kMaxLine)) {
            if (line->isEmpty()) {
                m_state = State::Done;
            }
        } else {
            stuck = true;
        }
        return;
    }
}

void AnswerParser::readHead(const QByteArray &head)
{
    const QList<QByteArray> lines = head.split('\n');
    const QByteArray status = lines.first().mid(9, 3);
    const auto code = digits(status, 10);
    if (lines.first().mid(8, 1) != " " || status.size() != 3 || !code || *code < 100) {
        m_state = State::Broken;
        return;
    }
    if (*code == 100 || *code == 103) {
        return; // a word in between; the answer is still to come
    }
    m_answer = {static_cast<int>(*code), {}, {}};
    m_keepAlive = lines.first().startsWith("HTTP/1.1");
    std::optional<qint64> length;
    bool chunked = false;
    for (const QByteArray &raw : lines.mid(1)) {
        const qsizetype colon = raw.indexOf(':');
        if (colon <= 0) {
            m_state = State::Broken;
            return;
        }
        const QByteArray name = raw.left(colon).toLower();
        const QByteArray value = raw.mid(colon + 1).trimmed();
        if (name == "content-length") {
            const auto announced = digits(value, 10);
            if (!announced || (length && length != announced)) {
                m_state = State::Broken;
                return;
            }
            length = announced;
        } else if (name == "transfer-encoding") {
            if (chunked || value.toLower() != "chunked") {
                m_state = State::Broken;
                return;
            }
            chunked = true;
        } else if (name == "connection" && value.toLower().contains("close")) {
            m_keepAlive = false;
        } else if (name == "retry-after") {
            m_answer.retryAfter = value;
        }
    }
    if (chunked) {
        m_part = Part::ChunkSize;
        m_keepAlive = m_keepAlive && !length;
    } else if (*code == 204 || *code == 304 || length == 0) {
        m_state = State::Done;
    } else if (length) {
        m_part = Part::Fixed;
        m_left = *length;
        m_state = *length > m_maxBody ? State::TooLarge : State::More;
    } else {
        m_part = Part::UntilEnd;
    }
}

void AnswerParser::readChunkSize(const QByteArray &line)
{
    const auto size = digits(line.mid(0, line.indexOf(';')).trimmed(), 16);
    if (!size) {
        m_state = State::Broken;
    } else if (*size == 0) {
        m_part = Part::Trailers;
    } else if (*size > m_maxBody) {
        m_state = State::TooLarge;
    } else {
        m_part = Part::Chunk;
        m_left = *size;
    }
}

} // namespace voip::homeserver
