// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <QJsonArray>

#include <algorithm>

namespace simulation
{

namespace
{

const QString us = QStringLiteral("@nova_alice:test");

bool understands(const char *settings, const char *line)
{
    voip::replay::Engine engine;
    const QByteArray header = QByteArray(R"({"replay":1,"local_user":"@a:t","settings":)") + settings + "}";
    if (std::holds_alternative<voip::replay::Fault>(engine.take(header)))
        return false;
    return std::holds_alternative<timeline::Lines>(engine.take(line));
}

} // namespace

const Abilities &abilities()
{
    static const Abilities found = [] {
        Abilities able;
        const char *const clock = R"({"t":0,"in":"clock"})";
        able.newSettings = understands(R"({"gather_for":1,"parallel_calls":true})", clock);
        const QHash<QString, QByteArray> samples{
            {QStringLiteral("negotiate"), R"("type":"offer","sdp":"v=0")"},
            {QStringLiteral("media"), R"("audio_muted":true)"},
            {QStringLiteral("transfer"), R"("target_user":"@c:t")"},
            {QStringLiteral("transfer-accept"), R"("new_call":"h2","sdp":"v=0")"},
            {QStringLiteral("transfer-reject"), ""},
            {QStringLiteral("identity"), R"("identity":null)"},
        };
        for (auto it = samples.constBegin(); it != samples.constEnd(); ++it) {
            const QByteArray rest = it->isEmpty() ? QByteArray() : ',' + *it;
            const QByteArray line = R"({"t":0,"in":"host","call":"h1","do":")" + it.key().toLatin1() + '"' + rest + '}';
            if (understands("{}", line.constData()))
                able.actions += it.key();
        }
        able.actions.sort();
        return able;
    }();
    return found;
}

