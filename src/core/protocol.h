/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct _HarkSession HarkSession;

#define HARK_TYPE_PROTOCOL (hark_protocol_get_type ())
G_DECLARE_INTERFACE (HarkProtocol, hark_protocol, HARK, PROTOCOL, GObject)

/**
 * HarkProtocol:
 * @name: "native", "socket.io"
 * @keeps_time: whether it ends by itself the session of who does not say who it is in time
 * @opened: a session of this protocol begins: the place for a greeting
 * @receive: a message came; what it asks for goes to hark_session_command () or hark_session_refuse ()
 *
 * What messages mean. Stateless protocols are one object for all sessions, others one for each.
 */
struct _HarkProtocolInterface
{
  GTypeInterface parent_iface;
  const char *name;
  gboolean keeps_time;
  void (*opened) (HarkProtocol *self, HarkSession *session);
  void (*receive) (HarkProtocol *self, HarkSession *session, const guint8 *data, gsize len, gboolean binary);
};

const char *hark_protocol_get_name (HarkProtocol *self);
gboolean hark_protocol_keeps_time (HarkProtocol *self);
void hark_protocol_opened (HarkProtocol *self, HarkSession *session);
void hark_protocol_receive (HarkProtocol *self, HarkSession *session, const guint8 *data, gsize len, gboolean binary);

G_END_DECLS
