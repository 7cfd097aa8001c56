// SPDX-License-Identifier: Apache-2.0
#include "crypto/encoding.h"

#include "crypto/secret.h"

#include <QJsonArray>
#include <QStringList>

#include <algorithm>
#include <cmath>

namespace voip::crypto
{

namespace
{

constexpr double maxInteger = 9007199254740991.0; // 2^53 - 1
constexpr int maxDepth = 100;

bool isBase64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool isUnicode(QStringView text)
{
    for (qsizetype i = 0; i < text.size(); ++i) {
        if (!text[i].isSurrogate())
            continue;
        if (!text[i].isHighSurrogate() || i + 1 == text.size() || !text[i + 1].isLowSurrogate())
            return false;
        ++i;
    }
    return true;
}

bool append(QByteArray &out, const QString &text)
{
    if (!isUnicode(text))
        return false;
    out += '"';
    const QByteArray bytes = text.toUtf8();
    for (const char c : bytes) {
        const auto code = static_cast<unsigned char>(c);
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\b':
            out += "\\b";
            break;
        case '\f':
            out += "\\f";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            if (code < 0x20)
                out += "\\u" + QByteArray::number(code, 16).rightJustified(4, '0');
            else
                out += c;
        }
    }
    out += '"';
    return true;
}

bool append(QByteArray &out, const QJsonValue &value, int depth);

bool append(QByteArray &out, const QJsonObject &object, int depth)
{
    QStringList keys = object.keys();
    std::sort(keys.begin(), keys.end(),
              [](const QString &a, const QString &b) { return a.toUtf8() < b.toUtf8(); }); // the order of code points
    out += '{';
    for (qsizetype i = 0; i < keys.size(); ++i) {
        if (i > 0)
            out += ',';
        if (!append(out, keys[i]))
            return false;
        out += ':';
        if (!append(out, object.value(keys[i]), depth + 1))
            return false;
    }
    out += '}';
    return true;
}

bool append(QByteArray &out, const QJsonArray &array, int depth)
{
    out += '[';
    for (qsizetype i = 0; i < array.size(); ++i) {
        if (i > 0)
            out += ',';
        if (!append(out, array.at(i), depth + 1))
            return false;
    }
    out += ']';
    return true;
}

bool append(QByteArray &out, const QJsonValue &value, int depth)
{
    if (depth > maxDepth)
        return false;
    switch (value.type()) {
    case QJsonValue::Null:
        out += "null";
        return true;
    case QJsonValue::Bool:
        out += value.toBool() ? "true" : "false";
        return true;
    case QJsonValue::Double: {
        const double number = value.toDouble();
        if (std::trunc(number) != number || std::abs(number) > maxInteger)
            return false;
        out += QByteArray::number(static_cast<qint64>(number));
        return true;
    }
    case QJsonValue::String:
        return append(out, value.toString());
    case QJsonValue::Array:
        return append(out, value.toArray(), depth);
    case QJsonValue::Object:
        return append(out, value.toObject(), depth);
    case QJsonValue::Undefined:
        return false;
    }
    return false;
}

} // namespace

Outcome<QByteArray> fromBase64(QByteArrayView text, qsizetype size)
{
    if (text.size() > maxBase64)
        return Fault::TooLarge;
    if (!std::all_of(text.begin(), text.end(), isBase64) || text.size() % 4 == 1)
        return Fault::BadBase64;
    QByteArray bytes =
        QByteArray::fromBase64(text.toByteArray(), QByteArray::Base64Encoding | QByteArray::OmitTrailingEquals);
    if ((size >= 0 && bytes.size() != size) || toBase64(bytes) != text) {
        wipe(bytes);
        return Fault::BadBase64;
    }
    return bytes;
}

QByteArray toBase64(QByteArrayView bytes)
{
    return QByteArray::fromRawData(bytes.data(), bytes.size())
        .toBase64(QByteArray::Base64Encoding | QByteArray::OmitTrailingEquals);
}

bool isKey(const QString &text)
{
    return fromBase64(text.toUtf8(), keySize).ok();
}

Outcome<QByteArray> canonicalJson(const QJsonObject &object)
{
    QByteArray out;
    if (!append(out, object, 0))
        return Fault::BadJson;
    return out;
}

} // namespace voip::crypto
