// SPDX-License-Identifier: Apache-2.0
// A device that follows no rule: signs, seals and encrypts whatever a test wants, with real keys and the real library.
// Ground has two machines of ours that talk, and such a device beside them.
#pragma once

#include "crypto/place.h"
#include "crypto/signature.h"
#include "keyserver.h"

#include <map>

namespace voip::crypto::test
{

inline const QString room = QStringLiteral("!r:test");
inline const QString olmAlgorithm = QStringLiteral("m.olm.v1.curve25519-aes-sha2");
inline const QString megolmAlgorithm = QStringLiteral("m.megolm.v1.aes-sha2");

inline QJsonObject edited(QJsonObject object, const QString &field, const QJsonValue &value)
{
    object.insert(field, value);
    return object;
}

inline QJsonObject withKey(const SigningKey &key, const QString &user, const QJsonObject &object)
{
    return withSignature(object, user, key.keyId(), key.sign(*signedPartOf(object)));
}

class Attacker
{
public:
    const QString user;
    const QString device;
    std::unique_ptr<Backend> backend = olmBackend();
    std::unique_ptr<Account> account;
    std::unique_ptr<OutboundGroup> group;
    SigningKey master;
    SigningKey selfSigning;

    explicit Attacker(const QString &who, const QString &id = QStringLiteral("EVIL")) : user(who), device(id)
    {
        account = std::move(backend->newAccount(systemRandom)).value();
        group = std::move(backend->newOutbound(systemRandom)).value();
        master = std::move(SigningKey::make(systemRandom)).value();
        selfSigning = std::move(SigningKey::make(systemRandom)).value();
        (void)account->makeOneTimeKeys(5, systemRandom);
        (void)account->makeFallbackKey(systemRandom);
    }

    [[nodiscard]] IdentityKeys keys() const { return account->identityKeys(); }
    [[nodiscard]] QJsonObject signedByDevice(const QJsonObject &object) const
    {
        return withSignature(object, user, "ed25519:" + device, account->sign(*signedPartOf(object)));
    }
    [[nodiscard]] QJsonObject bareDeviceKeys() const
    {
        return {
            {"user_id", user},
            {"device_id", device},
            {"algorithms", QJsonArray{olmAlgorithm, megolmAlgorithm}},
            {"keys", QJsonObject{{"curve25519:" + device, keys().curve25519}, {"ed25519:" + device, keys().ed25519}}}};
    }
    [[nodiscard]] QJsonObject deviceKeys(bool crossSigned = true) const
    {
        const QJsonObject own = signedByDevice(bareDeviceKeys());
        return crossSigned ? withKey(selfSigning, user, own) : own;
    }
    [[nodiscard]] QJsonObject masterKey() const
    {
        return {{"user_id", user},
                {"usage", QJsonArray{"master"}},
                {"keys", QJsonObject{{master.keyId(), master.publicKey()}}}};
    }
    [[nodiscard]] QJsonObject selfSigningKey() const
    {
        return withKey(master, user,
                       {{"user_id", user},
                        {"usage", QJsonArray{"self_signing"}},
                        {"keys", QJsonObject{{selfSigning.keyId(), selfSigning.publicKey()}}}});
    }
    [[nodiscard]] QJsonObject oneTimeKey(const QString &key, bool fallback = false) const
    {
        QJsonObject object{{"key", key}};
        if (fallback)
            object.insert("fallback", true);
        return signedByDevice(object);
    }

    void publish(KeyServer &server, const QJsonObject &ownKeys)
    {
        const auto all = [this](const QHash<QString, QString> &some, bool fallback) {
            QJsonObject object;
            for (auto it = some.begin(); it != some.end(); ++it)
                object.insert("signed_curve25519:" + it.key(), oneTimeKey(it.value(), fallback));
            return object;
        };
        (void)server.perform(user, device, {0, MakeDevice{device}});
        (void)server.perform(user, device,
                             {0, UploadKeys{{{"device_keys", ownKeys},
                                             {"one_time_keys", all(account->oneTimeKeys(), false)},
                                             {"fallback_keys", all(account->fallbackKey(), true)}}}});
        account->markPublished();
    }
    void publishIdentity(KeyServer &server)
    {
        (void)server.perform(
            user, device, {0, UploadIdentity{{{"master_key", masterKey()}, {"self_signing_key", selfSigningKey()}}}});
    }

