/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An open connection as a variant, and back: so that another process goes on with it in the middle of whatever it was
 * in. What the kernel has is the kernel's; what was read and not yet parsed, what of a frame or a message is known, and
 * what is to be written yet, down to the rest of a frame that was half written, is here.
 */
#include "transport/websocket-state.h"

#include "transport/websocket-codec-private.h"
#include "transport/websocket-private.h"

#include "base/error.h"

#include <string.h>

/* What is held of an unfinished frame or message: opcode, taken, wire_len, fragments, data, control. */
#define PART_TYPE "(yttuayay)"

/* Of one buffer in an outbox: its bytes, and what it is about. */
#define BUFFER_TYPE "(aytxx)"

static GVariant *
bytes_new (gconstpointer data, gsize len)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, len > 0 ? data : "", len, 1);
}

static GVariant *
save_part (const HarkWebSocketPart *part)
{
  GVariant *data, *control;
  if (part == NULL)
    return g_variant_new_maybe (G_VARIANT_TYPE (PART_TYPE), NULL);
  data = part->opcode != HARK_WEBSOCKET_CONTINUATION ? bytes_new (part->data, part->len) : bytes_new (NULL, 0);
  control = bytes_new (part->control, MIN (part->taken, sizeof part->control));
  return g_variant_new_maybe (NULL, g_variant_new ("(yttu@ay@ay)", part->opcode, (guint64)part->taken,
                                                   (guint64)part->wire_len, part->fragments, data, control));
}

static GVariant *
save_outbox (const HarkOutbox *outbox)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a" BUFFER_TYPE));
  for (guint i = 0; i < outbox->count; i++)
    {
      const HarkBuffer *buffer = hark_outbox_get_nth (outbox, i);
      gsize sent = i == 0 ? outbox->offset : 0;
      g_variant_builder_add (&builder, "(@aytxx)", bytes_new (buffer->data + sent, buffer->len - sent), buffer->key,
                             buffer->seq, buffer->rev);
    }
  return g_variant_builder_end (&builder);
}

/**
 * hark_websocket_can_be_saved:
 *
 * Returns: whether the connection can go on elsewhere: it is not ending, and not in the middle of a compressed message,
 *   since zlib does not let its state out
 */
gboolean
hark_websocket_can_be_saved (HarkWebSocket *self)
{
  const HarkWebSocketCodec *codec = &self->codec;
  return self->fd >= 0 && self->started && !self->parent_instance.closing && !self->close_queued
         && !self->close_received && !self->lingering && self->outbox == &self->parent_instance.outbox
         && !codec->finished && (codec->part == NULL || codec->part->inflater == NULL);
}

/**
 * hark_websocket_save:
 *
 * @self: that can be
 *
 * Returns: (transfer full): floating: of %HARK_WEBSOCKET_STATE_TYPE, what hark_websocket_restore () goes on with
 */
GVariant *
hark_websocket_save (HarkWebSocket *self)
{
  const HarkWebSocketCodec *codec = &self->codec;
  const HarkWebSocketInput *input = self->input;
  const HarkBuffer *pong = self->pong;
  g_autofree char *address = hark_peer_address_dup_text (&self->address);
  g_return_val_if_fail (hark_websocket_can_be_saved (self), NULL);
  return g_variant_new ("(sb@ay@m" PART_TYPE "@ay@a" BUFFER_TYPE "@aya{sv})", address, (gboolean)codec->deflate,
                        bytes_new (codec->header, codec->header_len), save_part (codec->part),
                        input != NULL ? bytes_new (input->data + input->offset, input->len - input->offset)
                                      : bytes_new (NULL, 0),
                        save_outbox (self->outbox),
                        bytes_new (pong != NULL ? pong->data : NULL, pong != NULL ? pong->len : 0), NULL);
}

/* Returns: the bytes of the child @i of @tuple, as long as @holder is held */
static const guint8 *
get_bytes (GVariant *tuple, gsize i, GVariant **holder, gsize *len)
{
  *holder = g_variant_get_child_value (tuple, i);
  return g_variant_get_fixed_array (*holder, len, 1);
}

static gboolean
set_bad (GError **error, const char *what)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "a connection's %s cannot be taken over", what);
  return FALSE;
}

