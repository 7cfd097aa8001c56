// SPDX-License-Identifier: Apache-2.0
// Reading a credential by its descriptor, so that what was checked is what is read.
#include "secrets/credentials_directory.h"

#include <QCoreApplication>
#include <QFile>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace voip
{

using voiphost::Expected;

namespace
{

struct CredentialText {
    Q_DECLARE_TR_FUNCTIONS(Secrets)
};

constexpr qint64 kMaxSecret = 4096;

SecretError error(SecretError::Kind kind, const QString &message, const QString &advice)
{
    return {kind, message, advice};
}

QString reason(int code)
{
    return QString::fromLocal8Bit(std::strerror(code));
}

} // namespace

Expected<QByteArray, SecretError> readCredential(const QString &path, const QString &name)
{
    using Kind = SecretError::Kind;
    const QString folder = path.isEmpty() ? qEnvironmentVariable("CREDENTIALS_DIRECTORY") : path;
    if (folder.isEmpty())
        return error(Kind::Unavailable, CredentialText::tr("there is no credentials directory"),
                     CredentialText::tr("set secrets.path, or start it by systemd with LoadCredential="));
    const int dir = ::open(QFile::encodeName(folder).constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error(Kind::Unavailable,
                     CredentialText::tr("the credentials directory %1 cannot be opened: %2").arg(folder, reason(errno)),
                     CredentialText::tr("check secrets.path and the rights of the user it runs as"));
    struct stat about = {};
    if (::fstat(dir, &about) != 0 || (about.st_mode & (S_IWGRP | S_IRWXO)) != 0) {
        ::close(dir);
        return error(Kind::Invalid, CredentialText::tr("the credentials directory %1 is open to others").arg(folder),
                     CredentialText::tr("make it the user's own: chmod 700 %1").arg(folder));
    }
    const int fd = ::openat(dir, QFile::encodeName(name).constData(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const int failure = errno;
    ::close(dir);
    const QString file = folder + u'/' + name;
    if (fd < 0 && failure == ENOENT)
        return error(Kind::NotFound, CredentialText::tr("the credentials directory %1 holds no %2").arg(folder, name),
                     CredentialText::tr("write the file %1, readable by its owner only").arg(file));
    if (fd < 0)
        return error(Kind::Unavailable, CredentialText::tr("%1 cannot be opened: %2").arg(file, reason(failure)),
                     CredentialText::tr("check the rights of the user it runs as"));
    if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size > kMaxSecret) {
        ::close(fd);
        return error(Kind::Invalid,
                     CredentialText::tr("%1 is not a file of at most %2 bytes").arg(file).arg(kMaxSecret),
                     CredentialText::tr("write the secret alone into it"));
    }
    // The group's right to read is left to the administrator: systemd grants its own that way.
    if ((about.st_mode & (S_IWGRP | S_IRWXO)) != 0) {
        ::close(fd);
        return error(Kind::Invalid, CredentialText::tr("%1 is open to others").arg(file),
                     CredentialText::tr("make it the user's own: chmod 600 %1").arg(file));
    }
    QByteArray bytes(kMaxSecret, '\0');
    qsizetype used = 0;
    ssize_t n = 0;
    while (used < bytes.size() && (n = ::read(fd, bytes.data() + used, size_t(bytes.size() - used))) > 0)
        used += n;
    const int readFailure = errno;
    ::close(fd);
    if (n < 0)
        return error(Kind::Unavailable, CredentialText::tr("%1 cannot be read: %2").arg(file, reason(readFailure)),
                     CredentialText::tr("check the disk and the rights of the user it runs as"));
    bytes.truncate(used);
    return bytes;
}

} // namespace voip
