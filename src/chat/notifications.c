/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Telling users what has happened while they looked elsewhere. A notification is stored and sent in one breath with what
 * it tells of, to every session of its user; it stays until one of them acknowledges it, and who connects before that is
 * given it. Back ends raise them by the request `notify`, Hark itself inside the works of other concerns.
 */
#include "chat/notifications.h"

#include "base/error.h"
#include "chat/draft.h"
#include "chat/fields.h"
#include "chat/request.h"
#include "chat/rows.h"
#include "chat/user-ref.h"

#include <string.h>

/* Characters of an id, a name or a kind. */
#define MAX_WORD 200
#define MAX_PAGE 100
#define MAX_PAGE_BYTES (256 * 1024)

struct _HarkNotifications
{
  HarkHub *hub; /* unowned, as the next two */
  HarkStore *store;
  const HarkChatLimits *limits;
  HarkCounter *n_raised;
  HarkCounter *n_dropped;
  HarkCounter *n_acknowledged;
};

static const char *const names[]
  = { "message", "action", "action_id", "by_user", "action_content", "affected", "affected_id" };

static const char *
field_of (const HarkNotification *self, guint i)
{
  const char *const fields[G_N_ELEMENTS (names)]
    = { self->message,        self->action,   self->action_id,  self->by_user,
        self->action_content, self->affected, self->affected_id };
  return fields[i] != NULL ? fields[i] : "";
}

/* Works. */

/* @drop: (out): how many too many there are */
static gboolean
count_one (HarkNotifications *self, HarkTransaction *tx, gint64 user_id, gint64 *drop, GError **error)
{
  gint64 waiting;
  if (!hark_transaction_query_int64 (tx, &waiting, NULL, error,
                                     "INSERT INTO notification_counts (user_id, waiting) VALUES (?, 1)"
                                     " ON CONFLICT (user_id) DO UPDATE SET waiting = waiting + 1 RETURNING waiting",
                                     "i", user_id))
    return FALSE;
  *drop = MAX (waiting - self->limits->notifications_per_user, 0);
  return TRUE;
}

static gboolean
drop_oldest (HarkNotifications *self, HarkTransaction *tx, gint64 user_id, gint64 n, GError **error)
{
  if (n == 0)
    return TRUE;
  hark_counter_add (self->n_dropped, n);
  return hark_transaction_exec (tx, error,
                                "DELETE FROM notifications WHERE notification_id IN (SELECT notification_id"
                                " FROM notifications WHERE user_id = ? ORDER BY notification_id LIMIT ?)",
                                "ii", user_id, n)
         && hark_transaction_exec (tx, error, "UPDATE notification_counts SET waiting = waiting - ? WHERE user_id = ?",
                                   "ii", n, user_id);
}

static gboolean
store_notification (HarkNotifications *self, HarkTransaction *tx, gint64 user_id, const HarkNotification *notification,
                    gint64 *id, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_PERSONAL, user_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  const char *json;
  gsize len;
  gint64 drop;
  if (!hark_draft_begin (&draft, tx, &topic, "notification", error))
    return FALSE;
  *id = hark_transaction_next_id (tx);
  hark_json_writer_member_id (&draft.json, "id", *id);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    hark_json_writer_member_string (&draft.json, names[i], field_of (notification, i));
  hark_json_writer_member_time (&draft.json, "timestamp", hark_transaction_now_ms (tx));
  if (!hark_draft_end (&draft, tx, NULL, NULL, error))
    return FALSE;
  json = hark_json_writer_peek (&draft.json, &len);
  if (!hark_transaction_exec (tx, error,
                              "INSERT INTO notifications (notification_id, user_id, payload) VALUES (?, ?, ?)", "iiT",
                              *id, user_id, json, len)
      || !count_one (self, tx, user_id, &drop, error) || !drop_oldest (self, tx, user_id, drop, error))
    return FALSE;
  hark_counter_add (self->n_raised, 1);
  return TRUE;
}

