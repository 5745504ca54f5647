/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Topics: parsing, comparing, writing. Their text form is what D-Bus, the event log and clients' cursors use. */
#include "model/topic.h"

#include "base/error.h"
#include "base/ids.h"

#include <string.h>

static const char *const kind_names[HARK_N_TOPIC_KINDS]
  = { "server", "channel", "user", "inbox", "personal", "members", "room", "app" };

/* Names, one copy of each. Not GRefString's: GLib 2.74 may hand out an interned string that another thread is just
 * letting go of, and topics are read in the store's threads as well as in the hub's. */
typedef struct
{
  guint refs; /* guarded by names_lock */
  char text[];
} Name;

static GMutex names_lock;
static GHashTable *names; /* (nullable): text → Name; guarded by names_lock */

static Name *
name_of (const char *text)
{
  return (Name *)(gpointer)(text - G_STRUCT_OFFSET (Name, text));
}

static const char *
name_intern (const char *text)
{
  Name *name;
  g_mutex_lock (&names_lock);
  if (names == NULL)
    names = g_hash_table_new (g_str_hash, g_str_equal);
  name = g_hash_table_lookup (names, text);
  if (name == NULL)
    {
      gsize size = strlen (text) + 1;
      name = g_malloc (sizeof (Name) + size);
      name->refs = 0;
      memcpy (name->text, text, size);
      g_hash_table_insert (names, name->text, name);
    }
  name->refs++;
  g_mutex_unlock (&names_lock);
  return name->text;
}

static void
name_acquire (const char *text)
{
  g_mutex_lock (&names_lock);
  name_of (text)->refs++;
  g_mutex_unlock (&names_lock);
}

static void
name_release (const char *text)
{
  Name *name = name_of (text);
  g_mutex_lock (&names_lock);
  if (--name->refs == 0)
    {
      g_hash_table_remove (names, text);
      g_free (name);
      if (g_hash_table_size (names) == 0)
        g_clear_pointer (&names, g_hash_table_unref);
    }
  g_mutex_unlock (&names_lock);
}

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
                   "\"topic\" must be server/ID, channel/ID, user/ID, inbox/ID, room/NAME or app/NAME, of at most %d "
                   "bytes",
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
  found.name = name_intern (rest);
  *topic = found;
  return TRUE;
}

/* A copy that holds its name. */
HarkTopic
hark_topic_copy (const HarkTopic *self)
{
  HarkTopic copy = *self;
  if (copy.name != NULL)
    name_acquire (copy.name);
  return copy;
}

void
hark_topic_clear (HarkTopic *self)
{
  if (self->name != NULL)
    {
      name_release (self->name);
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
