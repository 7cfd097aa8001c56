// SPDX-License-Identifier: Apache-2.0
// Symbol visibility of libvoiphost, the small shared library that host and plugin have in common: it holds the
// meta-objects of the QObject-based services, so that both sides mean the same ones.
#pragma once

#include <QtGlobal>

#if defined(VOIPHOST_BUILD)
#define VOIPHOST_EXPORT Q_DECL_EXPORT
#else
#define VOIPHOST_EXPORT Q_DECL_IMPORT
#endif
