// SPDX-License-Identifier: Apache-2.0
// Bytes that are wiped when they are let go: root keys, pickles, session keys, plaintexts on their way. They can be
// moved and not copied by accident, and there is no way to print them.
#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <functional>
#include <span>
#include <vector>

namespace voip::crypto
{

class Secret
{
public:
    Secret() = default;
    explicit Secret(std::size_t size) : m_bytes(size) {}
    explicit Secret(QByteArrayView bytes) : m_bytes(bytes.begin(), bytes.end()) {}
    Secret(const Secret &) = delete;
    Secret &operator=(const Secret &) = delete;
    Secret(Secret &&other) noexcept : m_bytes(std::move(other.m_bytes)) { other.m_bytes.clear(); }
    Secret &operator=(Secret &&other) noexcept;
    ~Secret() { wipe(); }

    [[nodiscard]] Secret clone() const { return Secret(view()); }
    [[nodiscard]] std::size_t size() const { return m_bytes.size(); }
    [[nodiscard]] bool isEmpty() const { return m_bytes.empty(); }
    [[nodiscard]] char *data() { return m_bytes.data(); }
    [[nodiscard]] const char *data() const { return m_bytes.data(); }
    [[nodiscard]] QByteArrayView view() const { return {m_bytes.data(), static_cast<qsizetype>(m_bytes.size())}; }
    void shrink(std::size_t size); // what is cut off is wiped

private:
    void wipe();

    std::vector<char> m_bytes;
};

// Wipes what a QByteArray holds, if nobody else holds it, too.
void wipe(QByteArray &bytes);

// Fills a span with random bytes; false if it cannot. The machine never draws by itself.
using Random = std::function<bool(std::span<char>)>;
[[nodiscard]] bool systemRandom(std::span<char> bytes);

} // namespace voip::crypto