/**
 * hark_notification_raise:
 * @user_id: exists
 *
 * For what Hark itself tells of: stores the notification and has it sent when the work is committed. Whether it is told
 * at all is for the configuration to say (`[notifications] raise`), by its action.
 */
gboolean
hark_notification_raise (HarkNotifications *self, HarkTransaction *tx, gint64 user_id,
                         const HarkNotification *notification, GError **error)
{
  gint64 id;
  if (!g_strv_contains (self->limits->notification_raised, notification->action))
    return TRUE;
  return store_notification (self, tx, user_id, notification, &id, error);
}

/* Tells a server's owner that somebody has come, of their own accord. */
gboolean
hark_notification_raise_member (HarkNotifications *self, HarkTransaction *tx, gint64 server_id, gint64 user_id,
                                GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autofree char *message = NULL;
  g_autofree char *username = NULL;
  g_autofree char *user = g_strdup_printf ("%" G_GINT64_FORMAT, user_id);
  g_autofree char *server = g_strdup_printf ("%" G_GINT64_FORMAT, server_id);
  HarkNotification notification = { 0 };
  gint64 owner_id;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT s.owner_id, s.name, u.username, u.displayname FROM servers s, users u"
                               " WHERE s.server_id = ? AND u.user_id = ?",
                               "ii", server_id, user_id)
      || !hark_rows_require (&rows, "server_id", error))
    return FALSE;
  owner_id = hark_rows_get_int64 (&rows, 0);
  username = g_strdup (hark_rows_get_text (&rows, 2, NULL));
  message = g_strdup_printf ("%s joined %s", hark_rows_get_text (&rows, 3, NULL), hark_rows_get_text (&rows, 1, NULL));
  hark_rows_end (&rows);
  if (owner_id == user_id)
    return TRUE;
  notification.message = message;
  notification.action = "member";
  notification.action_id = user;
  notification.by_user = username;
  notification.affected = "server";
  notification.affected_id = server;
  return hark_notification_raise (self, tx, owner_id, &notification, error);
}

static gboolean
get_waiting (HarkTransaction *tx, gint64 user_id, gint64 *waiting, GError **error)
{
  *waiting = 0;
  return hark_transaction_query_int64 (tx, waiting, NULL, error,
                                       "SELECT waiting FROM notification_counts WHERE user_id = ?", "i", user_id);
}

/* Gives the newest below @before, oldest first, as far as they come to no more than @max_bytes. */
static gboolean
read_page (HarkTransaction *tx, gint64 user_id, gint64 before, guint max, gsize max_bytes, HarkNotificationFunc func,
           gpointer data, guint *n, GError **error)
{
  g_autoptr (GPtrArray) page = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  gsize bytes = 0;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT payload FROM notifications WHERE user_id = ? AND notification_id < ?"
                               " ORDER BY notification_id DESC LIMIT ?",
                               "iii", user_id, before, (gint64)max))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gsize len;
      const char *json = hark_rows_get_text (&rows, 0, &len);
      bytes += len;
      if (bytes > max_bytes && page->len > 0)
        break;
      g_ptr_array_add (page, g_bytes_new (json, len));
    }
  *n = page->len;
  for (guint i = page->len; i > 0; i--)
    {
      gsize len;
      const char *json = g_bytes_get_data (page->pdata[i - 1], &len);
      func (json, len, data);
    }
  return hark_rows_check (&local_error, error);
}

/**
 * hark_notifications_read:
 * @waiting: (out): how many there are, with those that are not given
 *
 * Gives the newest @max that are not acknowledged, in order; fewer when they come to more than @max_bytes.
 */
gboolean
hark_notifications_read (HarkTransaction *tx, gint64 user_id, guint max, gsize max_bytes, HarkNotificationFunc func,
                         gpointer data, gint64 *waiting, GError **error)
{
  guint n;
  if (!get_waiting (tx, user_id, waiting, error))
    return FALSE;
  return *waiting == 0 || read_page (tx, user_id, G_MAXINT64, max, max_bytes, func, data, &n, error);
}

