// SPDX-License-Identifier: Apache-2.0
#include "crypto/verifications.h"

#include <QCryptographicHash>
#include <QJsonArray>

#include <algorithm>

namespace voip::crypto
{

namespace
{

constexpr qint64 mostBehind = 600'000; // a request's age by its own timestamp
constexpr qint64 mostAhead = 300'000;
constexpr qint64 refuseEvery = 1000;
constexpr qsizetype mostKept = 16;
constexpr qsizetype maxIdLength = 255;
const QString prefix = QStringLiteral("m.key.verification.");
const QString transactionKey = QStringLiteral("transaction_id");

QString textOf(const QJsonObject &object, const QString &key)
{
    const QString text = object.value(key).toString();
    return text.size() <= maxIdLength && !text.contains(QChar(u'\0')) ? text : QString();
}

QString idOf(const Sas &sas)
{
    return QString::fromLatin1(
        QCryptographicHash::hash(sas.transaction().toUtf8(), QCryptographicHash::Sha256).toHex().first(16));
}

} // namespace

void Verifications::post(Step &step, Flow &flow, const SasMessages &messages)
{
    for (const SasMessage &message : messages) {
        QJsonObject content = message.content;
        content.insert(transactionKey, flow.sas.transaction());
        step.letters.push_back({flow.sas.device(), message.type, content});
    }
    if (flow.sas.state() == Sas::State::Done && !std::exchange(flow.counted, true))
        step.vouched = flow.sas.verifiedMasterKey();
}

// A request may have gone to all sessions of the owner, and another may be dealing with it: what we have not answered
// we do not refuse either.
void Verifications::end(Step &step, Flow &flow, const QString &code)
{
    const bool answered = flow.sas.state() != Sas::State::Asked;
    const SasMessages messages = flow.sas.cancel(code);
    if (answered)
        post(step, flow, messages);
}

Verifications::Flow *Verifications::find(const QString &transaction)
{
    const auto found = std::find_if(m_flows.begin(), m_flows.end(),
                                    [&transaction](const Flow &flow) { return flow.sas.transaction() == transaction; });
    return found == m_flows.end() ? nullptr : &*found;
}

Verifications::Flow *Verifications::byId(const QString &id)
{
    const auto found =
        std::find_if(m_flows.begin(), m_flows.end(), [&id](const Flow &flow) { return idOf(flow.sas) == id; });
    return found == m_flows.end() ? nullptr : &*found;
}

Verifications::Step Verifications::refuse(const QJsonObject &content, const QString &code, qint64 now)
{
    Step step{{}, QStringLiteral("verification_refused")};
    const QString device = textOf(content, QStringLiteral("from_device"));
    const QString transaction = textOf(content, transactionKey);
    if (device.isEmpty() || transaction.isEmpty() || (m_refusedAt && now - *m_refusedAt < refuseEvery))
        return step;
    m_refusedAt = now;
    step.letters.push_back({device,
                            prefix + QStringLiteral("cancel"),
                            {{transactionKey, transaction},
                             {QStringLiteral("code"), code},
                             {QStringLiteral("reason"), QStringLiteral("This verification is not taken.")}}});
    return step;
}

Verifications::Step Verifications::take(const QString &type, const QJsonObject &content, const SasParty &ours,
                                        Backend &backend, const Random &random, qint64 now)
{
    if (type == prefix + QLatin1String("request"))
        return asked(content, ours, now);
    Flow *flow = find(textOf(content, transactionKey));
    if (!flow) // only what names its device can be answered
        return type == prefix + QLatin1String("cancel") || type == prefix + QLatin1String("done")
                   ? Step{}
                   : refuse(content, QStringLiteral("m.unknown_transaction"), now);
    Step step;
    const bool wasOver = flow->sas.isOver();
    post(step, *flow, flow->sas.take(type, content, backend, random));
    if (!wasOver && flow->sas.state() == Sas::State::Cancelled && !step.letters.isEmpty())
        step.note = QStringLiteral("verification_failed");
    return step;
}

Verifications::Step Verifications::asked(const QJsonObject &content, const SasParty &ours, qint64 now)
{
    const QString device = textOf(content, QStringLiteral("from_device"));
    const QString transaction = textOf(content, transactionKey);
    const double timestamp = content.value(QLatin1String("timestamp")).toDouble();
    if (device.isEmpty() || device == ours.device || transaction.isEmpty())
        return {{}, QStringLiteral("verification_refused")};
    if (timestamp < static_cast<double>(now - mostBehind) || timestamp > static_cast<double>(now + mostAhead))
        return {{}, QStringLiteral("verification_stale")}; // nobody waits for it
    Flow *known = find(transaction);
    if (known && known->request == content)
        return {};
    Step step;
    if (known && known->sas.device() != device) { // two devices in one transaction
        end(step, *known, QStringLiteral("m.unexpected_message"));
        return step;
    }
    // Several attempts of one device: none of them goes on.
    for (Flow &flow : m_flows) {
        if (flow.sas.device() == device)
            end(step, flow, QStringLiteral("m.unexpected_message"));
    }
    if (!step.letters.isEmpty() || known) {
        Flow refused{Sas(transaction, ours, device), content, now};
        post(step, refused, refused.sas.cancel(QStringLiteral("m.unexpected_message")));
        return step;
    }
    const auto live =
        std::count_if(m_flows.cbegin(), m_flows.cend(), [](const Flow &one) { return !one.sas.isOver(); });
    if (live >= mostAtOnce || !content.value(QLatin1String("methods")).toArray().contains(QStringLiteral("m.sas.v1")))
        return {{}, QStringLiteral("verification_refused")};
    while (m_flows.size() >= mostKept) {
        const auto over =
            std::find_if(m_flows.begin(), m_flows.end(), [](const Flow &one) { return one.sas.isOver(); });
        m_flows.erase(over); // there is one: few are live
    }
    m_flows.push_back({Sas(transaction, ours, device), content, now});
    step.askList = true;
    return step;
}

Verifications::Step Verifications::advance(const UserDevices *list, Backend &backend, const Random &random, qint64 now)
{
    Step step;
    m_flows.removeIf([now](const Flow &flow) { return flow.sas.isOver() && now >= flow.since + life; });
    for (Flow &flow : m_flows) {
        if (now >= flow.since + life) {
            end(step, flow, QStringLiteral("m.timeout"));
        } else if (flow.sas.state() == Sas::State::Asked && list && !list->outdated) {
            // One that its owner has not signed cannot sign ours: it wants to be verified itself, by another.
            const Device device = list->devices.value(flow.sas.device());
            flow.beginAt = now + beginAfter;
            if (device.crossSigned)
                post(step, flow, flow.sas.meet(device.ed25519, list->masterKey));
            else
                end(step, flow, QStringLiteral("m.key_mismatch"));
        } else if (flow.sas.state() == Sas::State::Ready && now >= flow.beginAt) {
            post(step, flow, flow.sas.begin(backend, random));
        }
    }
    return step;
}

Verifications::Step Verifications::confirm(const QString &id)
{
    Step step;
    if (Flow *flow = byId(id))
        post(step, *flow, flow->sas.confirm());
    return step;
}

Verifications::Step Verifications::cancel(const QString &id)
{
    Step step;
    if (Flow *flow = byId(id))
        end(step, *flow,
            flow->sas.state() == Sas::State::Compared ? QStringLiteral("m.mismatched_sas") : QStringLiteral("m.user"));
    return step;
}

QVector<SasView> Verifications::views() const
{
    QVector<SasView> list;
    for (const Flow &flow : m_flows)
        list.push_back({idOf(flow.sas), flow.sas.device(), flow.sas.state(), flow.sas.shown(), flow.since + life,
                        flow.sas.code()});
    return list;
}

std::optional<qint64> Verifications::nextDue() const
{
    std::optional<qint64> due;
    for (const Flow &flow : m_flows) {
        const qint64 at = flow.sas.state() == Sas::State::Ready ? flow.beginAt : flow.since + life;
        due = due ? std::min(*due, at) : at;
    }
    return due;
}

} // namespace voip::crypto
