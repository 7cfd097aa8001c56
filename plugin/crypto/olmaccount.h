// SPDX-License-Identifier: Apache-2.0
// Accounts and one-to-one sessions over libolm. Private to the backend.
#pragma once

#include "crypto/backend.h"
#include "crypto/olmhandle.h"

namespace voip::crypto::olm
{

class SessionOfOlm final : public Session
{
public:
    SessionOfOlm() = default;
    explicit SessionOfOlm(Handle<::OlmSession> handle) : m_handle(std::move(handle)) {}
    [[nodiscard]] const Handle<::OlmSession> &handle() const { return m_handle; }

    [[nodiscard]] QString id() const override;
    [[nodiscard]] bool isFor(const OlmMessage &message, const QString &senderKey) override;
    [[nodiscard]] Outcome<OlmMessage> encrypt(QByteArrayView plaintext, const Random &random) override;
    [[nodiscard]] Outcome<Secret> decrypt(const OlmMessage &message) override;
    [[nodiscard]] Outcome<Secret> pickle() override { return m_handle.pickle(); }

private:
    Handle<::OlmSession> m_handle;
};

class AccountOfOlm final : public Account
{
public:
    AccountOfOlm() = default;
    explicit AccountOfOlm(Handle<::OlmAccount> handle) : m_handle(std::move(handle)) {}
    [[nodiscard]] Outcome<Done> create(const Random &random);
    [[nodiscard]] Outcome<Done> learnIdentity(); // before anything else

    [[nodiscard]] IdentityKeys identityKeys() const override { return m_identity; }
    [[nodiscard]] QString sign(QByteArrayView message) override;
    [[nodiscard]] int maxOneTimeKeys() const override;
    [[nodiscard]] Outcome<Done> makeOneTimeKeys(int count, const Random &random) override;
    [[nodiscard]] Outcome<Done> makeFallbackKey(const Random &random) override;
    [[nodiscard]] QHash<QString, QString> oneTimeKeys() override;
    [[nodiscard]] QHash<QString, QString> fallbackKey() override;
    void markPublished() override;
    void forgetOldFallbackKey() override;
    [[nodiscard]] Outcome<std::unique_ptr<Session>> outbound(const QString &theirKey, const QString &theirOneTimeKey,
                                                             const Random &random) override;
    [[nodiscard]] Outcome<std::unique_ptr<Session>> inbound(const OlmMessage &message,
                                                            const QString &senderKey) override;
    void spend(Session &session) override;
    [[nodiscard]] Outcome<Secret> pickle() override { return m_handle.pickle(); }

private:
    Handle<::OlmAccount> m_handle;
    IdentityKeys m_identity;
};

} // namespace voip::crypto::olm