    // --- Olm
    // What an honest device would say; a test changes what it wants to.
    [[nodiscard]] QJsonObject payload(const Party &to, const QString &type, const QJsonObject &content) const
    {
        return {{"type", type},
                {"content", content},
                {"sender", user},
                {"recipient", to.user},
                {"recipient_keys", QJsonObject{{"ed25519", to.machine->device().keys().ed25519}}},
                {"keys", QJsonObject{{"ed25519", keys().ed25519}}},
                {"sender_device_keys", deviceKeys()}};
    }
    void beginSession(KeyServer &server, const Party &to)
    {
        const Answer answer = server.perform(user, device, {0, ClaimKeys{{{to.user, {to.machine->device().id()}}}}});
        const QJsonObject key = answer.body.value("one_time_keys")
                                    .toObject()
                                    .value(to.user)
                                    .toObject()
                                    .value(to.machine->device().id())
                                    .toObject();
        const QString curve = key.begin().value().toObject().value("key").toString();
        sessions[to.user] =
            std::move(account->outbound(to.machine->device().keys().curve25519, curve, systemRandom)).value();
    }
    [[nodiscard]] QJsonObject olm(KeyServer &server, const Party &to, const QJsonObject &payload)
    {
        if (!sessions.contains(to.user))
            beginSession(server, to);
        const auto message =
            sessions[to.user]->encrypt(QJsonDocument(payload).toJson(QJsonDocument::Compact), systemRandom).value();
        return olmEvent(to, message);
    }
    [[nodiscard]] QJsonObject olmEvent(const Party &to, const OlmMessage &message) const
    {
        const QJsonObject sealed{{"type", message.type}, {"body", message.body}};
        return {
            {"type", "m.room.encrypted"},
            {"sender", user},
            {"content", QJsonObject{{"algorithm", olmAlgorithm},
                                    {"sender_key", keys().curve25519},
                                    {"ciphertext", QJsonObject{{to.machine->device().keys().curve25519, sealed}}}}}};
    }

    // --- Megolm
    [[nodiscard]] static QJsonObject roomKeyOf(OutboundGroup &of, const QString &inRoom = room)
    {
        return {{"algorithm", megolmAlgorithm},
                {"room_id", inRoom},
                {"session_id", of.id()},
                {"session_key", QString::fromLatin1(of.key().view())}};
    }
    [[nodiscard]] QJsonObject roomKey(const QString &inRoom = room) const { return roomKeyOf(*group, inRoom); }
    void giveKey(KeyServer &server, Party &to, const QJsonObject &content)
    {
        to.machine->toDevice(olm(server, to, payload(to, "m.room_key", content)), to.now);
        to.commit();
    }
    // An event of `group`, whose plaintext says that it belongs to `plainRoom`.
    [[nodiscard]] QJsonObject event(const QString &id, const QString &plainRoom = room,
                                    const QString &type = QStringLiteral("m.call.invite"),
                                    const QJsonObject &content = {{"n", 1}})
    {
        const QJsonObject plain{{"type", type}, {"content", content}, {"room_id", plainRoom}};
        return sealedEvent(id, group->encrypt(QJsonDocument(plain).toJson(QJsonDocument::Compact)).value());
    }
    [[nodiscard]] QJsonObject sealedEvent(const QString &id, const QString &ciphertext) const
    {
        return {{"type", "m.room.encrypted"},
                {"sender", user},
                {"room_id", room},
                {"event_id", id},
                {"content", QJsonObject{{"algorithm", megolmAlgorithm},
                                        {"ciphertext", ciphertext},
                                        {"session_id", group->id()},
                                        {"device_id", device},
                                        {"sender_key", keys().curve25519}}}};
    }

