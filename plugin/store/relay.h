// SPDX-License-Identifier: Apache-2.0
// Carries one answer from a thread of the store to the thread of whoever asked. A signal with a queued connection:
// Qt drops it safely if the receiver is destroyed at the same moment, which posting to a guarded pointer would not.
// The reply itself is called and destroyed on the receiver's thread, unless it is dropped.
#pragma once

#include "store/rows.h"

#include <QObject>

#include <memory>
#include <optional>

namespace voip::store
{

class Relay : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void answered();
};

template <typename T>
class Answer
{
public:
    Answer(QObject *context, Reply<T> reply) : m_relay(std::make_shared<Relay>()), m_slot(std::make_shared<Slot>())
    {
        m_slot->reply = std::move(reply);
        QObject::connect(
            m_relay.get(), &Relay::answered, context,
            [slot = m_slot] {
                const Reply<T> reply = std::move(slot->reply);
                reply(std::move(*slot->result));
            },
            Qt::QueuedConnection);
    }

    // Once, on any thread.
    void give(Result<T> result) const
    {
        m_slot->result = std::move(result);
        Q_EMIT m_relay->answered();
    }

private:
    struct Slot {
        Reply<T> reply;
        std::optional<Result<T>> result;
    };
    std::shared_ptr<Relay> m_relay;
    std::shared_ptr<Slot> m_slot;
};

} // namespace voip::store
