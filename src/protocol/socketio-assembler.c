/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A packet with binary data is several messages: its text, then its attachments in their order, and nothing between.
 * They are kept until the last one has come, and then stand in the packet's payload; see socketio-codec.h.
 */
#include "protocol/socketio-assembler.h"

#include "base/error.h"

#include <string.h>

static HarkSocketioProgress
fail (GError **error, HarkError code, const char *what)
{
  g_set_error (error, HARK_ERROR, code, "invalid packet: %s", what);
  return HARK_SOCKETIO_WRONG;
}

static void
drop_parts (HarkSocketioAssembler *self)
{
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->attachments, g_ptr_array_unref);
  self->bytes = 0;
}

void
hark_socketio_assembler_clear (HarkSocketioAssembler *self)
{
  drop_parts (self);
  if (self->payload != NULL)
    g_string_free (g_steal_pointer (&self->payload), TRUE);
}

/**
 * hark_socketio_assembler_take_text:
 * @packet: (out caller-allocates): when it is whole: points into @data
 *
 * Raises %HARK_ERROR_BAD_REQUEST.
 */
HarkSocketioProgress
hark_socketio_assembler_take_text (HarkSocketioAssembler *self, const char *data, gsize len, HarkSocketioPacket *packet,
                                   GError **error)
{
  if (self->text != NULL)
    return fail (error, HARK_ERROR_BAD_REQUEST, "text where an attachment is due");
  if (!hark_socketio_parse (packet, data, len, error))
    return HARK_SOCKETIO_WRONG;
  if (packet->n_attachments == 0)
    return HARK_SOCKETIO_WHOLE;
  self->text = g_memdup2 (data, len);
  self->len = len;
  self->n_wanted = packet->n_attachments;
  self->attachments = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  return HARK_SOCKETIO_MORE;
}

static HarkSocketioProgress
put_together (HarkSocketioAssembler *self, HarkSocketioPacket *packet, GError **error)
{
  if (self->payload == NULL)
    self->payload = g_string_sized_new (self->len + self->bytes * 4 / 3 + 64);
  g_string_truncate (self->payload, 0);
  if (!hark_socketio_parse (packet, self->text, self->len, error)
      || !hark_socketio_embed (self->payload, packet->payload.data, packet->payload.len,
                               (GBytes *const *)self->attachments->pdata, self->attachments->len, error))
    return HARK_SOCKETIO_WRONG;
  /* What the packet's parts point to goes with the text: all of it is in the payload from here on, after the name. */
  g_string_append_len (self->payload, packet->nsp.data, packet->nsp.len);
  packet->nsp.data = self->payload->str + self->payload->len - packet->nsp.len;
  if (!hark_socketio_read_payload (packet, self->payload->str, self->payload->len - packet->nsp.len, error))
    return HARK_SOCKETIO_WRONG;
  return HARK_SOCKETIO_WHOLE;
}

/**
 * hark_socketio_assembler_take_binary:
 * @max_bytes: of all attachments of a packet
 * @packet: (out caller-allocates): when it is whole: points into @self, until it is given more
 *
 * Raises %HARK_ERROR_BAD_REQUEST and %HARK_ERROR_TOO_LARGE.
 */
HarkSocketioProgress
hark_socketio_assembler_take_binary (HarkSocketioAssembler *self, const guint8 *data, gsize len, gsize max_bytes,
                                     HarkSocketioPacket *packet, GError **error)
{
  HarkSocketioProgress progress;
  if (self->text == NULL)
    return fail (error, HARK_ERROR_BAD_REQUEST, "an attachment of nothing");
  self->bytes += len;
  if (self->bytes > max_bytes)
    return fail (error, HARK_ERROR_TOO_LARGE, "the attachments are too large");
  g_ptr_array_add (self->attachments, g_bytes_new (data, len));
  if (self->attachments->len < self->n_wanted)
    return HARK_SOCKETIO_MORE;
  progress = put_together (self, packet, error);
  drop_parts (self);
  return progress;
}
