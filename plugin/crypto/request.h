// SPDX-License-Identifier: Apache-2.0
// What the machine asks to be done at the homeserver, as plain data, and what comes back. Each request is handed out
// once, after the state it comes from is committed; until it is answered nothing that must not overtake it is asked.
#pragma once

#include <QHash>
#include <QJsonObject>
#include <QString>
#include <QStringList>

#include <variant>

namespace voip::crypto
{

struct MakeDevice { // PUT /devices/{id}, as the user
    QString id;
    bool operator==(const MakeDevice &) const = default;
};
struct DropDevice { // DELETE /devices/{id}: another took its place
    QString id;
    bool operator==(const DropDevice &) const = default;
};
struct UploadKeys { // POST /keys/upload, as the device
    QJsonObject body;
    bool operator==(const UploadKeys &) const = default;
};
struct UploadIdentity { // POST /keys/device_signing/upload
    QJsonObject body;
    bool operator==(const UploadIdentity &) const = default;
};
struct QueryKeys { // POST /keys/query
    QStringList users;
    quint64 asked = 0;
    bool operator==(const QueryKeys &) const = default;
};
struct ClaimKeys { // POST /keys/claim
    QHash<QString, QStringList> devices;
    bool operator==(const ClaimKeys &) const = default;
};
struct SendToDevice { // PUT /sendToDevice/{type}/{txnId}; the same again after a crash
    QString txnId;
    QString type;
    QJsonObject messages; // user -> device -> content
    bool operator==(const SendToDevice &) const = default;
};
struct CatchUp { // GET /sync as the device: to-device messages, device lists and counts that did not come by themselves
    QString since;
    bool operator==(const CatchUp &) const = default;
};
struct FindBackup { // the account's key backup, and whether the recovery key is its key
    bool operator==(const FindBackup &) const = default;
};
struct BackUpKeys { // PUT /room_keys/keys?version=
    QString version;
    QJsonObject body;
    bool operator==(const BackUpKeys &) const = default;
};

using Request = std::variant<MakeDevice, DropDevice, UploadKeys, UploadIdentity, QueryKeys, ClaimKeys, SendToDevice,
                             CatchUp, FindBackup, BackUpKeys>;

struct Asked {
    quint64 id = 0;
    Request request;
};

struct Answer {
    quint64 id = 0;
    enum class Kind {
        Ok,
        Failed,        // later perhaps
        Refused,       // the same again gets the same answer
        UnknownDevice, // the homeserver does not know our device (any more)
        KeysExist,     // it has other keys under our ids: our state is older than what we did
        WrongVersion,  // of BackUpKeys: the account's backup is another by now, or there is none any more
    };
    Kind kind = Kind::Ok;
    // Ok only. Of a CatchUp: {"next_batch": ...}, what it brought is fed by itself. Of a FindBackup: {"version",
    // "public_key"} of one whose private key we may have; what is refused has none that may be used.
    QJsonObject body;
    int retryAfterMs = 0;
};

} // namespace voip::crypto
