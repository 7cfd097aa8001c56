// SPDX-License-Identifier: Apache-2.0
// store_victim DRIVER DSN: accepts batches and commits without end, and prints each number once its write was
// answered. It is there to be killed with -9.
#include "store/sqlstore.h"

#include <QCoreApplication>

#include <cstdio>

using namespace voip::store;

namespace
{

const QString lane = QStringLiteral("@nova_alice:test");

void next(Store &store, int number)
{
    const QString text = QString::number(number);
    store.accept({QStringLiteral("t") + text, number, {{lane, QStringLiteral("$") + text, {}}}}, qApp,
                 [&store, number, text](const Result<QVector<InboxEntry>> &entries) {
                     if (!entries || entries->size() != 1)
                         qFatal("not accepted");
                     Commit commit;
                     commit.lane = lane;
                     if (number % 2 == 0) // the others stay in the inbox
                         commit.consumed = {entries->at(0).seq};
                     OutboxEntry send;
                     send.ref = number;
                     send.txnId = QStringLiteral("x") + text;
                     commit.sends = {send};
                     Notice notice;
                     notice.callId = QStringLiteral("c");
                     notice.seq = number;
                     commit.notices = {notice};
                     store.commit(commit, qApp, [&store, number](const Result<Committed> &committed) {
                         if (!committed)
                             qFatal("not committed");
                         std::printf("%d\n", number);
                         std::fflush(stdout);
                         next(store, number + 1);
                     });
                 });
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    SqlStore store({app.arguments().value(1), app.arguments().value(2)});
    store.open({}, &app, [&store](const Result<voiphost::Done> &opened) {
        if (!opened)
            qFatal("not opened: %s", qPrintable(opened.error().message));
        next(store, 1);
    });
    return QCoreApplication::exec();
}
