// SPDX-License-Identifier: Apache-2.0
// Comparing tokens from outside in a time that says nothing about the right one: digests of equal length are compared
// to the last byte, and a list of users is always walked to its end (R108).
#pragma once

#include <QByteArray>
#include <QHash>
#include <QList>
#include <QString>

#include <optional>

namespace bridgehost
{

class TokenDigest
{
public:
    TokenDigest() = default;
    explicit TokenDigest(const QByteArray &token);
    // False for an unset digest, and for an empty token.
    [[nodiscard]] bool matches(const QByteArray &token) const;
    [[nodiscard]] bool isSet() const { return !m_digest.isEmpty(); }

private:
    friend class UserTokens;
    [[nodiscard]] bool matchesDigest(const QByteArray &digest) const;
    QByteArray m_digest; // SHA-256
};

class UserTokens
{
public:
    void add(const QString &userId, const QByteArray &token) { m_tokens.append({userId, TokenDigest(token)}); }
    [[nodiscard]] std::optional<QString> userOf(const QByteArray &token) const;

private:
    QList<std::pair<QString, TokenDigest>> m_tokens;
};

} // namespace bridgehost
