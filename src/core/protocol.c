/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The port that gives messages their meaning; see protocol.h. */
#include "core/protocol.h"

#include "core/session.h"

G_DEFINE_INTERFACE (HarkProtocol, hark_protocol, G_TYPE_OBJECT)

static void
hark_protocol_default_init (HarkProtocolInterface *iface)
{
}

const char *
hark_protocol_get_name (HarkProtocol *self)
{
  return HARK_PROTOCOL_GET_IFACE (self)->name;
}

gboolean
hark_protocol_keeps_time (HarkProtocol *self)
{
  return HARK_PROTOCOL_GET_IFACE (self)->keeps_time;
}

void
hark_protocol_opened (HarkProtocol *self, HarkSession *session)
{
  HarkProtocolInterface *iface = HARK_PROTOCOL_GET_IFACE (self);
  if (iface->opened != NULL)
    iface->opened (self, session);
}

void
hark_protocol_receive (HarkProtocol *self, HarkSession *session, const guint8 *data, gsize len, gboolean binary)
{
  HARK_PROTOCOL_GET_IFACE (self)->receive (self, session, data, len, binary);
}
