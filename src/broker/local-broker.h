/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/broker.h"

G_BEGIN_DECLS

#define HARK_TYPE_LOCAL_BROKER (hark_local_broker_get_type ())
G_DECLARE_FINAL_TYPE (HarkLocalBroker, hark_local_broker, HARK, LOCAL_BROKER, GObject)

HarkBroker *hark_local_broker_new (void);

G_END_DECLS
