/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Topics: parsing, comparing, writing. Their text form is what D-Bus, the event log and clients' cursors use. */
#include "model/topic.h"

#include "base/error.h"
#include "base/ids.h"

#include <string.h>

static const char *const kind_names[HARK_N_TOPIC_KINDS] = { "server", "channel", "user", "inbox", "room", "app" };

static gboolean
has_name (HarkTopicKind kind)
{
  return kind == HARK_TOPIC_ROOM || kind == HARK_TOPIC_APP;
}

/**
 * hark_topic_parse:
 * @text: "server/ID", "channel/ID", "user/ID", "inbox/ID", "room/NAME" or "app/NAME"; a NAME is valid UTF-8 without
 *   control characters and spaces, the whole of at most %HARK_TOPIC_MAX bytes
 * @topic: (out caller-allocates): to be cleared with hark_topic_clear ()
 *
 * Returns: whether @text is a topic; otherwise %HARK_ERROR_BAD_REQUEST
 */
gboolean
hark_topic_parse (const char *text, HarkTopic *topic, GError **error)
{
  const char *slash = strchr (text, '/');
  const char *rest = slash != NULL ? slash + 1 : NULL;
  HarkTopic found = { HARK_N_TOPIC_KINDS, 0, NULL };
  for (guint i = 0; slash != NULL && i < HARK_N_TOPIC_KINDS; i++)
    if (strlen (kind_names[i]) == (gsize)(slash - text) && strncmp (kind_names[i], text, slash - text) == 0)
      found.kind = i;
  if (found.kind == HARK_N_TOPIC_KINDS || *rest == '\0' || strlen (text) > HARK_TOPIC_MAX)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "\"topic\" must be server/ID, channel/ID, user/ID, inbox/ID, room/NAME or app/NAME, of at most %d bytes",
                   HARK_TOPIC_MAX);
      return FALSE;
    }
  if (!has_name (found.kind))
    {
      if (!hark_id_parse (rest, strlen (rest), &found.id))
        {
          g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"topic\": what follows %s/ must be an id",
                       kind_names[found.kind]);
          return FALSE;
        }
      *topic = found;
      return TRUE;
    }
  for (const char *p = rest; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char_validated (p, -1);
      if (c == (gunichar)-1 || c == (gunichar)-2 || g_unichar_iscntrl (c) || g_unichar_isspace (c))
        {
          g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                       "\"topic\": a name is text without spaces and control characters");
          return FALSE;
        }
    }
  found.name = g_ref_string_new_intern (rest);
  *topic = found;
  return TRUE;
}

/* A copy that holds its name. */
HarkTopic
hark_topic_copy (const HarkTopic *self)
{
  HarkTopic copy = *self;
  if (copy.name != NULL)
    g_ref_string_acquire ((char *)copy.name);
  return copy;
}

void
hark_topic_clear (HarkTopic *self)
{
  if (self->name != NULL)
    {
      g_ref_string_release ((char *)self->name);
      self->name = NULL;
    }
}

guint
hark_topic_hash (gconstpointer data)
{
  return (hark_topic_key (data) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 32;
}

gboolean
hark_topic_equal (gconstpointer a, gconstpointer b)
{
  const HarkTopic *left = a, *right = b;
  return left->id == right->id && left->kind == right->kind && left->name == right->name;
}

/* Returns: @out, with the topic's text */
const char *
hark_topic_format (const HarkTopic *self, char out[HARK_TOPIC_MAX + 1])
{
  char digits[HARK_ID_LEN];
  const char *rest = self->name != NULL ? self->name : hark_id_format (self->id, digits);
  gsize n = strlen (kind_names[self->kind]);
  memcpy (out, kind_names[self->kind], n);
  out[n++] = '/';
  g_strlcpy (out + n, rest, HARK_TOPIC_MAX + 1 - n);
  return out;
}
