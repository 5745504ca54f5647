/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "protocol/socketio-codec.h"

G_BEGIN_DECLS

/**
 * HarkSocketioAssembler:
 *
 * Makes packets of messages: one of text, and one of binary data for each attachment. Zeroed, it waits for text.
 */
typedef struct
{
  char *text; /* (owned) (nullable): of a packet whose attachments are still coming */
  gsize len;
  guint n_wanted;
  GPtrArray *attachments; /* (owned) (nullable) (element-type GBytes) */
  gsize bytes;            /* in @attachments */
  GString *payload;       /* (owned) (nullable): of the last packet that had any */
} HarkSocketioAssembler;

typedef enum
{
  HARK_SOCKETIO_WRONG, /* the connection is to be closed */
  HARK_SOCKETIO_MORE,  /* attachments are due */
  HARK_SOCKETIO_WHOLE  /* there is a packet */
} HarkSocketioProgress;

HarkSocketioProgress hark_socketio_assembler_take_text (HarkSocketioAssembler *self, const char *data, gsize len,
                                                        HarkSocketioPacket *packet, GError **error);
HarkSocketioProgress hark_socketio_assembler_take_binary (HarkSocketioAssembler *self, const guint8 *data, gsize len,
                                                          gsize max_bytes, HarkSocketioPacket *packet, GError **error);
void hark_socketio_assembler_clear (HarkSocketioAssembler *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkSocketioAssembler, hark_socketio_assembler_clear)

G_END_DECLS
