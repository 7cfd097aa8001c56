// SPDX-License-Identifier: Apache-2.0
// Constant-time token comparison.
#include "http/tokens.h"

#include <QCryptographicHash>

namespace bridgehost
{

TokenDigest::TokenDigest(const QByteArray &token)
{
    if (!token.isEmpty())
        m_digest = QCryptographicHash::hash(token, QCryptographicHash::Sha256);
}

bool TokenDigest::matchesDigest(const QByteArray &digest) const
{
    if (m_digest.size() != digest.size()) // unset: not a secret
        return false;
    unsigned char difference = 0;
    for (qsizetype i = 0; i < digest.size(); ++i)
        difference |= static_cast<unsigned char>(m_digest.at(i) ^ digest.at(i));
    return difference == 0;
}

bool TokenDigest::matches(const QByteArray &token) const
{
    return !token.isEmpty() && matchesDigest(QCryptographicHash::hash(token, QCryptographicHash::Sha256));
}

std::optional<QString> UserTokens::userOf(const QByteArray &token) const
{
    if (token.isEmpty())
        return std::nullopt;
    const QByteArray digest = QCryptographicHash::hash(token, QCryptographicHash::Sha256);
    qsizetype found = -1;
    for (qsizetype i = 0; i < m_tokens.size(); ++i) {
        if (m_tokens.at(i).second.matchesDigest(digest))
            found = i;
    }
    if (found < 0)
        return std::nullopt;
    return m_tokens.at(found).first;
}

} // namespace bridgehost
