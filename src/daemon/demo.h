/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/dispatcher.h"

#include <gio/gio.h>

G_BEGIN_DECLS

void hark_demo_fill_async (HarkDispatcher *dispatcher, GAsyncReadyCallback callback, gpointer data);
gboolean hark_demo_fill_finish (GAsyncResult *result, gboolean *filled, GError **error);
char *hark_demo_describe (const char *address);

G_END_DECLS