/* notify */

typedef struct
{
  HarkRequest parent;
  HarkUserRef user;
  char *fields[G_N_ELEMENTS (names)]; /* (nullable) */
} Notify;

static void
notify_clear (gpointer data)
{
  Notify *self = data;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_free (self->fields[i]);
}

static gboolean
notify_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Notify *self = data;
  HarkNotification notification = { self->fields[0], self->fields[1], self->fields[2], self->fields[3],
                                    self->fields[4], self->fields[5], self->fields[6] };
  gint64 user_id, id;
  if (!hark_user_ref_find (&self->user, tx, "user", &user_id, error)
      || !store_notification (self->parent.concern, tx, user_id, &notification, &id, error))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "id", id);
  return TRUE;
}

/* Ids may be written as numbers too: they are told as texts. */
static gboolean
get_text (const HarkJsonObject *args, const char *name, guint max_chars, char **out, GError **error)
{
  const HarkJsonValue *value = hark_json_object_get (args, name);
  if (value != NULL && value->token == HARK_JSON_INTEGER && g_str_has_suffix (name, "_id"))
    {
      *out = g_strndup (value->raw.data, value->raw.len);
      return TRUE;
    }
  return hark_field_get_text (args, name, HARK_FIELD_OPTIONAL, max_chars, out, error);
}

static gboolean
check_kind (const char *field, const char *text, const char *const *allowed, gboolean needed, GError **error)
{
  g_autofree char *list = NULL;
  if (text != NULL && *text != '\0' ? g_strv_contains (allowed, text) : !needed)
    return TRUE;
  list = g_strjoinv (", ", (char **)allowed);
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%s\" must be one of %s", field, list);
  return FALSE;
}

static gboolean
read_fields (Notify *self, const HarkChatLimits *limits, GError **error)
{
  const HarkJsonObject *args = self->parent.command->args;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      gboolean is_long = i == 0 || i == 4;
      if (!get_text (args, names[i], is_long ? limits->notification_chars : MAX_WORD, &self->fields[i], error))
        return FALSE;
    }
  if (self->fields[0] == NULL || *self->fields[0] == '\0')
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"message\" must not be empty");
      return FALSE;
    }
  return check_kind ("action", self->fields[1], limits->notification_actions, TRUE, error)
         && check_kind ("affected", self->fields[5], limits->notification_affected, FALSE, error);
}

static void
on_notify (HarkCommand *command, gpointer concern)
{
  HarkNotifications *notifications = concern;
  Notify *self = hark_request_new (sizeof *self, command, concern, notify_clear);
  GError *error = NULL;
  if (hark_user_ref_get (command->args, "user", &self->user, &error)
      && read_fields (self, notifications->limits, &error))
    hark_request_write (self, notifications->store, notify_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

/* ack_notification */

typedef struct
{
  HarkRequest parent;
  gint64 id;
  gint64 up_to;
  gint64 n; /* out */
} Acknowledge;

static gboolean
emit_acknowledged (Acknowledge *self, HarkTransaction *tx, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_PERSONAL, self->parent.actor);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  if (!hark_draft_begin (&draft, tx, &topic, "notification_acknowledged", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, self->id != 0 ? "id" : "up_to", self->id != 0 ? self->id : self->up_to);
  return hark_draft_end (&draft, tx, NULL, NULL, error);
}

static gboolean
acknowledge_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Acknowledge *self = data;
  gint64 waiting, lower = self->id != 0 ? self->id : 0, upper = self->id != 0 ? self->id : self->up_to;
  if (!hark_transaction_exec (tx, error,
                              "DELETE FROM notifications WHERE user_id = ? AND notification_id >= ? AND "
                              "notification_id <= ?",
                              "iii", self->parent.actor, lower, upper))
    return FALSE;
  self->n = hark_transaction_get_changes (tx);
  if (self->n > 0
      && (!hark_transaction_exec (tx, error, "UPDATE notification_counts SET waiting = waiting - ? WHERE user_id = ?",
                                  "ii", self->n, self->parent.actor)
          || !emit_acknowledged (self, tx, error)))
    return FALSE;
  if (!get_waiting (tx, self->parent.actor, &waiting, error))
    return FALSE;
  hark_json_writer_member_int (&self->parent.reply, "acknowledged", self->n);
  hark_json_writer_member_int (&self->parent.reply, "waiting", waiting);
  return TRUE;
}

static void
on_acknowledged (gpointer request)
{
  Acknowledge *self = request;
  hark_counter_add (((HarkNotifications *)self->parent.concern)->n_acknowledged, self->n);
}

static void
on_ack_notification (HarkCommand *command, gpointer concern)
{
  HarkNotifications *notifications = concern;
  Acknowledge *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "id", HARK_FIELD_OPTIONAL, &self->id, &error)
      && hark_json_object_get_id (command->args, "up_to", HARK_FIELD_OPTIONAL, &self->up_to, &error)
      && (self->id == 0) == (self->up_to == 0))
    g_set_error (&error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "either \"id\" or \"up_to\" must be there");
  if (error == NULL)
    hark_request_write (self, notifications->store, acknowledge_in_thread, on_acknowledged);
  else
    hark_request_refuse (self, error);
}

