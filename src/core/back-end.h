/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define HARK_TYPE_BACK_END (hark_back_end_get_type ())
G_DECLARE_INTERFACE (HarkBackEnd, hark_back_end, HARK, BACK_END, GObject)

/* How it went: @error: (nullable): why it was not taken. Never called from within deliver (). */
typedef void (*HarkBackEndDone) (const GError *error, gpointer data);

/**
 * HarkBackEnd:
 * @deliver: hands over what happened; @json is the complete object, and valid during the call
 *
 * A program of the application's that is told what its users do. The port is one delivery at a time, in order; whoever
 * calls keeps what was not taken.
 */
struct _HarkBackEndInterface
{
  GTypeInterface parent_iface;
  void (*deliver) (HarkBackEnd *self, const char *id, const char *kind, const char *json, gsize len,
                   HarkBackEndDone done, gpointer data);
};

void hark_back_end_deliver (HarkBackEnd *self, const char *id, const char *kind, const char *json, gsize len,
                            HarkBackEndDone done, gpointer data);

G_END_DECLS
