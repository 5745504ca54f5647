/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "core/command.h"
#include "core/quota.h"

G_BEGIN_DECLS

#define HARK_TYPE_DISPATCHER (hark_dispatcher_get_type ())
G_DECLARE_FINAL_TYPE (HarkDispatcher, hark_dispatcher, HARK, DISPATCHER, GObject)

HarkDispatcher *hark_dispatcher_new (HarkQuota *quota, HarkMetrics *metrics);
void hark_dispatcher_add (HarkDispatcher *self, const HarkCommandSpec *specs, guint n_specs, gpointer concern);
void hark_dispatcher_remove (HarkDispatcher *self, gpointer concern);
gboolean hark_dispatcher_has (HarkDispatcher *self, const char *name);
gboolean hark_dispatcher_get_flags (HarkDispatcher *self, const char *name, HarkCommandFlags *flags);
HarkJsonWriter *hark_dispatcher_get_writer (HarkDispatcher *self);
void hark_dispatcher_dispatch (HarkDispatcher *self, HarkCommand *command, const char *name, gsize name_len,
                               const HarkJsonObject *args);
void hark_dispatcher_call_from (HarkDispatcher *self, HarkIdentity *actor, const char *peer, const char *name,
                                const char *args, HarkCommandAnswer answer, gpointer data);
void hark_dispatcher_call (HarkDispatcher *self, HarkIdentity *actor, const char *name, const char *args,
                           HarkCommandAnswer answer, gpointer data);

G_END_DECLS
