// SPDX-License-Identifier: Apache-2.0
// Routes of the call API (surfaces, section 2). One table of what may follow /calls/{id}, and a function per group.
#include "rest/call_api.h"

#include "http/when_done.h"
#include "rest/midcall_api.h"
#include "rest/midcall_shapes.h"

#include <QJsonArray>
#include <QTimer>

namespace bridgehost
{

using namespace voiphost;

namespace
{

Reply unavailable(const QString &code, const QString &message)
{
    return errorReply(503, code, message);
}

template <typename T>
QJsonArray list(const QList<T> &items)
{
    QJsonArray array;
    for (const T &item : items)
        array.append(toJson(item));
    return array;
}

// Answers 405 unless the method is right.
bool methodIs(const ExchangePtr &exchange, const QByteArray &method, const QByteArray &other = {})
{
    const QByteArray &asked = exchange->request().method;
    if (asked == method || (!other.isEmpty() && asked == other))
        return true;
    const QByteArray allowed = other.isEmpty() ? method : method + ", " + other;
    exchange->addHeader("Allow", allowed);
    exchange->reply(errorReply(405, QStringLiteral("METHOD_NOT_ALLOWED"),
                               QStringLiteral("Use %1 here").arg(QString::fromLatin1(allowed))));
    return false;
}

const QStringList &postActions()
{
    static const QStringList names =
        QStringList{QStringLiteral("answer"), QStringLiteral("ice-candidate"), QStringLiteral("media-state"),
                    QStringLiteral("reject"), QStringLiteral("end")} +
        midCallActions();
    return names;
}

// What a plugin with MidCall says of a call is more than what others say; the shapes are the same otherwise.
const auto oneCall = [](const auto &call) { return jsonReply(200, toJson(call)); };
const auto manyCalls = [](const auto &calls) { return jsonReply(200, {{QStringLiteral("calls"), list(calls)}}); };
const auto placedCall = [](const auto &placed) { return jsonReply(placed.repeated ? 200 : 201, toJson(placed.call)); };

} // namespace

CallApi::CallApi(const ApiGate *gate, QStringList users, std::function<CallService *()> service, QObject *parent)
    : QObject(parent), m_gate(gate), m_users(std::move(users)), m_service(std::move(service))
{
}

template <typename T, typename F>
void CallApi::answer(const ExchangePtr &exchange, const QFuture<Expected<T>> &future, F shape)
{
    whenDone(this, future, [exchange, shape](const std::optional<Expected<T>> &result) {
        if (!result)
            exchange->reply(unavailable(QStringLiteral("UNAVAILABLE"), QStringLiteral("The request was given up")));
        else if (!result->ok())
            exchange->reply(toReply(result->error()));
        else
            exchange->reply(shape(result->value()));
    });
    limit(exchange);
}

void CallApi::limit(const ExchangePtr &exchange)
{
    QTimer::singleShot(m_patienceMs, this, [exchange] {
        exchange->reply(unavailable(QStringLiteral("TIMEOUT"), QStringLiteral("No answer within the time allowed")));
    });
}

bool CallApi::handle(const ExchangePtr &exchange)
{
    const QStringList &path = exchange->request().path;
    const QString root = path.value(0);
    const QString second = path.value(1);
    const QString third = path.value(2);
    const bool conversationRoute = root == QLatin1String("conversations");
    if (!conversationRoute && root != QLatin1String("calls"))
        return false;
    if (path.size() > 3)
        return false;
    if (conversationRoute && path.size() == 2)
        return false;
    if (conversationRoute && path.size() == 3 && third != QLatin1String("calls"))
        return false;
    if (!conversationRoute && path.size() == 3 && third != QLatin1String("timeline") && !postActions().contains(third))
        return false;

    // The one request here that the administrator may make too.
    if (!conversationRoute && path.size() == 3 && third == QLatin1String("timeline")) {
        if (methodIs(exchange, "GET"))
            timeline(exchange, second);
        return true;
    }
    const auto user = m_gate->requireUser(exchange);
    if (!user)
        return true;
    if (!m_service()) {
        exchange->reply(unavailable(QStringLiteral("NOT_READY"), QStringLiteral("The call service is not running")));
        return true;
    }
    if (path.size() >= 2 && (second.isEmpty() || second.size() > kMaxShortText)) {
        exchange->reply(conversationRoute ? errorReply(404, QStringLiteral("CONVERSATION_NOT_FOUND"),
                                                       QStringLiteral("There is no such conversation"))
                                          : errorReply(404, QStringLiteral("CALL_NOT_FOUND"),
                                                       QStringLiteral("There is no such call")));
        return true;
    }

    MidCall *midCall = midCallOf(m_service());
    if (conversationRoute && path.size() == 1) {
        if (methodIs(exchange, "GET", "POST"))
            conversations(exchange, *user);
    } else if (conversationRoute) {
        if (methodIs(exchange, "POST"))
            place(exchange, *user, second);
    } else if (path.size() == 1) {
        if (!methodIs(exchange, "GET"))
            return true;
        if (midCall)
            answer(exchange, midCall->fullLiveCalls(*user), manyCalls);
        else
            answer(exchange, m_service()->liveCalls(*user), manyCalls);
    } else if (path.size() == 2 && second == QLatin1String("ice-servers")) {
        if (methodIs(exchange, "GET"))
            answer(exchange, m_service()->iceServers(*user),
                   [](const IceServers &servers) { return jsonReply(200, toJson(servers)); });
    } else if (path.size() == 2 && second == QLatin1String("history")) {
        if (methodIs(exchange, "GET"))
            history(exchange, *user);
    } else if (path.size() == 2) {
        if (!methodIs(exchange, "GET"))
            return true;
        if (midCall)
            answer(exchange, midCall->fullCall(*user, second), oneCall);
        else
            answer(exchange, m_service()->call(*user, second), oneCall);
    } else if (methodIs(exchange, "POST")) {
        action(exchange, *user, second, third);
    }
    return true;
}

void CallApi::conversations(const ExchangePtr &exchange, const QString &user)
{
    if (exchange->request().method == "GET") {
        answer(exchange, m_service()->conversations(user), [](const QList<Conversation> &all) {
            return jsonReply(200, {{QStringLiteral("conversations"), list(all)}});
        });
        return;
    }
    const auto body = readBody(exchange->request().body);
    if (!body)
        return exchange->reply(toReply(body.error()));
    const auto matrixUser = readText(*body, QStringLiteral("matrix_user"), false);
    const auto room = readText(*body, QStringLiteral("room_id"), false);
    if (!matrixUser || !room)
        return exchange->reply(toReply(matrixUser ? room.error() : matrixUser.error()));
    if (matrixUser->isEmpty() == room->isEmpty())
        return exchange->reply(
            toReply(invalid(QStringLiteral("Exactly one of the fields 'matrix_user' and 'room_id' is needed"))));
    if (!matrixUser->isEmpty() && (!matrixUser->startsWith(u'@') || !matrixUser->contains(u':')))
        return exchange->reply(errorReply(400, QStringLiteral("INVALID_USER"),
                                          QStringLiteral("Field 'matrix_user' is not a Matrix user id")));
    if (!room->isEmpty() && !room->startsWith(u'!'))
        return exchange->reply(toReply(invalid(QStringLiteral("Field 'room_id' is not a Matrix room id"))));
    answer(exchange, m_service()->openConversation(user, {*matrixUser, *room}), [](const Conversation &conversation) {
        return jsonReply(conversation.created ? 201 : 200, toJson(conversation));
    });
}

void CallApi::place(const ExchangePtr &exchange, const QString &user, const QString &conversation)
{
    const auto body = readBody(exchange->request().body);
    if (!body)
        return exchange->reply(toReply(body.error()));
    const auto request = readFullPlace(*body);
    if (!request)
        return exchange->reply(toReply(request.error()));
    // A plugin without MidCall says nothing of streams and capabilities in Matrix; the call works all the same.
    if (MidCall *midCall = midCallOf(m_service()))
        answer(exchange, midCall->place(user, conversation, *request), placedCall);
    else
        answer(exchange, m_service()->place(user, conversation, *request), placedCall);
}

void CallApi::action(const ExchangePtr &exchange, const QString &user, const QString &call, const QString &what)
{
    const auto body = readBody(exchange->request().body);
    if (!body)
        return exchange->reply(toReply(body.error()));
    MidCall *midCall = midCallOf(m_service());
    if (midCallActions().contains(what)) {
        if (!midCall)
            return exchange->reply(notSupported(what));
        const auto asked = askMidCall(*midCall, user, call, what, *body);
        if (!asked)
            return exchange->reply(toReply(asked.error()));
        // Accepting a transfer places another call.
        answer(exchange, *asked,
               [call](const FullCall &changed) { return jsonReply(changed.id == call ? 200 : 201, toJson(changed)); });
    } else if (what == QLatin1String("answer")) {
        const auto request = readAnswer(*body);
        if (!request)
            return exchange->reply(toReply(request.error()));
        if (midCall)
            answer(exchange, midCall->answer(user, call, *request), oneCall);
        else
            answer(exchange, m_service()->answer(user, call, request->sdp), oneCall);
    } else if (what == QLatin1String("ice-candidate")) {
        const auto candidates = readCandidates(*body);
        if (!candidates)
            return exchange->reply(toReply(candidates.error()));
        answerInFull(exchange, user, m_service()->addCandidates(user, call, *candidates));
    } else if (what == QLatin1String("media-state")) {
        const auto state = readMediaState(*body);
        if (!state)
            return exchange->reply(toReply(state.error()));
        answerInFull(exchange, user, m_service()->setMediaState(user, call, *state));
    } else {
        const auto reason = readText(*body, QStringLiteral("reason"), false, 64);
        if (!reason)
            return exchange->reply(toReply(reason.error()));
        if (what == QLatin1String("end"))
            answerInFull(exchange, user, m_service()->end(user, call, *reason));
        else if (midCall)
            answer(exchange, midCall->decline(user, call, declineOf(*reason)), oneCall);
        else
            answer(exchange, m_service()->reject(user, call, *reason), oneCall);
    }
}

void CallApi::answerInFull(const ExchangePtr &exchange, const QString &user, const QFuture<Expected<Call>> &future)
{
    whenDone(this, future, [this, exchange, user, future](const std::optional<Expected<Call>> &result) {
        MidCall *midCall = midCallOf(m_service());
        if (!midCall || !result || !result->ok())
            return answer(exchange, future, oneCall);
        whenDone(this, midCall->fullCall(user, result->value().id),
                 [exchange, plain = result->value()](const std::optional<Expected<FullCall>> &full) {
                     // It is done: what is missing is only what more could be said of the call.
                     exchange->reply(full && full->ok() ? oneCall(full->value()) : oneCall(plain));
                 });
    });
    limit(exchange);
}

void CallApi::history(const ExchangePtr &exchange, const QString &user)
{
    const QString limitText = exchange->request().queryValue(QStringLiteral("limit")).value_or(QStringLiteral("50"));
    bool ok = false;
    const int limit = limitText.toInt(&ok);
    if (!ok || limit < 1 || limit > 200)
        return exchange->reply(toReply(invalid(QStringLiteral("Parameter 'limit' must be between 1 and 200"))));
    const QString before = exchange->request().queryValue(QStringLiteral("before")).value_or(QString());
    if (before.size() > kMaxShortText)
        return exchange->reply(toReply(invalid(QStringLiteral("Parameter 'before' is too long"))));
    if (MidCall *midCall = midCallOf(m_service()))
        answer(exchange, midCall->fullHistory(user, limit, before), manyCalls);
    else
        answer(exchange, m_service()->history(user, limit, before), manyCalls);
}

void CallApi::timeline(const ExchangePtr &exchange, const QString &call)
{
    const Request &request = exchange->request();
    const ApiGate::Caller caller = m_gate->caller(request);
    const bool withSdp = request.queryValue(QStringLiteral("sdp")) == QStringLiteral("full");
    if (caller.who == ApiGate::Who::Admin) {
        // A call is known by its user; the administrator may say whose it is, else every user is asked in turn.
        const auto user = request.queryValue(QStringLiteral("user"));
        if (m_service())
            return timelineOf(exchange, user ? QStringList{*user} : m_users, call, withSdp);
    } else {
        const auto user = m_gate->requireUser(exchange);
        if (!user)
            return;
        if (withSdp)
            return exchange->reply(
                errorReply(403, QStringLiteral("FORBIDDEN"),
                           QStringLiteral("Only the administrator may read a timeline with its SDP")));
        if (m_service())
            return timelineOf(exchange, {*user}, call, false);
    }
    exchange->reply(unavailable(QStringLiteral("NOT_READY"), QStringLiteral("The call service is not running")));
}

void CallApi::timelineOf(const ExchangePtr &exchange, QStringList users, const QString &call, bool withSdp)
{
    if (users.isEmpty() || !m_service() || call.isEmpty() || call.size() > kMaxShortText)
        return exchange->reply(
            errorReply(404, QStringLiteral("CALL_NOT_FOUND"), QStringLiteral("There is no such call")));
    const QString user = users.takeFirst();
    whenDone(this, m_service()->timeline(user, call, withSdp),
             [this, exchange, users, call, withSdp](const std::optional<Expected<QByteArray>> &result) {
                 if (!result)
                     exchange->reply(
                         unavailable(QStringLiteral("UNAVAILABLE"), QStringLiteral("The request was given up")));
                 else if (result->ok())
                     exchange->reply({200, result->value(), QByteArrayLiteral("application/x-ndjson"), {}});
                 else if (result->error().kind == ErrorKind::NotFound && !users.isEmpty())
                     timelineOf(exchange, users, call, withSdp);
                 else
                     exchange->reply(toReply(result->error()));
             });
}

} // namespace bridgehost
