/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is a packet is one again when it is written from its parts; attachments that are put into a payload come out of
 * it as they were; and what a packet's parts point to lies inside it.
 */
#include "protocol/socketio-codec.h"

#include "base/error.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
assert_inside (HarkJsonSlice slice, const char *text, gsize len)
{
  g_assert_true (slice.len == 0 || (slice.data >= text && slice.data + slice.len <= text + len));
}

static void
check_payload (const HarkSocketioPacket *packet, guint n_attachments)
{
  g_autoptr (GString) embedded = g_string_new (NULL);
  g_autoptr (GString) extracted = g_string_new (NULL);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  GBytes *attachments[HARK_SOCKETIO_MAX_ATTACHMENTS];
  HarkSocketioPacket again = *packet;
  g_autoptr (GError) error = NULL;
  gboolean ok;
  for (guint i = 0; i < n_attachments; i++)
    attachments[i] = g_bytes_new (&i, sizeof i);
  ok = hark_socketio_embed (embedded, packet->payload.data, packet->payload.len, attachments, n_attachments, &error);
  g_assert_cmpint (ok, ==, error == NULL);
  if (ok)
    {
      g_assert_true (hark_socketio_read_payload (&again, embedded->str, embedded->len, NULL));
      g_assert_cmpuint (again.n_args, ==, packet->n_args);
      hark_socketio_extract (extracted, embedded->str, embedded->len, found);
      g_assert_cmpuint (found->len, <=, HARK_SOCKETIO_MAX_ATTACHMENTS);
      g_assert_true (hark_socketio_read_payload (&again, extracted->str, extracted->len, NULL));
      g_assert_cmpuint (again.n_args, ==, packet->n_args);
    }
  for (guint i = 0; i < n_attachments; i++)
    g_bytes_unref (attachments[i]);
}

static void
check_written (const HarkSocketioPacket *packet)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *nsp = g_strndup (packet->nsp.data, packet->nsp.len);
  HarkSocketioPacket again;
  if (strlen (nsp) != packet->nsp.len)
    return;
  hark_socketio_append_header (text, packet->type, packet->n_attachments, nsp, packet->id);
  g_string_append_len (text, packet->payload.data, packet->payload.len);
  g_assert_true (hark_socketio_parse (&again, text->str, text->len, NULL));
  g_assert_cmpuint (again.type, ==, packet->type);
  g_assert_cmpuint (again.n_attachments, ==, packet->n_attachments);
  g_assert_cmpint (again.id, ==, packet->id);
  g_assert_cmpmem (again.nsp.data, again.nsp.len, packet->nsp.data, packet->nsp.len);
  g_assert_cmpmem (again.args.data, again.args.len, packet->args.data, packet->args.len);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *)data;
  HarkSocketioPacket packet;
  g_autoptr (GError) error = NULL;
  gboolean ok = hark_socketio_parse (&packet, text, size, &error);
  g_assert_cmpint (ok, ==, error == NULL);
  if (!ok)
    {
      g_assert_true (error->domain == HARK_ERROR);
      g_assert_true (hark_utf8_validate ((const guint8 *)error->message, strlen (error->message)));
      return 0;
    }
  g_assert_true (packet.nsp.len == 1 || packet.nsp.data >= text);
  assert_inside (packet.payload, text, size);
  assert_inside (packet.name, text, size);
  assert_inside (packet.args, text, size);
  check_written (&packet);
  if (packet.payload.data != NULL)
    check_payload (&packet, packet.n_attachments);
  return 0;
}
