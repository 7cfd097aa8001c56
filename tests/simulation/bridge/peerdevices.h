// SPDX-License-Identifier: Apache-2.0
// The devices of one peer of an encrypted world: each is an instance of the product's own machine, signed by its owner,
// and is served by the homeserver at once and without faults. What a peer says waits, in order, until the ghost has a
// device that can be encrypted for; what cannot be read is tried again with every key that comes.
#pragma once

#include "crypto/machine.h"
#include "worker.h"

#include <deque>

namespace bridgesim
{

class PeerDevices
{
public:
    PeerDevices(Ground ground, int peer, const QString &user, Chance chance);

    void send(const QString &room, const QString &device, const QString &type, const QJsonObject &content);
    void see(const RoomEvent &event);
    std::function<void(const RoomEvent &event)> onRead; // once, by whichever device is first
    // --- from the homeserver
    void take(const QString &device, const QJsonObject &message);
    void changed(const QString &user);

    [[nodiscard]] QString leftOver() const;
    [[nodiscard]] bool isDeaf(const QString &room) const; // something was said there that none can read
    void finish();                                        // says what was not read

private:
    struct Device {
        QString id;
        std::unique_ptr<voip::crypto::Machine> machine;
        qint64 since = 0; // when it logged in
    };
    struct Saying {
        QString device;
        QString type;
        QJsonObject content;
    };
    struct Unread {
        RoomEvent event;
        std::size_t device = 0;
        QString reason;
    };
    void serve(Device &device);
    [[nodiscard]] voip::crypto::Answer answer(const voip::crypto::Asked &asked);
    void say(const QString &room);
    [[nodiscard]] std::optional<QJsonObject> seal(const QString &room, const Saying &saying);
    [[nodiscard]] bool open(const RoomEvent &event, std::size_t device, QString &reason);
    void lookAgain();
    [[nodiscard]] qint64 now() const;

    Ground m_ground;
    const QString m_user;
    std::vector<Device> m_devices;
    std::map<QString, std::deque<Saying>> m_sayings; // by room
    QSet<QString> m_busy;                            // rooms in which something is being said, or tried again
    QVector<Unread> m_unread;
    QSet<QString> m_read; // event ids
    Chance m_chance;
};

} // namespace bridgesim
