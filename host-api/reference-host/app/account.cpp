// SPDX-License-Identifier: Apache-2.0
#include "app/account.h"

#include "http/tokens.h"
#include "http/when_done.h"
#include "operations/signals.h"

#include <voiphost/account.h>

#include <QCoreApplication>
#include <QLocale>
#include <QRandomGenerator>
#include <QTextStream>
#include <QUrlQuery>

namespace bridgehost
{

using namespace voiphost;

namespace
{

constexpr qsizetype kMaxLoginToken = 4096;
constexpr auto kLastWords = std::chrono::milliseconds(500); // until the browser has its page

struct PageText {
    Q_DECLARE_TR_FUNCTIONS(AccountPage)
};

Reply page(int status, const QString &title, const QString &text)
{
    const QString html =
        QStringLiteral("<!doctype html>\n<html lang=\"%1\"><head><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                       "<meta name=\"color-scheme\" content=\"light dark\"><title>%2</title><style>"
                       "body{margin:0;font:1rem/1.5 system-ui,sans-serif}"
                       "main{max-width:32rem;margin:10vh auto;padding:0 1.25rem;overflow-wrap:anywhere}"
                       "h1{font-size:1.3rem}</style></head>"
                       "<body><main role=\"%3\"><h1>%2</h1><p>%4</p></main></body></html>\n")
            .arg(QLocale().bcp47Name().toHtmlEscaped(), title.toHtmlEscaped(),
                 status == 200 ? QStringLiteral("status") : QStringLiteral("alert"), text.toHtmlEscaped());
    return {status,
            html.toUtf8(),
            QByteArrayLiteral("text/html; charset=utf-8"),
            {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                                         "form-action 'none'; frame-ancestors 'none'"},
             {"Referrer-Policy", "no-referrer"},
             {"Cache-Control", "no-store"}}};
}

QByteArray drawState()
{
    QByteArray bytes(32, Qt::Uninitialized);
    QRandomGenerator::system()->fillRange(reinterpret_cast<quint32 *>(bytes.data()), bytes.size() / 4);
    return bytes.toHex();
}

} // namespace

AccountSession::AccountSession(AccountControl *control, QTextStream *out, QObject *parent)
    : QObject(parent), m_control(control), m_out(out),
      m_server("login", HttpLimits{.body = 0, .connections = 16, .perAddress = 16},
               [this](const ExchangePtr &exchange) { called(exchange); })
{
    m_limit.setSingleShot(true);
    connect(&m_limit, &QTimer::timeout, this, [this] {
        m_state.clear();
        Q_EMIT finished(tr("Nobody logged in within the time. Start it again."));
    });
}

void AccountSession::say(const QString &line)
{
    *m_out << line << '\n';
    m_out->flush();
}

void AccountSession::loggedIn(const Account &account)
{
    say(tr("Logged in as %1 with the device %2. Start the bridge now.").arg(account.userId, account.deviceId));
}

void AccountSession::login(std::chrono::milliseconds patience)
{
    const auto listening = m_server.listen({QStringLiteral("127.0.0.1"), 0});
    if (!listening)
        return Q_EMIT finished(tr("cannot listen on 127.0.0.1: %1").arg(listening.error().message));
    m_state = drawState();
    QUrl callback(QStringLiteral("http://127.0.0.1:%1/callback").arg(m_server.port()));
    callback.setQuery(QStringLiteral("state=") + QString::fromLatin1(m_state));
    m_limit.start(patience);
    whenDone(this, m_control->beginLogin(callback), [this](const std::optional<Expected<LoginStep>> &step) {
        if (!step || !step->ok())
            return Q_EMIT finished(step ? step->error().message : tr("the login was given up"));
        if ((*step)->address.isEmpty()) {
            loggedIn((*step)->account);
            return Q_EMIT finished({});
        }
        say(tr("Open this address in a browser on this machine, within %n minute(s):", nullptr,
               static_cast<int>(std::chrono::ceil<std::chrono::minutes>(m_limit.intervalAsDuration()).count())));
        say(QString::fromLatin1((*step)->address.toEncoded()));
    });
}

// Whatever does not hold the state is somebody else's: it is told nothing and changes nothing.
void AccountSession::called(const ExchangePtr &exchange)
{
    const Request &request = exchange->request();
    if (request.method != "GET")
        return exchange->reply(page(405, PageText::tr("Not like this"), PageText::tr("This page is only read.")));
    if (request.path != QStringList{QStringLiteral("callback")})
        return exchange->reply(page(404, PageText::tr("There is no such page"), PageText::tr("Nothing is here.")));
    const QByteArray state = request.queryValue(QStringLiteral("state")).value_or(QString()).toUtf8();
    if (m_state.isEmpty() || !TokenDigest(m_state).matches(state)) {
        return exchange->reply(page(403, PageText::tr("This login is not known here"),
                                    PageText::tr("It was used already, or is that of another start. Start "
                                                 "bridge-host --login again.")));
    }
    const QByteArray token = request.queryValue(QStringLiteral("loginToken")).value_or(QString()).toUtf8();
    if (token.isEmpty() || token.size() > kMaxLoginToken) {
        return exchange->reply(page(400, PageText::tr("The login did not work"),
                                    PageText::tr("The field loginToken is missing, or too long.")));
    }
    m_state.clear();
    m_limit.stop();
    finish(exchange, token);
}

void AccountSession::finish(const ExchangePtr &exchange, const QByteArray &loginToken)
{
    whenDone(this, m_control->finishLogin(loginToken),
             [this, exchange](const std::optional<Expected<Account>> &result) {
                 const bool ok = result && result->ok();
                 const QString error = ok ? QString() : result ? result->error().message : tr("the login was given up");
                 if (ok) {
                     loggedIn(result->value());
                     exchange->reply(page(200, PageText::tr("You are logged in"),
                                          PageText::tr("%1 takes calls through this bridge as soon as it is started. "
                                                       "You can close this page.")
                                              .arg(result->value().userId)));
                 } else {
                     exchange->reply(page(502, PageText::tr("The login did not work"), error));
                 }
                 QTimer::singleShot(kLastWords, this, [this, error] { Q_EMIT finished(error); });
             });
}

void AccountSession::logout()
{
    whenDone(this, m_control->logout(), [this](const std::optional<Expected<Done>> &result) {
        if (!result || !result->ok())
            return Q_EMIT finished(result ? result->error().message : tr("the logout was given up"));
        say(tr("Logged out; nothing of the session is kept."));
        Q_EMIT finished({});
    });
}

int runAccount(const Config &config, bool login, QTextStream &out,
               const std::function<int(const QStringList &)> &complain)
{
    StopSignals signals_;
    BridgeHost host(config);
    if (const QStringList problems = host.prepare(); !problems.isEmpty())
        return complain(host.pluginDefects() + problems);
    AccountControl *control = nullptr;
    const auto plugins = host.plugins();
    for (const LoadedPlugin *plugin : plugins) {
        if (auto *found = plugin->interface<AccountControl>())
            control = found;
    }
    if (!control)
        return complain({AccountSession::tr("no configured plugin runs on an account")});
    AccountSession session(control, &out);
    QObject::connect(&signals_, &StopSignals::stopRequested, qApp, [] { QCoreApplication::exit(1); });
    QObject::connect(
        &session, &AccountSession::finished, qApp,
        [&complain](const QString &error) { QCoreApplication::exit(error.isEmpty() ? 0 : complain({error})); },
        Qt::QueuedConnection);
    login ? session.login() : session.logout();
    return QCoreApplication::exec();
}

} // namespace bridgehost
