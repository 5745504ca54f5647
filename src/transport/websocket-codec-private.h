/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between websocket-codec.c, which reads frames, and websocket-state.c, which carries a codec into another process. */
#include "transport/websocket-codec.h"

#include "base/utf8.h"

G_BEGIN_DECLS

struct _HarkWebSocketPart
{
  guint8 *data; /* (owned): the message so far, unmasked and inflated */
  gsize len;
  gsize allocated;
  HarkInflater *inflater; /* (owned) (nullable) */
  gsize wire_len;         /* payload bytes of the message's frames that are complete */
  gsize taken;            /* payload bytes taken of the frame that is not */
  guint32 fragments;      /* complete frames of the message */
  HarkUtf8 utf8;
  guint8 opcode; /* of the message in progress; HARK_WEBSOCKET_CONTINUATION: none is */
  guint8 compressed;
  guint8 control[HARK_WEBSOCKET_MAX_CONTROL]; /* an unfinished control frame's payload */
};

G_END_DECLS
