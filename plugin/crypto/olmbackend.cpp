// SPDX-License-Identifier: Apache-2.0
#include "crypto/olmbackend.h"

#include "crypto/olmaccount.h"
#include "crypto/olmgroup.h"
#include "crypto/olmpk.h"
#include "crypto/olmsas.h"

namespace voip::crypto
{

namespace
{

// Makes an object and lets `fill` make it useful.
template <typename Interface, typename Object, typename Fill>
Outcome<std::unique_ptr<Interface>> made(Fill fill)
{
    auto object = std::make_unique<Object>();
    if (const Outcome<Done> done = fill(*object); !done)
        return done.error();
    return std::unique_ptr<Interface>(std::move(object));
}

template <typename Interface, typename Object, typename Olm>
Outcome<std::unique_ptr<Interface>> restored(const Secret &pickle)
{
    auto handle = olm::Handle<Olm>::from(pickle);
    if (!handle)
        return handle.error();
    return std::unique_ptr<Interface>(std::make_unique<Object>(std::move(handle).value()));
}

class OlmBackend final : public Backend
{
public:
    [[nodiscard]] QString name() const override { return QStringLiteral("libolm"); }
    [[nodiscard]] int pickleFormat() const override { return 1; }

    [[nodiscard]] Outcome<std::unique_ptr<Account>> newAccount(const Random &random) override
    {
        return made<Account, olm::AccountOfOlm>([&random](auto &account) { return account.create(random); });
    }
    [[nodiscard]] Outcome<std::unique_ptr<OutboundGroup>> newOutbound(const Random &random) override
    {
        return made<OutboundGroup, olm::OutboundOfOlm>([&random](auto &group) { return group.create(random); });
    }
    [[nodiscard]] Outcome<std::unique_ptr<SasKeys>> newSas(const Random &random) override
    {
        return made<SasKeys, olm::SasOfOlm>([&random](auto &sas) { return sas.create(random); });
    }
    [[nodiscard]] Outcome<std::unique_ptr<InboundGroup>> inbound(const Secret &key) override
    {
        return made<InboundGroup, olm::InboundOfOlm>([&key](auto &group) { return group.create(key); });
    }
    [[nodiscard]] Outcome<std::unique_ptr<InboundGroup>> imported(const Secret &exported) override
    {
        return made<InboundGroup, olm::InboundOfOlm>([&exported](auto &group) { return group.import(exported); });
    }
    [[nodiscard]] Outcome<QString> publicHalf(const Secret &privateKey) override { return olm::publicHalf(privateKey); }
    [[nodiscard]] Outcome<PkMessage> encryptFor(const QString &publicKey, QByteArrayView plaintext,
                                                const Random &random) override
    {
        return olm::encryptFor(publicKey, plaintext, random);
    }

    [[nodiscard]] Outcome<std::unique_ptr<Account>> accountFrom(const Secret &pickle) override
    {
        auto handle = olm::Handle<::OlmAccount>::from(pickle);
        if (!handle)
            return handle.error();
        auto account = std::make_unique<olm::AccountOfOlm>(std::move(handle).value());
        if (const auto known = account->learnIdentity(); !known)
            return known.error();
        return std::unique_ptr<Account>(std::move(account));
    }
    [[nodiscard]] Outcome<std::unique_ptr<Session>> sessionFrom(const Secret &pickle) override
    {
        return restored<Session, olm::SessionOfOlm, ::OlmSession>(pickle);
    }
    [[nodiscard]] Outcome<std::unique_ptr<OutboundGroup>> outboundFrom(const Secret &pickle) override
    {
        return restored<OutboundGroup, olm::OutboundOfOlm, ::OlmOutboundGroupSession>(pickle);
    }
    [[nodiscard]] Outcome<std::unique_ptr<InboundGroup>> inboundFrom(const Secret &pickle) override
    {
        return restored<InboundGroup, olm::InboundOfOlm, ::OlmInboundGroupSession>(pickle);
    }
};

} // namespace

std::unique_ptr<Backend> olmBackend()
{
    return std::make_unique<OlmBackend>();
}

} // namespace voip::crypto
