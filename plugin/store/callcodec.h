// SPDX-License-Identifier: Apache-2.0
// The words under which enums of call/, host-api and rows.h stand in the database (stable: rows outlive programs), and
// the JSON of a call's `detail` and a room's `members`. Reading checks everything: an unknown word, a missing or
// mistyped field is answered with the path of what is wrong, never with a guess.
#pragma once

#include "call/line.h"
#include "store/rows.h"

#include <voiphost/types.h>

#include <QJsonObject>

namespace voip::store
{

[[nodiscard]] QString toText(call::State state);
[[nodiscard]] QString toText(call::Side side);
[[nodiscard]] QString toText(call::EndReason reason);
[[nodiscard]] QString toText(call::Membership membership);
[[nodiscard]] QString toText(call::JoinRule rule);
[[nodiscard]] QString toText(voiphost::NoticeKind kind);
[[nodiscard]] QString toText(Form form);

[[nodiscard]] std::optional<call::State> stateFromText(const QString &text);
[[nodiscard]] std::optional<call::Side> sideFromText(const QString &text);
[[nodiscard]] std::optional<call::EndReason> reasonFromText(const QString &text);
[[nodiscard]] std::optional<call::Membership> membershipFromText(const QString &text);
[[nodiscard]] std::optional<call::JoinRule> joinRuleFromText(const QString &text);
[[nodiscard]] std::optional<voiphost::NoticeKind> noticeKindFromText(const QString &text);
[[nodiscard]] std::optional<Form> formFromText(const QString &text);

// What stands in `detail`: all of the call but the fields with columns of their own. An ended call has no SDP.
[[nodiscard]] QJsonObject detailOf(const call::Call &call);
// What of it history shows, in the form of the first version, which every program reads.
[[nodiscard]] QJsonObject summaryOf(const call::Call &call);
// Fills `call` from `detail`; gives the path of the first defect, or an empty string.
[[nodiscard]] QString readDetail(const QJsonObject &detail, call::Call &call);

[[nodiscard]] QJsonObject membersToJson(const QMap<QString, call::Membership> &members);
[[nodiscard]] QString readMembers(const QJsonObject &json, QMap<QString, call::Membership> &members);

} // namespace voip::store
