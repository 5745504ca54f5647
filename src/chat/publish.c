/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events of applications, which Hark carries without knowing what they mean. On a topic they are stored, so that who
 * was away gets them, and rules of the configuration say whose they may be; in a room they are for who is there.
 */
#include "chat/publish.h"

#include "base/error.h"
#include "chat/draft.h"
#include "chat/request.h"
#include "chat/topic-rules.h"

#include <string.h>

#define MAX_KIND 32
#define DEFAULT_KIND "publication"

struct _HarkPublish
{
  HarkHub *hub;     /* unowned */
  HarkStore *store; /* unowned */
  HarkRooms *rooms; /* unowned */
  const HarkChatLimits *limits;
  HarkCounter *n_refused;
};

typedef struct
{
  HarkRequest parent;
  HarkTopic topic; /* (owned) */
  HarkAsker asker;
  char *kind;
  char *data; /* JSON */
  gsize len;  /* bytes in @data */
} Publication;

static void
publication_clear (gpointer data)
{
  Publication *self = data;
  hark_topic_clear (&self->topic);
  g_free (self->kind);
  g_free (self->data);
}

static gboolean
check_rules (Publication *self, HarkTransaction *tx, GError **error)
{
  HarkPublish *publish = self->parent.concern;
  gboolean may;
  /* What belongs to Hark's own things is an administrator's, as it always was. */
  if (self->topic.name == NULL)
    may = (self->asker.flags & HARK_IDENTITY_ADMIN) != 0;
  else if (!hark_topic_rules_check (publish->limits->rules, tx, &self->topic, HARK_TOPIC_PUBLISH, &self->asker, &may,
                                    error))
    return FALSE;
  if (may)
    return TRUE;
  hark_counter_add (publish->n_refused, 1);
  g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"topic\": you may not publish there");
  return FALSE;
}

static gboolean
publish_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Publication *self = data;
  char text[HARK_TOPIC_MAX + 1];
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  if (!check_rules (self, tx, error))
    return FALSE;
  if (!hark_draft_begin (&draft, tx, &self->topic, self->kind, error))
    return FALSE;
  hark_json_writer_member_string (&draft.json, "topic", hark_topic_format (&self->topic, text));
  hark_json_writer_member_raw (&draft.json, "data", self->data, self->len);
  if ((self->asker.flags & (HARK_IDENTITY_ADMIN | HARK_IDENTITY_BACKEND)) == 0)
    hark_json_writer_member_id (&draft.json, "author_id", self->asker.user_id);
  hark_json_writer_member_int (&self->parent.reply, "seq", draft.position.seq);
  return hark_draft_end (&draft, tx, NULL, NULL, error);
}

/* Kinds are interned for ever, so nobody but an administrator may make them up. */
static gboolean
check_kind (const char *kind, gboolean is_admin, GError **error)
{
  if (!is_admin)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"kind\": to choose one is for administrators");
      return FALSE;
    }
  if (*kind != '\0' && kind[strspn (kind, G_CSET_a_2_z G_CSET_DIGITS "_")] == '\0')
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"kind\" must be 1 to %d of a-z, 0-9 and \"_\"", MAX_KIND);
  return FALSE;
}

static void
publish_on_topic (HarkPublish *publish, HarkCommand *command)
{
  const HarkJsonObject *args = command->args;
  Publication *self = hark_request_new (sizeof *self, command, publish, publication_clear);
  g_autofree char *topic = NULL;
  HarkJsonSlice data;
  GError *error = NULL;
  if (!hark_json_object_get_string (args, "topic", HARK_FIELD_REQUIRED, HARK_TOPIC_MAX, &topic, &error)
      || !hark_topic_parse (topic, &self->topic, &error)
      || !hark_json_object_get_raw (args, "data", HARK_FIELD_REQUIRED, &data, &error)
      || !hark_json_object_get_string (args, "kind", HARK_FIELD_OPTIONAL, MAX_KIND, &self->kind, &error)
      || (self->kind != NULL && !check_kind (self->kind, self->parent.is_admin, &error)))
    {
      hark_request_refuse (self, error);
      return;
    }
  if (hark_topic_is_reserved (&self->topic))
    {
      hark_request_refuse (self, g_error_new (HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"topic\": \"%s\" is reserved", topic));
      return;
    }
  if (self->kind == NULL)
    self->kind = g_strdup (DEFAULT_KIND);
  self->asker = (HarkAsker){ self->parent.actor, command->actor != NULL ? command->actor->flags : HARK_IDENTITY_NONE };
  self->data = g_strndup (data.data, data.len);
  self->len = data.len;
  hark_request_write (self, publish->store, publish_in_thread, NULL);
}

static void
on_publish (HarkCommand *command, gpointer concern)
{
  HarkPublish *self = concern;
  if (hark_json_object_get (command->args, "room") != NULL)
    {
      hark_rooms_take_publication (self->rooms, command);
      return;
    }
  publish_on_topic (self, command);
}

static const HarkCommandSpec specs[] = {
  { "publish", HARK_COMMAND_ANONYMOUS | HARK_COMMAND_HTTP | HARK_COMMAND_BACK_END, "messages", on_publish },
};

HarkPublish *
hark_publish_new (HarkHub *hub, HarkStore *store, HarkRooms *rooms, HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkPublish *self = g_new0 (HarkPublish, 1);
  self->hub = hub;
  self->store = store;
  self->rooms = rooms;
  self->limits = limits;
  self->n_refused = hark_metrics_counter (metrics, "hark_topic_publish_refused_total",
                                          "Publications that the rules about topics did not allow.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_publish_free (HarkPublish *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
