/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/config.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define HARK_TYPE_APP (hark_app_get_type ())
G_DECLARE_FINAL_TYPE (HarkApp, hark_app, HARK, APP, GObject)

/*
 * The daemon, put together. Signals: `failed` (GError): it cannot go on; `stopped`: hark_app_stop () has finished.
 */

/* Reads the configuration again. Returns: (transfer full) (nullable): %NULL when it has a mistake, which was said. */
typedef HarkConfig *(*HarkAppReloadFunc) (gpointer data);

/* Somebody asks for hark_app_upgrade (). @task: (transfer full): to be returned TRUE or an error. */
typedef void (*HarkAppUpgradeFunc) (GTask *task, gpointer data);

HarkApp *hark_app_new (HarkConfig *config, gboolean demo);
void hark_app_set_reload (HarkApp *self, HarkAppReloadFunc func, gpointer data);
gboolean hark_app_start (HarkApp *self, GError **error);
gboolean hark_app_reload (HarkApp *self, GError **error);
void hark_app_stop (HarkApp *self);

/* Handing on to another process. */
void hark_app_set_upgrade (HarkApp *self, HarkAppUpgradeFunc func, gpointer data);
void hark_app_take_handoff (HarkApp *self, int fd);
gboolean hark_app_upgrade (HarkApp *self, GError **error);
gboolean hark_app_restart (HarkApp *self);
int hark_app_steal_handoff (HarkApp *self);

G_END_DECLS