World::World(std::uint64_t seed)
    : m_random(seed), m_recorded(chance(25)), m_oneOfEach(chance(60)), m_calm(chance(50)), m_stranger(chance(20)),
      m_slow(chance(70) ? 8 : 40), m_refusing(chance(70) ? 5 : 25), m_length(8 + below(22))
{
    QJsonObject settings;
    if (chance(20))
        settings.insert(QStringLiteral("longest_call"), 400'000);
    if (chance(10))
        settings.insert(QStringLiteral("accepting"), false);
    if (abilities().newSettings) {
        if (chance(40))
            settings.insert(QStringLiteral("gather_for"), chance(40) ? 0 : chance(50) ? 700 : 5000);
        if (chance(20))
            settings.insert(QStringLiteral("negotiate_lifetime"), 1 + below(3000));
        if (chance(15))
            settings.insert(QStringLiteral("fold_for"), chance(30) ? 0 : 4000);
        if (chance(15))
            settings.insert(QStringLiteral("parallel_calls"), true);
        if (chance(20))
            settings.insert(QStringLiteral("host_trickles"), m_trickles = false);
        if (chance(20))
            settings.insert(QStringLiteral("private_addresses"), pick({"hide", "hide_unencrypted"}));
        if (chance(20))
            settings.insert(QStringLiteral("transfers"), false);
    }
    QJsonObject members{{us, QStringLiteral("join")}, {QStringLiteral("@bob:test"), QStringLiteral("join")}};
    if (chance(m_calm ? 6 : 25))
        members.insert(QStringLiteral("@eve:test"), QStringLiteral("join"));
    const QJsonObject header{
        {QStringLiteral("replay"), 1},
        {QStringLiteral("seed"), below(1000)},
        {QStringLiteral("local_user"), us},
        {QStringLiteral("settings"), settings},
        {QStringLiteral("room"),
         QJsonObject{{QStringLiteral("room_id"), QStringLiteral("!r:test")},
                     {QStringLiteral("members"), members},
                     {QStringLiteral("join_rule"), chance(95) ? QStringLiteral("invite") : QStringLiteral("public")}}}};
    m_run = std::make_unique<Run>(timeline::text(header));
}

Run World::play()
{
    if (chance(40)) {
        feed({{QStringLiteral("in"), QStringLiteral("snapshot")},
              {QStringLiteral("room_id"), QStringLiteral("!other:test")},
              {QStringLiteral("members"),
               QJsonObject{{us, QStringLiteral("join")}, {QStringLiteral("@bob:test"), QStringLiteral("join")}}}});
    }
    if (m_calm)
        open();
    for (int i = 0; i < m_length && !m_run->complaint(); ++i)
        step();
    while (!m_waiting.isEmpty() && !m_run->complaint())
        deliver(true);
    return std::move(*m_run);
}

// A call of one side or the other that is answered and whose media flows, mostly.
void World::open()
{
    if (chance(50))
        hostPlace();
    else
        remoteInvite();
    for (int i = 0; i < 8 && !m_run->complaint() && (m_calls.isEmpty() || m_calls.last().hostId.isEmpty()); ++i) {
        pass(below(1500));
        feed({{QStringLiteral("in"), QStringLiteral("clock")}});
        deliver(true);
    }
    for (int i = 0; i < 3 && !m_run->complaint() && !m_calls.isEmpty() && !m_calls.last().hostId.isEmpty(); ++i) {
        Call &call = m_calls.last();
        if (call.over || call.answered)
            break;
        if (call.ours)
            answerOurs(call);
        else
            hostFlow(call);
        pass(below(900));
        deliver(true);
    }
    if (m_calls.isEmpty() || m_run->complaint() || !m_calls.last().answered || !chance(75))
        return;
    feed({{QStringLiteral("in"), QStringLiteral("host")},
          {QStringLiteral("do"), QStringLiteral("media-state")},
          {QStringLiteral("call"), m_calls.last().hostId},
          {QStringLiteral("state"), QStringLiteral("connected")}});
}

void World::step()
{
    advance();
    if (!m_waiting.isEmpty() && chance(50))
        return deliver(false);
    if (!m_refs.isEmpty() && chance(30))
        return outbox();
    const int what = below(100);
    if (what < (m_calm ? 30 : 40))
        remoteAct();
    else if (what < 88)
        hostAct();
    else if (what < 92)
        membership();
    else if (what < 94)
        die();
    else if (what < 97)
        nonsense();
    else
        feed({{QStringLiteral("in"), QStringLiteral("clock")}});
}

void World::advance()
{
    if (chance(m_calm ? 92 : 70))
        pass(below(900));
    else if (chance(80))
        pass(below(9000));
    else if (chance(70))
        pass(below(100'000));
    else
        pass(below(2'000'000));
}

// In a running host the timers are lines of their own.
void World::pass(double ms)
{
    const double until = m_t + ms;
    while (m_recorded && m_run->due().value_or(std::numeric_limits<qint64>::max()) <= until && !m_run->complaint()) {
        m_t = std::max(m_t, static_cast<double>(*m_run->due()));
        feed({{QStringLiteral("in"), QStringLiteral("clock")}});
    }
    m_t = until;
}

// The process is gone for a while, and with it the timers of a running host.
void World::die()
{
    if (m_recorded && chance(60))
        m_t += chance(50) ? below(3000) : below(120'000);
    feed({{QStringLiteral("in"), QStringLiteral("restart")}});
}

void World::feed(QJsonObject line)
{
    line.insert(QStringLiteral("t"), m_t);
    if (m_recorded) {
        QString entropy;
        for (int i = 0; i < 4; ++i)
            entropy += QStringLiteral("%1").arg(m_random(), 16, 16, QLatin1Char('0'));
        line.insert(QStringLiteral("entropy"), entropy);
    }
    const auto outs = m_run->take(timeline::text(line));
    for (const QJsonObject &out : outs)
        see(out);
}

void World::see(const QJsonObject &out)
{
    const auto word = [](const QJsonObject &object, const char *key) {
        return object.value(QLatin1String(key)).toString();
    };
    const QString kind = word(out, "out");
    if (kind == QLatin1String("enter_room") && chance(80)) {
        // The answer comes with one of the next deliveries.
        m_waiting.push_back(
            {m_t + below(2000),
             {{QStringLiteral("in"), QStringLiteral("snapshot")},
              {QStringLiteral("room_id"), word(out, "room_id")},
              {QStringLiteral("join_rule"), chance(90) ? QStringLiteral("invite") : QStringLiteral("public")},
              {QStringLiteral("members"),
               QJsonObject{{us, QStringLiteral("join")}, {QStringLiteral("@bob:test"), QStringLiteral("join")}}}}});
    }
    if (kind == QLatin1String("unsend") && chance(80)) // or it was on its way already
        m_refs.removeIf([&](const Unknown &one) { return one.ref == word(out, "ref"); });
    if (kind == QLatin1String("matrix")) {
        const QJsonObject content = out.value(QLatin1String("content")).toObject();
        m_refs.push_back({word(out, "ref"), word(content, "call_id"), word(out, "type")});
        if (word(out, "type") == QLatin1String("m.call.negotiate"))
            replyTo(out);
        if (word(out, "type") == QLatin1String("m.call.invite")) {
            Call fresh;
            fresh.ours = true;
            fresh.matrixId = word(content, "call_id");
            fresh.party = word(content, "party_id");
            fresh.room = word(out, "room_id");
            fresh.opponent = QStringLiteral("@bob:test");
            fresh.device = pick({"ONE", "TWO"});
            const QString origin = originOf(word(content.value(QLatin1String("offer")).toObject(), "sdp"));
            fresh.hostId = QStringLiteral("h") + origin.mid(4).section(u' ', 0, 0); // "o=- N ...", drawn with "hN"
            m_calls.push_back(fresh);
        }
        if (chance(15)) {
            m_echoes.push_back({{QStringLiteral("type"), word(out, "type")},
                                {QStringLiteral("room_id"), word(out, "room_id")},
                                {QStringLiteral("content"), content}});
        }
    }
    if (kind != QLatin1String("host"))
        return;
    const QString signal = word(out, "signal");
    const QJsonObject matrix = out.value(QLatin1String("matrix")).toObject();
    for (Call &known : m_calls) {
        if (!matrix.isEmpty() && known.matrixId == word(matrix, "call_id") && known.room == word(matrix, "room_id")) {
            known.hostId = word(out, "call");
            known.party = word(matrix, "party_id");
        }
        if (known.hostId == word(out, "call")) {
            if (signal == QLatin1String("call.negotiate"))
                known.asked = word(out, "type") == QLatin1String("offer");
            known.answered = known.answered || signal == QLatin1String("call.answered");
            known.over =
                known.over || signal == QLatin1String("call.ended") || signal == QLatin1String("call.rejected");
        }
    }
}

// One batch of what has arrived by now; with `all`, whatever the time it was to take.
void World::deliver(bool all)
{
    if (all && !m_waiting.isEmpty())
        m_t = std::max(m_t, std::min_element(m_waiting.begin(), m_waiting.end(), [](const auto &a, const auto &b) {
                                return a.at < b.at;
                            })->at);
    QJsonArray events;
    QStringList calls;
    const int most = 1 + below(4);
    for (qsizetype i = 0; i < m_waiting.size() && events.size() < most; ++i) {
        const Waiting waiting = m_waiting[i];
        if (waiting.at > m_t)
            continue;
        if (waiting.event.contains(QLatin1String("in"))) { // the answer to an EnterRoom
            m_waiting.remove(i);
            return feed(waiting.event);
        }
        const QString id =
            waiting.event.value(QLatin1String("content")).toObject().value(QLatin1String("call_id")).toString();
        const bool alone = waiting.event.contains(QLatin1String("state_key"));
        if (m_oneOfEach && !events.isEmpty() && (alone || calls.contains(id)))
            break;
        calls += id;
        events.append(waiting.event);
        if (!chance(3)) // or it comes again
            m_waiting.remove(i--);
        if (m_oneOfEach && alone)
            break;
    }
    if (events.isEmpty())
        return;
    QJsonObject line{{QStringLiteral("in"), QStringLiteral("matrix")}};
    if (events.size() == 1)
        line.insert(QStringLiteral("event"), events.first());
    else
        line.insert(QStringLiteral("events"), events);
    if (chance(5)) // it lay in the inbox for a while
        line.insert(QStringLiteral("received_at"), std::max(0.0, m_t - below(20'000)));
    feed(line);
}

void World::post(const QString &type, const QString &sender, const QString &room, const QJsonObject &content)
{
    if (chance(4))
        return; // lost
    QJsonObject event{{QStringLiteral("type"), type},
                      {QStringLiteral("event_id"), QStringLiteral("$%1").arg(++m_events)},
                      {QStringLiteral("sender"), sender},
                      {QStringLiteral("room_id"), room},
                      {QStringLiteral("content"), content}};
    const double late = chance(80) ? below(60) : below(6000);
    if (chance(94)) {
        const int age = chance(90) ? below(400) : below(130'000);
        event.insert(QStringLiteral("unsigned"), QJsonObject{{QStringLiteral("age"), age}});
    } else {
        event.insert(QStringLiteral("origin_server_ts"), std::max(0.0, m_t - 20'000 + below(40'000)));
    }
    // Out of order, now and then.
    const qsizetype at = chance(90) ? m_waiting.size() : below(static_cast<int>(m_waiting.size()) + 1);
    m_waiting.insert(at, {m_t + late, event});
    if (chance(60))
        deliver(false);
}

QString World::pick(std::initializer_list<const char *> words)
{
    return QString::fromLatin1(words.begin()[below(static_cast<int>(words.size()))]);
}

QString World::room()
{
    return chance(85) ? QStringLiteral("!r:test") : pick({"!other:test", "!new:test", "!nowhere:test"});
}

World::Call *World::call()
{
    QVector<qsizetype> live;
    for (qsizetype i = 0; i < m_calls.size(); ++i) {
        if (!m_calls[i].over || chance(15))
            live += i;
    }
    return live.isEmpty() ? nullptr : &m_calls[live[below(static_cast<int>(live.size()))]];
}

} // namespace simulation