    std::map<QString, std::unique_ptr<Session>> sessions; // by user
};

struct Ground {
    KeyServer server;
    Party alice{QStringLiteral("@nova_alice:test")};
    Party bob{QStringLiteral("@bob:test")};
    Attacker mallory{QStringLiteral("@mallory:test")};
    int sent = 0;

    Ground()
    {
        alice.machine->begin(alice.now);
        bob.machine->begin(bob.now);
        settle();
    }
    void settle() { test::settle(server, {&alice, &bob}); }
    // Mallory as an honest member would be: signed, and known to Alice.
    void letMalloryIn()
    {
        mallory.publish(server, mallory.deviceKeys());
        mallory.publishIdentity(server);
    }

    // An event from one to the other; why it was not read, or nothing.
    [[nodiscard]] QString say(Party &from, Party &to, const QStringList &members)
    {
        const RoomView view{room, members};
        from.machine->prepare(view, from.now);
        settle();
        if (const QString obstacle = from.machine->obstacle(view, from.now); !obstacle.isEmpty())
            return "obstacle " + obstacle;
        const auto content = from.machine->encrypt(view, "m.call.invite", {{"n", ++sent}});
        if (!content)
            return toString(content.error());
        from.commit();
        const QJsonObject event{{"type", "m.room.encrypted"},
                                {"sender", from.user},
                                {"room_id", room},
                                {"event_id", QString("$legitimate%1").arg(sent)},
                                {"content", *content}};
        Opened opened = to.machine->open(event, to.now);
        if (opened.how == Opened::How::Waits) {
            settle();
            opened = to.machine->open(event, to.now);
        }
        to.commit();
        if (opened.how != Opened::How::Opened)
            return opened.reason;
        return opened.event.value("content").toObject().value("n").toInt() == sent ? QString() : "other content";
    }
    // What must work after whatever was tried: nothing is harmed.
    [[nodiscard]] QString harm()
    {
        const QString there = say(alice, bob, {bob.user});
        return there.isEmpty() ? say(bob, alice, {alice.user}) : there;
    }
    // What Alice makes of an event once she has asked for what she wants to know.
    [[nodiscard]] Opened open(const QJsonObject &event)
    {
        Opened opened = alice.machine->open(event, alice.now);
        alice.commit();
        if (opened.how == Opened::How::Waits) {
            settle();
            opened = alice.machine->open(event, alice.now);
            alice.commit();
        }
        return opened;
    }
    // Alice learns her list as the server has it now.
    void learn(const QString &user)
    {
        alice.machine->prepare({"!learn:test", {user}}, alice.now);
        alice.machine->devicesChanged({user}, {});
        settle();
    }
    [[nodiscard]] const Device *known(const QString &user, const QString &id) const
    {
        const UserDevices *list = alice.machine->devices().find(user);
        const auto found = list ? list->devices.constFind(id) : QMap<QString, Device>::const_iterator();
        return list && found != list->devices.constEnd() ? &*found : nullptr;
    }
    [[nodiscard]] int count(std::size_t kind) const
    {
        return static_cast<int>(std::count_if(server.asked.begin(), server.asked.end(),
                                              [kind](const Request &one) { return one.index() == kind; }));
    }
    // What was sent to a device, by kind of message.
    [[nodiscard]] QStringList sentTo(const QString &user, const QString &device) const
    {
        QStringList list;
        for (const Request &one : server.asked) {
            const auto *send = std::get_if<SendToDevice>(&one);
            if (!send || !send->messages.value(user).toObject().contains(device))
                continue;
            const QJsonObject content = send->messages.value(user).toObject().value(device).toObject();
            list.push_back(send->type + ' ' + content.value("code").toString());
        }
        return list;
    }
    void toAlice(const QJsonObject &message)
    {
        alice.machine->toDevice(message, alice.now);
        alice.commit();
        settle();
    }
};

} // namespace voip::crypto::test