/* get_notifications */

typedef struct
{
  HarkRequest parent;
  gint64 before;
  gint64 limit;
} GetNotifications;

static void
write_one (const char *json, gsize len, gpointer data)
{
  hark_json_writer_raw (data, json, len);
}

static gboolean
get_notifications_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  GetNotifications *self = data;
  HarkJsonWriter *json = &self->parent.reply;
  gint64 waiting, below = 0;
  guint n;
  hark_json_writer_member (json, "notifications");
  hark_json_writer_begin_array (json);
  if (!read_page (tx, self->parent.actor, self->before, self->limit, MAX_PAGE_BYTES, write_one, json, &n, error)
      || !hark_transaction_query_int64 (tx, &below, NULL, error,
                                        "SELECT count(*) FROM (SELECT 1 FROM notifications WHERE user_id = ?"
                                        " AND notification_id < ? LIMIT ?)",
                                        "iii", self->parent.actor, self->before, (gint64)n + 1)
      || !get_waiting (tx, self->parent.actor, &waiting, error))
    return FALSE;
  hark_json_writer_end_array (json);
  hark_json_writer_member_boolean (json, "more", below > n);
  hark_json_writer_member_int (json, "waiting", waiting);
  return TRUE;
}

static void
on_get_notifications (HarkCommand *command, gpointer concern)
{
  HarkNotifications *notifications = concern;
  GetNotifications *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  self->before = G_MAXINT64;
  self->limit = MIN (notifications->limits->notification_page, MAX_PAGE);
  if (hark_json_object_get_id (command->args, "before", HARK_FIELD_OPTIONAL, &self->before, &error)
      && hark_json_object_get_int (command->args, "limit", HARK_FIELD_OPTIONAL, 1, MAX_PAGE, &self->limit, &error))
    hark_request_read (self, notifications->store, get_notifications_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "notify", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_notify },
  { "ack_notification", HARK_COMMAND_NONE, NULL, on_ack_notification },
  { "get_notifications", HARK_COMMAND_NONE, NULL, on_get_notifications },
};

HarkNotifications *
hark_notifications_new (HarkHub *hub, HarkStore *store, HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkNotifications *self = g_new0 (HarkNotifications, 1);
  self->hub = hub;
  self->store = store;
  self->limits = limits;
  self->n_raised = hark_metrics_counter (metrics, "hark_notifications_total", "Notifications stored.");
  self->n_dropped = hark_metrics_counter (metrics, "hark_notifications_dropped_total",
                                          "Notifications that were never acknowledged and gave way to newer ones.");
  self->n_acknowledged
    = hark_metrics_counter (metrics, "hark_notifications_acknowledged_total", "Notifications acknowledged.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_notifications_free (HarkNotifications *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
