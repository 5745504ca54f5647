/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The port to a program of the application's. */
#include "core/back-end.h"

G_DEFINE_INTERFACE (HarkBackEnd, hark_back_end, G_TYPE_OBJECT)

static void
hark_back_end_default_init (HarkBackEndInterface *iface)
{
}

void
hark_back_end_deliver (HarkBackEnd *self, const char *id, const char *kind, const char *json, gsize len,
                       HarkBackEndDone done, gpointer data)
{
  HARK_BACK_END_GET_IFACE (self)->deliver (self, id, kind, json, len, done, data);
}
