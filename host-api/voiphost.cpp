// SPDX-License-Identifier: Apache-2.0
// libvoiphost: the meta-objects of the services in voiphost/ (see export.h). Holds no behaviour.
#include <voiphost/midcall.h>
#include <voiphost/plugin.h>
