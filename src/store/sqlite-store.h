/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store/sqlite-options.h"

#include "core/store.h"
#include "core/turn.h"

#include "base/metrics.h"

G_BEGIN_DECLS

#define HARK_TYPE_SQLITE_STORE (hark_sqlite_store_get_type ())
G_DECLARE_FINAL_TYPE (HarkSqliteStore, hark_sqlite_store, HARK, SQLITE_STORE, GObject)

HarkSqliteStore *hark_sqlite_store_open (const char *path, const HarkSqliteOptions *options, HarkClock *clock,
                                         HarkIds *ids, HarkMetrics *metrics, GMainContext *hub_context, GError **error);
gboolean hark_sqlite_store_run_sync (HarkSqliteStore *self, HarkWork work, gpointer data, GError **error);
void hark_sqlite_store_set_turn (HarkSqliteStore *self, HarkTurn *turn);
void hark_sqlite_store_close (HarkSqliteStore *self);

G_END_DECLS
