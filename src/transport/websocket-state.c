/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An open connection as a dictionary, and back: so that another process goes on with it in the middle of whatever it was
 * in. What the kernel has is the kernel's; what was read and not yet parsed, what of a frame or a message is known, and
 * what is to be written yet, down to the rest of a frame that was half written, is here.
 */
#include "transport/websocket-state.h"

#include "transport/websocket-codec-private.h"
#include "transport/websocket-private.h"

#include "base/error.h"

#include <string.h>

/* Of one buffer in an outbox: its bytes, and what it is about. */
#define BUFFER_TYPE "(aytxx)"

static GVariant *
bytes_new (gconstpointer data, gsize len)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, len > 0 ? data : "", len, 1);
}

static void
save_codec (const HarkWebSocketCodec *codec, GVariantDict *dict)
{
  const HarkWebSocketPart *part = codec->part;
  g_variant_dict_insert_value (dict, "header", bytes_new (codec->header, codec->header_len));
  if (part == NULL)
    return;
  g_variant_dict_insert (dict, "opcode", "y", part->opcode);
  g_variant_dict_insert (dict, "taken", "t", (guint64)part->taken);
  g_variant_dict_insert (dict, "wire-len", "t", (guint64)part->wire_len);
  g_variant_dict_insert (dict, "fragments", "u", part->fragments);
  if (part->opcode != HARK_WEBSOCKET_CONTINUATION)
    g_variant_dict_insert_value (dict, "data", bytes_new (part->data, part->len));
  if (part->taken > 0)
    g_variant_dict_insert_value (dict, "control",
                                 bytes_new (part->control, MIN (part->taken, sizeof part->control)));
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
  return self->fd >= 0 && self->started && !self->parent_instance.closing && !self->close_queued && !self->close_received
         && !self->lingering && self->outbox == &self->parent_instance.outbox && !codec->finished
         && (codec->part == NULL || codec->part->inflater == NULL);
}

/**
 * hark_websocket_save:
 *
 * Returns: (transfer full): floating: what hark_websocket_restore () goes on with; for a connection that can be saved
 */
GVariant *
hark_websocket_save (HarkWebSocket *self)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  const HarkWebSocketInput *input = self->input;
  g_autofree char *address = NULL;
  g_return_val_if_fail (hark_websocket_can_be_saved (self), NULL);
  save_codec (&self->codec, &dict);
  address = hark_peer_address_dup_text (&self->address);
  g_variant_dict_insert (&dict, "address", "s", address);
  g_variant_dict_insert (&dict, "deflate", "b", (gboolean)self->codec.deflate);
  if (input != NULL && input->len > input->offset)
    g_variant_dict_insert_value (&dict, "input", bytes_new (input->data + input->offset, input->len - input->offset));
  if (self->outbox->count > 0)
    g_variant_dict_insert_value (&dict, "outbox", save_outbox (self->outbox));
  if (self->pong != NULL)
    g_variant_dict_insert_value (&dict, "pong", bytes_new (self->pong->data, self->pong->len));
  return g_variant_dict_end (&dict);
}

/* Returns: (nullable): the bytes of @key in @dict, as long as that is there */
static const guint8 *
look_up_bytes (GVariant *dict, const char *key, GVariant **holder, gsize *len)
{
  *len = 0;
  *holder = g_variant_lookup_value (dict, key, G_VARIANT_TYPE_BYTESTRING);
  return *holder != NULL ? g_variant_get_fixed_array (*holder, len, 1) : NULL;
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
  g_autoptr (GVariant) data_holder = NULL;
  g_autoptr (GVariant) control_holder = NULL;
  gsize len, control_len;
  const guint8 *data = look_up_bytes (state, "data", &data_holder, &len);
  const guint8 *control = look_up_bytes (state, "control", &control_holder, &control_len);
  HarkWebSocketPart *part;
  guint64 taken = 0, wire_len = 0;
  guint8 opcode;
  if (!g_variant_lookup (state, "opcode", "y", &opcode))
    return TRUE;
  codec->part = part = g_new0 (HarkWebSocketPart, 1);
  part->opcode = opcode;
  g_variant_lookup (state, "taken", "t", &taken);
  g_variant_lookup (state, "wire-len", "t", &wire_len);
  g_variant_lookup (state, "fragments", "u", &part->fragments);
  part->taken = taken;
  part->wire_len = wire_len;
  if (opcode > HARK_WEBSOCKET_BINARY || len > context->max_message || control_len > sizeof part->control)
    return set_bad (error, "message");
  if (control_len > 0)
    memcpy (part->control, control, control_len);
  part->data = g_memdup2 (data, len);
  part->len = part->allocated = len;
  hark_utf8_init (&part->utf8);
  return opcode != HARK_WEBSOCKET_TEXT || hark_utf8_feed (&part->utf8, part->data, len) || set_bad (error, "text");
}

static gboolean
restore_codec (HarkWebSocket *self, GVariant *state, GError **error)
{
  HarkWebSocketCodec *codec = &self->codec;
  g_autoptr (GVariant) holder = NULL;
  gsize len;
  const guint8 *header = look_up_bytes (state, "header", &holder, &len);
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
  g_autoptr (GVariant) outbox = g_variant_lookup_value (state, "outbox", G_VARIANT_TYPE ("a" BUFFER_TYPE));
  gsize n = outbox != NULL ? g_variant_n_children (outbox) : 0;
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
 * @state: from hark_websocket_save (), perhaps of another version of this program
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
  const guint8 *input = look_up_bytes (state, "input", &input_holder, &input_len);
  const guint8 *pong = look_up_bytes (state, "pong", &pong_holder, &pong_len);
  const char *address = NULL;
  gboolean deflate = FALSE;
  HarkWebSocket *self;
  g_variant_lookup (state, "address", "&s", &address);
  g_variant_lookup (state, "deflate", "b", &deflate);
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
