// SPDX-License-Identifier: Apache-2.0
// QtKeychain's errors in our three kinds. Only EntryNotFound means that there is no such secret, and only while the
// keyring is open.
#include "secrets/keychain.h"

#include "secrets/keyring_lock.h"

#include <QCoreApplication>
#include <QEventLoop>
#include <QTimer>
#include <qt6keychain/keychain.h>

#include <memory>

namespace voip
{

using voiphost::Done;
using voiphost::Expected;

namespace
{

struct KeychainText {
    Q_DECLARE_TR_FUNCTIONS(Secrets)
};

// True when the job finished within the time. A job that did not is left to finish and delete itself.
bool wait(QKeychain::Job *job, int timeoutMs)
{
    QEventLoop loop;
    bool finished = false;
    QObject::connect(job, &QKeychain::Job::finished, &loop, [&] {
        finished = true;
        loop.quit();
    });
    QTimer::singleShot(timeoutMs, &loop, &QEventLoop::quit);
    job->start();
    if (!finished)
        loop.exec();
    return finished;
}

SecretError unavailable(const QString &name, const QString &why)
{
    return {SecretError::Kind::Unavailable,
            KeychainText::tr("the keychain cannot be asked for the secret %1: %2").arg(name, why),
            KeychainText::tr("start it in a desktop session with an unlocked keyring, or on a server set "
                             "secrets.provider to credentials-directory")};
}

SecretError toError(const QKeychain::Job &job, const QString &service, const QString &name)
{
    switch (job.error()) {
    case QKeychain::EntryNotFound:
        return {SecretError::Kind::NotFound, KeychainText::tr("the keychain holds no secret %1").arg(name),
                KeychainText::tr("store it under the service %1 with the user %2").arg(service, name)};
    case QKeychain::NoError:
    case QKeychain::CouldNotDeleteEntry:
    case QKeychain::AccessDeniedByUser:
    case QKeychain::AccessDenied:
    case QKeychain::NoBackendAvailable:
    case QKeychain::NotImplemented:
    case QKeychain::OtherError:
        break;
    }
    return unavailable(name, job.errorString());
}

} // namespace

Expected<QByteArray, SecretError> readKeychain(const QString &service, const QString &name, int timeoutMs)
{
    auto *job = new QKeychain::ReadPasswordJob(service);
    job->setAutoDelete(false);
    job->setInsecureFallback(false);
    job->setKey(name);
    if (!wait(job, timeoutMs)) {
        job->setAutoDelete(true);
        return unavailable(name, KeychainText::tr("it does not answer"));
    }
    const std::unique_ptr<QKeychain::ReadPasswordJob> owner(job);
    if (job->error() == QKeychain::EntryNotFound && mayBeLocked(service, name, timeoutMs))
        return unavailable(name, KeychainText::tr("the keyring is locked"));
    if (job->error() != QKeychain::NoError)
        return toError(*job, service, name);
    return job->binaryData();
}

Expected<Done, SecretError> writeKeychain(const QString &service, const QString &name, const QByteArray &value,
                                          int timeoutMs)
{
    auto *job = new QKeychain::WritePasswordJob(service);
    job->setAutoDelete(false);
    job->setInsecureFallback(false);
    job->setKey(name);
    // As text: the value is base64 or a token, and people look at it with other tools.
    job->setTextData(QString::fromUtf8(value));
    if (!wait(job, timeoutMs)) {
        job->setAutoDelete(true);
        return unavailable(name, KeychainText::tr("it does not answer"));
    }
    const std::unique_ptr<QKeychain::WritePasswordJob> owner(job);
    if (job->error() != QKeychain::NoError)
        return toError(*job, service, name);
    // Somebody may come to depend on it.
    const auto kept = readKeychain(service, name, timeoutMs);
    if (!kept)
        return kept.error();
    if (*kept != value)
        return unavailable(name, KeychainText::tr("it gives another value than was stored"));
    return Done{};
}

Expected<Done, SecretError> removeKeychain(const QString &service, const QString &name, int timeoutMs)
{
    auto *job = new QKeychain::DeletePasswordJob(service);
    job->setAutoDelete(false);
    job->setInsecureFallback(false);
    job->setKey(name);
    if (!wait(job, timeoutMs)) {
        job->setAutoDelete(true);
        return unavailable(name, KeychainText::tr("it does not answer"));
    }
    const std::unique_ptr<QKeychain::DeletePasswordJob> owner(job);
    if (job->error() != QKeychain::NoError && job->error() != QKeychain::EntryNotFound)
        return toError(*job, service, name);
    // A prompt that is dismissed leaves it there without an error.
    const auto left = readKeychain(service, name, timeoutMs);
    if (left)
        return unavailable(name, KeychainText::tr("it was not removed"));
    if (left.error().kind != SecretError::Kind::NotFound)
        return left.error();
    return Done{};
}

} // namespace voip