static gboolean
restore_part (HarkWebSocketCodec *codec, HarkWebSocketContext *context, GVariant *state, GError **error)
{
  g_autoptr (GVariant) maybe = g_variant_get_child_value (state, 3);
  g_autoptr (GVariant) saved = g_variant_get_maybe (maybe);
  g_autoptr (GVariant) data_holder = NULL;
  g_autoptr (GVariant) control_holder = NULL;
  HarkWebSocketPart *part;
  gsize len, control_len;
  const guint8 *data, *control;
  guint64 taken, wire_len;
  if (saved == NULL)
    return TRUE;
  codec->part = part = g_new0 (HarkWebSocketPart, 1);
  g_variant_get (saved, "(yttu@ay@ay)", &part->opcode, &taken, &wire_len, &part->fragments, NULL, NULL);
  data = get_bytes (saved, 4, &data_holder, &len);
  control = get_bytes (saved, 5, &control_holder, &control_len);
  part->taken = taken;
  part->wire_len = wire_len;
  if (part->opcode > HARK_WEBSOCKET_BINARY || len > context->max_message || control_len > sizeof part->control)
    return set_bad (error, "message");
  if (control_len > 0)
    memcpy (part->control, control, control_len);
  part->data = g_memdup2 (data, len);
  part->len = part->allocated = len;
  hark_utf8_init (&part->utf8);
  return part->opcode != HARK_WEBSOCKET_TEXT || hark_utf8_feed (&part->utf8, part->data, len)
         || set_bad (error, "text");
}

static gboolean
restore_codec (HarkWebSocket *self, GVariant *state, GError **error)
{
  HarkWebSocketCodec *codec = &self->codec;
  g_autoptr (GVariant) holder = NULL;
  gsize len;
  const guint8 *header = get_bytes (state, 2, &holder, &len);
  if (len > sizeof codec->header)
    return set_bad (error, "header");
  if (len > 0)
    memcpy (codec->header, header, len);
  codec->header_len = len;
  return restore_part (codec, &self->reactor->context, state, error);
}

static gboolean
restore_outbox (HarkWebSocket *self, GVariant *state, GError **error)
{
  g_autoptr (GVariant) outbox = g_variant_get_child_value (state, 5);
  gsize n = g_variant_n_children (outbox);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) bytes = NULL;
      g_autoptr (HarkBuffer) buffer = NULL;
      guint64 key;
      gint64 seq, rev;
      gsize len;
      gconstpointer data;
      g_variant_get_child (outbox, i, "(@aytxx)", &bytes, &key, &seq, &rev);
      data = g_variant_get_fixed_array (bytes, &len, 1);
      buffer = hark_buffer_new (data, len);
      buffer->key = key;
      buffer->seq = seq;
      buffer->rev = rev;
      if (!hark_outbox_push (self->outbox, buffer, G_MAXSIZE))
        return set_bad (error, "outbox");
    }
  return TRUE;
}

/**
 * hark_websocket_restore:
 * @fd: (transfer full): the connection's descriptor
 * @state: of %HARK_WEBSOCKET_STATE_TYPE
 *
 * Goes on with a connection; hark_websocket_start () lets it read, as ever. Raises %HARK_ERROR_BAD_REQUEST when @state
 * cannot be: then the connection is cut.
 *
 * Returns: (transfer none) (nullable): as hark_reactor_adopt ()
 */
HarkWebSocket *
hark_websocket_restore (HarkReactor *reactor, int fd, GVariant *state, GError **error)
{
  g_autoptr (GVariant) input_holder = NULL;
  g_autoptr (GVariant) pong_holder = NULL;
  gsize input_len, pong_len;
  const guint8 *input = get_bytes (state, 4, &input_holder, &input_len);
  const guint8 *pong = get_bytes (state, 6, &pong_holder, &pong_len);
  const char *address;
  gboolean deflate;
  HarkWebSocket *self;
  g_variant_get_child (state, 0, "&s", &address);
  g_variant_get_child (state, 1, "b", &deflate);
  self = hark_reactor_adopt (reactor, fd, address, deflate, input, input_len);
  if (!restore_codec (self, state, error) || !restore_outbox (self, state, error))
    {
      hark_websocket_end (self);
      return NULL;
    }
  if (pong_len > 0)
    self->pong = hark_buffer_new (pong, pong_len);
  if (self->outbox->count > 0 || self->pong != NULL)
    hark_reactor_wake (reactor, self);
  return self;
}

/* Returns: (transfer full): floating: the state of a connection that is in the middle of nothing */
GVariant *
hark_websocket_state_new (const char *address, gboolean deflate)
{
  return g_variant_new ("(sb@ay@m" PART_TYPE "@ay@a" BUFFER_TYPE "@aya{sv})", address, deflate, bytes_new (NULL, 0),
                        save_part (NULL), bytes_new (NULL, 0),
                        g_variant_new_array (G_VARIANT_TYPE (BUFFER_TYPE), NULL, 0), bytes_new (NULL, 0), NULL);
}
