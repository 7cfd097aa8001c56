// SPDX-License-Identifier: Apache-2.0
// What encryption reads; VOIP_FUZZ_TYPE says which: `seal` and `packing` (rows), `pickle` (what a seal that opened
// held: libolm reads it), `encoding` (base64, canonical JSON, recovery keys), `machine` (a whole device: rows that are
// damaged or none, to-device messages, key lists, claims and events). No input may crash it or make it say more than it
// was given.
#include "crypto/encoding.h"
#include "crypto/machine.h"
#include "crypto/olmbackend.h"
#include "crypto/packing.h"
#include "crypto/secretstorage.h"
#include "crypto/signature.h"
#include "fuzz.h"

using namespace voip::crypto;

namespace
{

QByteArrayView view(const std::uint8_t *bytes, std::size_t size)
{
    return {reinterpret_cast<const char *>(bytes), static_cast<qsizetype>(size)};
}

// The same for the same seed: what is found must be found again.
Random counted(std::uint8_t seed = 1)
{
    auto state = std::make_shared<std::uint32_t>(seed + 1u);
    return [state](std::span<char> bytes) {
        for (char &byte : bytes)
            byte = static_cast<char>((*state = *state * 1664525u + 1013904223u) >> 24);
        return true;
    };
}

const Seal &theSeal()
{
    static const Seal seal = std::move(Seal::with(Secret(QByteArrayView("01234567890123456789012345678901")))).value();
    return seal;
}

void seal(const std::uint8_t *bytes, std::size_t size)
{
    fuzz::must(!theSeal().open(view(bytes, size), "place"), "a seal that anybody can make");
    const Secret plain(view(bytes, size));
    auto closed = std::move(theSeal().close(plain, "place", counted())).value();
    const auto opened = theSeal().open(closed, "place");
    fuzz::must(opened && opened->view() == plain.view(), "what was sealed is not what comes out");
    fuzz::must(!theSeal().open(closed, "plac"), "opened at another place");
    FuzzedDataProvider data(bytes, size);
    const auto at = data.ConsumeIntegralInRange<qsizetype>(0, closed.size() - 1);
    closed[at] = static_cast<char>(closed[at] ^ (1 << data.ConsumeIntegralInRange(0, 7)));
    fuzz::must(!theSeal().open(closed, "place"), "opened although it was changed");
}

void packing(const std::uint8_t *bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    const int steps = data.ConsumeIntegralInRange(0, 12);
    std::string kinds;
    for (int i = 0; i < steps; ++i)
        kinds += data.ConsumeIntegralInRange<char>(0, 3);
    const std::string rest = data.ConsumeRemainingBytesAsString();
    Unpacker unpacker(QByteArrayView(rest.data(), static_cast<qsizetype>(rest.size())), 1);
    qsizetype taken = 0;
    for (const char kind : kinds) {
        if (kind == 0)
            static_cast<void>(unpacker.number());
        else if (kind == 1)
            taken += unpacker.text().toUtf8().size();
        else if (kind == 2)
            taken += static_cast<qsizetype>(unpacker.secret().size());
        else
            fuzz::must(unpacker.count(10) <= 10, "more than there may be");
    }
    fuzz::must(taken <= 3 * static_cast<qsizetype>(rest.size()) + 64, "more than was given");
}

void pickle(const std::uint8_t *bytes, std::size_t size)
{
    if (size < 2)
        return;
    const auto backend = olmBackend();
    const Random random = counted();
    // A pickle of each kind, with some bytes changed; or anything.
    Secret pickle(view(bytes + 2, size - 2));
    const int kind = bytes[0] % 4;
    if (bytes[1] & 1) {
        static const auto account = std::move(olmBackend()->newAccount(counted())).value();
        static const auto group = std::move(olmBackend()->newOutbound(counted())).value();
        pickle = kind == 2 ? std::move(group->pickle()).value() : std::move(account->pickle()).value();
        for (std::size_t i = 2; i + 2 < size && pickle.size() > 0; i += 3)
            pickle.data()[(bytes[i] << 8 | bytes[i + 1]) % pickle.size()] = static_cast<char>(bytes[i + 2]);
    }
    if (kind == 0) {
        if (const auto account = backend->accountFrom(pickle)) {
            const auto keys = account.value()->identityKeys();
            fuzz::must(isKey(keys.curve25519) && isKey(keys.ed25519), "an account without keys");
            static_cast<void>(account.value()->makeOneTimeKeys(2, random));
            static_cast<void>(account.value()->makeFallbackKey(random));
            static_cast<void>(account.value()->oneTimeKeys());
            static_cast<void>(account.value()->sign("message"));
            static_cast<void>(account.value()->pickle());
        }
    } else if (kind == 1) {
        if (const auto session = backend->sessionFrom(pickle)) {
            static_cast<void>(session.value()->id());
            static_cast<void>(session.value()->encrypt("message", random));
            static_cast<void>(session.value()->decrypt({1, QStringLiteral("AwogAAAA")}));
        }
    } else if (kind == 2) {
        if (const auto group = backend->outboundFrom(pickle)) {
            static_cast<void>(group.value()->encrypt("message"));
            static_cast<void>(group.value()->key());
        }
    } else if (const auto group = backend->inboundFrom(pickle)) {
        static_cast<void>(group.value()->decrypt(QStringLiteral("AwgAEhAAAA")));
        static_cast<void>(group.value()->exportAt(group.value()->firstIndex()));
    }
    static_cast<void>(backend->inbound(pickle));
    static_cast<void>(backend->imported(pickle));
}

void encoding(const std::uint8_t *bytes, std::size_t size)
{
    const QByteArrayView text = view(bytes, size);
    if (const auto decoded = fromBase64(text))
        fuzz::must(toBase64(*decoded) == text, "base64 that has two spellings");
    const QJsonObject object = QJsonDocument::fromJson(text.toByteArray()).object();
    if (const auto canonical = canonicalJson(object)) {
        const QJsonObject again = QJsonDocument::fromJson(*canonical).object();
        const auto twice = canonicalJson(again);
        fuzz::must(twice && *twice == *canonical, "canonical JSON that is not");
    }
    static_cast<void>(verifySigned(object, QStringLiteral("@a:t"), QStringLiteral("ed25519:X"), QString(43, u'A')));
    const QString words = QString::fromUtf8(text);
    if (const auto key = recoveryKeyFrom(words))
        fuzz::must(key->size() == 32, "a recovery key of another size");
    const Secret key(32);
    static_cast<void>(checkStorageKey(key, object));
    fuzz::must(!openStored(key, QStringLiteral("m.cross_signing.master"), object), "a secret that anybody can make");
}

QJsonObject signedKeys(FuzzedDataProvider &data)
{
    return {{QStringLiteral("user_id"), fuzz::word(data, {QStringLiteral("@b:t")})},
            {QStringLiteral("device_id"), fuzz::word(data, {QStringLiteral("BOB")})},
            {QStringLiteral("algorithms"), fuzz::any(data)},
            {QStringLiteral("usage"), fuzz::any(data)},
            {QStringLiteral("key"), QString(43, u'A')},
            {QStringLiteral("keys"), data.ConsumeBool()
                                         ? QJsonValue(QJsonObject{{QStringLiteral("curve25519:BOB"), QString(43, u'A')},
                                                                  {QStringLiteral("ed25519:BOB"), fuzz::any(data)}})
                                         : fuzz::any(data)},
            {QStringLiteral("signatures"), fuzz::any(data)}};
}

QJsonObject answerBody(FuzzedDataProvider &data)
{
    const auto byUser = [&](const QJsonValue &value) {
        return QJsonObject{{fuzz::word(data, {QStringLiteral("@b:t")}), value}};
    };
    return {
        {QStringLiteral("device_keys"), data.ConsumeBool()
                                            ? QJsonValue(byUser(QJsonObject{{QStringLiteral("BOB"), signedKeys(data)}}))
                                            : fuzz::any(data)},
        {QStringLiteral("master_keys"), data.ConsumeBool() ? QJsonValue(byUser(signedKeys(data))) : fuzz::any(data)},
        {QStringLiteral("self_signing_keys"),
         data.ConsumeBool() ? QJsonValue(byUser(signedKeys(data))) : fuzz::any(data)},
        {QStringLiteral("failures"), fuzz::any(data)},
        {QStringLiteral("one_time_keys"),
         data.ConsumeBool()
             ? QJsonValue(byUser(QJsonObject{
                   {QStringLiteral("BOB"), QJsonObject{{QStringLiteral("signed_curve25519:A"), signedKeys(data)}}}}))
             : fuzz::any(data)},
        {QStringLiteral("one_time_key_counts"), fuzz::any(data)},
        {QStringLiteral("next_batch"), fuzz::any(data)}};
}

QJsonObject message(FuzzedDataProvider &data)
{
    QJsonObject content{
        {QStringLiteral("algorithm"),
         fuzz::word(data, {QStringLiteral("m.olm.v1.curve25519-aes-sha2"), QStringLiteral("m.megolm.v1.aes-sha2")})},
        {QStringLiteral("sender_key"), data.ConsumeBool() ? QJsonValue(QString(43, u'A')) : fuzz::any(data)},
        {QStringLiteral("session_id"), data.ConsumeBool() ? QJsonValue(QString(43, u'A')) : fuzz::any(data)},
        {QStringLiteral("room_id"), QStringLiteral("!r:t")},
        {QStringLiteral("code"), fuzz::word(data, {QStringLiteral("m.unverified")})},
        {QStringLiteral("ciphertext"), fuzz::any(data)}};
    if (data.ConsumeBool())
        content.insert(QStringLiteral("ciphertext"), fuzz::word(data, {QStringLiteral("AwgAEhAAAA")}));
    return {
        {QStringLiteral("type"), fuzz::word(data, {QStringLiteral("m.room.encrypted"),
                                                   QStringLiteral("m.room_key.withheld"), QStringLiteral("m.room_key"),
                                                   QStringLiteral("m.forwarded_room_key"), QStringLiteral("m.dummy")})},
        {QStringLiteral("sender"), fuzz::word(data, {QStringLiteral("@b:t"), QStringLiteral("@a:t")})},
        {QStringLiteral("room_id"), QStringLiteral("!r:t")},
        {QStringLiteral("event_id"), fuzz::word(data, {QStringLiteral("$1")})},
        {QStringLiteral("content"), data.ConsumeIntegralInRange(0, 7) > 0 ? QJsonValue(content) : fuzz::any(data)}};
}

void machine(const std::uint8_t *bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    const auto backend = olmBackend();
    QVector<SealedRecord> rows;
    for (int n = data.ConsumeIntegralInRange(0, 2); n > 0; --n) {
        const RecordKey where{data.PickValueInArray({Kind::Device, Kind::User, Kind::Olm, Kind::Inbound, Kind::Withheld,
                                                     Kind::Outbound, Kind::ToDevice}),
                              fuzz::text(data, 20)};
        const std::string sealed = data.ConsumeRandomLengthString(60);
        rows.push_back({where, QByteArray(sealed.data(), static_cast<qsizetype>(sealed.size()))});
    }
    MachineSettings settings;
    settings.user = QStringLiteral("@a:t");
    settings.policy = data.PickValueInArray({Policy::All, Policy::CrossSigned});
    qint64 now = 1'000'000;
    auto opened = Machine::open(settings, *backend, theSeal(), counted(), rows, now);
    if (!opened)
        return;
    Machine &it = *opened.value();
    it.begin(now);
    const RoomView room{QStringLiteral("!r:t"), {QStringLiteral("@b:t")}};
    QVector<Asked> asked;
    for (int i = 0; i < 40 && data.remaining_bytes() > 0; ++i) {
        switch (data.ConsumeIntegralInRange(0, 9)) {
        case 0:
            it.prepare(room, now);
            break;
        case 1:
            it.toDevice(message(data), now);
            break;
        case 2:
            fuzz::must(it.open(message(data), now).how != Opened::How::Opened, "an event that anybody can write");
            break;
        case 3:
            it.devicesChanged({fuzz::word(data, {QStringLiteral("@b:t")})}, {fuzz::text(data)});
            break;
        case 4:
            it.counts(data.ConsumeIntegral<int>(), data.ConsumeBool(), now);
            break;
        case 5:
            it.gap(now);
            break;
        case 6:
            it.echo(message(data), now);
            break;
        default:
            if (asked.isEmpty()) {
                if (it.changes())
                    it.committed();
                asked = it.takeRequests(now);
                static_cast<void>(it.takeNotes());
            } else {
                using Kind = voip::crypto::Answer::Kind;
                const voip::crypto::Answer answer{
                    asked.takeFirst().id,
                    data.PickValueInArray(
                        {Kind::Ok, Kind::Ok, Kind::Failed, Kind::Refused, Kind::UnknownDevice, Kind::KeysExist}),
                    answerBody(data), data.ConsumeIntegral<int>()};
                it.answered(answer, now);
            }
        }
        if (it.ready(room, now))
            static_cast<void>(it.encrypt(room, QStringLiteral("m.call.invite"), {}));
        now += data.ConsumeIntegralInRange(0, 5000);
        it.tick(now);
    }
    static_cast<void>(it.changes());
    it.revert();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
    static const QString type = qEnvironmentVariable("VOIP_FUZZ_TYPE");
    if (type == QLatin1String("seal"))
        seal(bytes, size);
    else if (type == QLatin1String("packing"))
        packing(bytes, size);
    else if (type == QLatin1String("pickle"))
        pickle(bytes, size);
    else if (type == QLatin1String("encoding"))
        encoding(bytes, size);
    else if (type == QLatin1String("machine"))
        machine(bytes, size);
    else
        std::abort();
    return 0;
}
