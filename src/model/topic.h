/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  HARK_TOPIC_SERVER,  /* server/7 */
  HARK_TOPIC_CHANNEL, /* channel/42 */
  HARK_TOPIC_USER,    /* user/9: status, name and picture of a user, to those who have loaded that user */
  HARK_TOPIC_INBOX,   /* inbox/9: what is for a user alone */
  /* personal/9: what every session of a user gets unasked; not to be subscribed to */
  HARK_TOPIC_PERSONAL,
  HARK_TOPIC_MEMBERS, /* members/7: who belongs to a server, to those who have loaded that part of the list */
  HARK_TOPIC_ROOM,    /* room/lobby */
  HARK_TOPIC_APP,     /* app/anything */
  HARK_N_TOPIC_KINDS
} HarkTopicKind;

/**
 * HarkTopic:
 *
 * The address of something that can change. A value: compare with hark_topic_equal (), never by pointer. Topics with
 * an id carry it as a number, because a session that has loaded a thousand users must not keep a thousand strings;
 * rooms and applications' topics carry an interned name.
 */
typedef struct
{
  HarkTopicKind kind;
  gint64 id;        /* 0 when there is a name */
  const char *name; /* (nullable): interned, held by whoever keeps the topic; see hark_topic_copy () */
} HarkTopic;

/* Bytes of a topic's text at most, without the 0 byte. */
#define HARK_TOPIC_MAX 255

static inline HarkTopic
hark_topic (HarkTopicKind kind, gint64 id)
{
  HarkTopic topic = { kind, id, NULL };
  return topic;
}

/* Whether its name is one that no client can subscribe to and nobody publish on: some part of Hark keeps it for itself. */
static inline gboolean
hark_topic_is_reserved (const HarkTopic *self)
{
  return self->name != NULL && self->name[0] == '~';
}

gboolean hark_topic_parse (const char *text, HarkTopic *topic, GError **error);
HarkTopic hark_topic_copy (const HarkTopic *self);
void hark_topic_clear (HarkTopic *self);
/* A number that stands for the topic while it is held: for comparing, not for keeping. */
static inline guint64
hark_topic_key (const HarkTopic *self)
{
  return (self->name != NULL ? (guint64)(gsize)self->name : (guint64)self->id) * 8 + self->kind + 1;
}

guint hark_topic_hash (gconstpointer self);
gboolean hark_topic_equal (gconstpointer a, gconstpointer b);
const char *hark_topic_format (const HarkTopic *self, char out[HARK_TOPIC_MAX + 1]);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkTopic, hark_topic_clear)

G_END_DECLS
