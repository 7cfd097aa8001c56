// SPDX-License-Identifier: Apache-2.0
// One machine of ours as a program: a command a line on stdin, {"do": ..., ...}; its answer a line on stdout. What it
// asks of the homeserver somebody else answers. Each command is committed unless it says "commit": false.
#include "../../unit/crypto/keyserver.h"
#include "crypto/sasemoji.h"

#include <QCoreApplication>

#include <cstdio>
#include <iostream>
#include <string>

using namespace voip::crypto;
using namespace voip::crypto::test;

namespace
{

QStringList textsOf(const QJsonValue &list)
{
    QStringList texts;
    for (const QJsonValue &one : list.toArray())
        texts.push_back(one.toString());
    return texts;
}

RoomView roomOf(const QJsonObject &command)
{
    return {command.value("room").toString(), textsOf(command.value("members"))};
}

QJsonObject written(const Asked &asked)
{
    struct Write {
        QJsonObject operator()(const MakeDevice &make) { return {{"kind", "make"}, {"id", make.id}}; }
        QJsonObject operator()(const DropDevice &drop) { return {{"kind", "drop"}, {"id", drop.id}}; }
        QJsonObject operator()(const UploadKeys &upload) { return {{"kind", "upload"}, {"body", upload.body}}; }
        QJsonObject operator()(const UploadIdentity &upload) { return {{"kind", "identity"}, {"body", upload.body}}; }
        QJsonObject operator()(const QueryKeys &query)
        {
            QJsonObject users;
            for (const QString &user : query.users)
                users.insert(user, QJsonArray());
            return {{"kind", "query"}, {"body", QJsonObject{{"device_keys", users}}}};
        }
        QJsonObject operator()(const ClaimKeys &claim)
        {
            QJsonObject users;
            for (auto it = claim.devices.begin(); it != claim.devices.end(); ++it) {
                QJsonObject devices;
                for (const QString &device : it.value())
                    devices.insert(device, "signed_curve25519");
                users.insert(it.key(), devices);
            }
            return {{"kind", "claim"}, {"body", QJsonObject{{"one_time_keys", users}}}};
        }
        QJsonObject operator()(const SendToDevice &send)
        {
            return {{"kind", "send"}, {"type", send.type}, {"txn", send.txnId}, {"messages", send.messages}};
        }
        QJsonObject operator()(const CatchUp &) { return {{"kind", "catch_up"}}; }
        QJsonObject operator()(const FindBackup &) { return {{"kind", "find_backup"}}; }
        QJsonObject operator()(const BackUpKeys &upload)
        {
            return {{"kind", "back_up"}, {"version", upload.version}, {"body", upload.body}};
        }
    };
    QJsonObject object = std::visit(Write(), asked.request);
    object.insert("request", static_cast<qint64>(asked.id));
    return object;
}

QJsonObject written(const SasView &view)
{
    static const QHash<Sas::State, QString> words{
        {Sas::State::Compared, "compare"}, {Sas::State::Done, "done"}, {Sas::State::Cancelled, "cancelled"}};
    QJsonArray emoji;
    QJsonArray decimals;
    if (view.shown) {
        for (const quint8 index : view.shown->emoji)
            emoji.push_back(sasEmoji(index).symbol + ' ' + sasEmoji(index).name);
        for (const quint16 number : view.shown->decimals)
            decimals.push_back(number);
    }
    return {{"id", view.id},
            {"state", words.value(view.state, "waiting")},
            {"emoji", emoji},
            {"decimals", decimals},
            {"code", view.code}};
}

QJsonObject obey(Party &party, const QJsonObject &command)
{
    const QString what = command.value("do").toString();
    Machine &machine = *party.machine;
    if (what == "begin") {
        machine.begin(party.now);
    } else if (what == "prepare") {
        machine.prepare(roomOf(command), party.now);
    } else if (what == "obstacle") {
        return {{"obstacle", machine.obstacle(roomOf(command), party.now)}};
    } else if (what == "rules") {
        machine.setRules(command.value("room").toString(), {command.value("messages").toInt(), 604'800'000});
    } else if (what == "encrypt") {
        const auto content =
            machine.encrypt(roomOf(command), command.value("type").toString(), command.value("content").toObject());
        return content ? QJsonObject{{"content", *content}} : QJsonObject{{"fault", toString(content.error())}};
    } else if (what == "open") {
        const Opened opened = machine.open(command.value("event").toObject(), party.now);
        static const QHash<Opened::How, QString> words{
            {Opened::How::Opened, "opened"}, {Opened::How::Waits, "waits"}, {Opened::How::Refused, "refused"}};
        return {{"how", words.value(opened.how)}, {"reason", opened.reason}, {"event", opened.event}};
    } else if (what == "to_device") {
        machine.toDevice(command.value("message").toObject(), party.now);
    } else if (what == "changed") {
        machine.devicesChanged(textsOf(command.value("users")), {});
    } else if (what == "counts") {
        machine.counts(command.value("one_time_keys").toInt(), command.value("fallback_unused").toBool(), party.now);
    } else if (what == "requests") {
        party.commit();
        QJsonArray list;
        for (const Asked &asked : machine.takeRequests(party.now))
            list.push_back(written(asked));
        return {{"requests", list}};
    } else if (what == "answered") {
        machine.answered({static_cast<quint64>(command.value("request").toInteger()), Answer::Kind::Ok,
                          command.value("body").toObject(), 0},
                         party.now);
    } else if (what == "restart") {
        party.restart();
    } else if (what == "revert") {
        machine.revert();
    } else if (what == "wait") {
        party.now += command.value("ms").toInt();
        machine.tick(party.now);
    } else if (what == "clock") {
        party.now = command.value("now").toInteger();
        machine.tick(party.now);
    } else if (what == "verifications") {
        QJsonArray list;
        for (const SasView &one : machine.verifications())
            list.push_back(written(one));
        const Device other = machine.devices().find(party.user)->devices.value(command.value("device").toString());
        return {{"verifications", list},
                {"signed", machine.isSignedByOwner()},
                {"trusted", machine.devices().trusts(other)}};
    } else if (what == "judge") {
        machine.judgeVerification(command.value("id").toString(), command.value("same").toBool(), party.now);
    } else if (what == "open_exported") { // what the library reads with a key that the other side exported
        const auto group = party.backend->imported(Secret(command.value("session_key").toString().toUtf8()));
        if (!group)
            return {{"fault", toString(group.error())}};
        const auto plain = group.value()->decrypt(command.value("ciphertext").toString());
        return plain ? QJsonObject{{"plain", QString::fromUtf8(plain->plaintext.view())}}
                     : QJsonObject{{"fault", toString(plain.error())}};
    } else {
        return {{"fault", "unknown command"}};
    }
    return {};
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const bool backsUp = argc == 4 && QByteArray(argv[3]) == "backup";
    if (argc != 2 && argc != 3 && !backsUp) {
        std::fputs("usage: crypto-peer @user:server [DEVICE of an account's session [backup]]\n", stderr);
        return 2;
    }
    // An account's session believes and gives keys to verified identities only, so that it is seen what counts as one.
    Party party(QString::fromLocal8Bit(argv[1]), argc == 3 ? Policy::Verified : Policy::CrossSigned,
                argc > 2 ? QString::fromLocal8Bit(argv[2]) : QString());
    if (backsUp) {
        party.keyBackup = true;
        party.restart();
    }
    for (std::string line; std::getline(std::cin, line);) {
        const QJsonObject command = QJsonDocument::fromJson(QByteArray::fromStdString(line)).object();
        QJsonObject answer = obey(party, command);
        if (command.value("commit").toBool(true) && command.value("do") != QLatin1String("requests"))
            party.commit();
        QJsonArray notes;
        for (const Note &note : std::exchange(party.notes, {}))
            notes.push_back(note.word);
        answer.insert("notes", notes);
        answer.insert("device", party.device());
        answer.insert("complete", party.machine->device().stage() == OwnDevice::Stage::Complete);
        std::cout << QJsonDocument(answer).toJson(QJsonDocument::Compact).toStdString() << std::endl;
    }
    return 0;
}
