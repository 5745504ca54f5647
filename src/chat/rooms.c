/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rooms: who is in one hears what the others in it say, as long as they are there. Nothing is stored, nobody needs an
 * account, and a room is there while somebody is in it. Who has no account is in the lobby from the start, so that a
 * page which opens a socket and greets has somebody to greet.
 */
#include "chat/rooms.h"

#include "base/error.h"
#include "chat/fields.h"

#define PAGE 100
#define MAX_PAGE 1000

/* Guests' ids are of the upper half of what an id can be, which ids made by time reach in the year 2059: nobody without
 * an account has the id of somebody who has, or will have, one. */
#define FIRST_GUEST (G_GINT64_CONSTANT (1) << 52)

typedef struct
{
  char *name;         /* (owned) */
  GPtrArray *members; /* (element-type HarkSession) (owned): unowned; they leave before they are gone */
} Room;

struct _HarkRooms
{
  HarkHub *hub; /* unowned, as the next */
  const HarkChatLimits *limits;
  GHashTable *rooms;     /* name → Room (owned) */
  GHashTable *sessions;  /* session id → GPtrArray of Room: those it is in */
  HarkJsonWriter writer; /* for one event at a time */
  HarkGauge *n_rooms;
  HarkCounter *n_sent;
  HarkCounter *n_too_many_rooms;
  HarkCounter *n_too_many_members;
  HarkCounter *n_too_many_joined;
  HarkCounter *n_too_large;
  gulong added_id;
  gulong removed_id;
};

static void
room_free (gpointer data)
{
  Room *self = data;
  g_free (self->name);
  g_ptr_array_unref (self->members);
  g_free (self);
}

/* Events. */

static HarkJsonWriter *
begin_event (HarkRooms *self, const char *type, const Room *room, const HarkIdentity *who)
{
  HarkJsonWriter *json = &self->writer;
  hark_json_writer_reset (json);
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "type", type);
  hark_json_writer_member_string (json, "room", room->name);
  hark_json_writer_member_id (json, "user_id", who->user_id);
  hark_json_writer_member_string (json, "username", who->username);
  return json;
}

/*
 * Gives all in the room but @but the event that was begun; encoded once for each wire there is among them. Who is too
 * slow for it ends, which changes the room, and may be its end: it is not to be used afterwards.
 */
static void
end_event (HarkRooms *self, const char *type, const Room *room, const HarkSession *but)
{
  HarkBuffer *encoded[HARK_MAX_WIRES] = { NULL };
  HarkTopic topic = hark_topic (HARK_TOPIC_INBOX, 0);
  g_autoptr (GPtrArray) members = g_ptr_array_copy (room->members, (GCopyFunc)(GCallback)g_object_ref, NULL);
  g_autoptr (HarkEvent) event = NULL;
  const char *text;
  gsize len;
  hark_json_writer_end_object (&self->writer);
  text = hark_json_writer_peek (&self->writer, &len);
  event = hark_event_new (&topic, 0, 0, type, text, len);
  g_ptr_array_set_free_func (members, g_object_unref);
  for (guint i = 0; i < members->len; i++)
    {
      HarkSession *session = members->pdata[i];
      HarkBuffer **units = &encoded[session->wire->index];
      if (session == but)
        continue;
      if (*units == NULL)
        {
          g_auto (HarkBuilder) builder = HARK_BUILDER_INIT;
          session->wire->append_event (session->wire, &builder, event);
          *units = hark_builder_finish (&builder);
        }
      if (*units != NULL)
        hark_session_send_units (session, *units);
    }
  for (guint i = 0; i < HARK_MAX_WIRES; i++)
    g_clear_pointer (&encoded[i], hark_buffer_unref);
}

static void
announce (HarkRooms *self, const char *type, const Room *room, const HarkIdentity *who, const HarkSession *but)
{
  begin_event (self, type, room, who);
  end_event (self, type, room, but);
}

/* Joining and leaving. */

static gboolean
is_in (HarkRooms *self, HarkSession *session, Room *room)
{
  GPtrArray *joined = g_hash_table_lookup (self->sessions, &session->id);
  return joined != NULL && g_ptr_array_find (joined, room, NULL);
}

static gboolean
too_many (HarkCounter *counter, GError **error, const char *what, guint max)
{
  hark_counter_add (counter, 1);
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"room\": %s, %u", what, max);
  return FALSE;
}

static gboolean
may_join (HarkRooms *self, HarkSession *session, const Room *room, GError **error)
{
  GPtrArray *joined = g_hash_table_lookup (self->sessions, &session->id);
  if (joined != NULL && joined->len >= self->limits->rooms_per_session)
    return too_many (self->n_too_many_joined, error, "this session is in as many as it can be",
                     self->limits->rooms_per_session);
  if (room == NULL && g_hash_table_size (self->rooms) >= self->limits->rooms)
    return too_many (self->n_too_many_rooms, error, "there are as many as there can be", self->limits->rooms);
  if (room != NULL && room->members->len >= self->limits->members_per_room)
    return too_many (self->n_too_many_members, error, "as many are in it as can be", self->limits->members_per_room);
  return TRUE;
}

static Room *
get_or_make (HarkRooms *self, const char *name)
{
  Room *room = g_hash_table_lookup (self->rooms, name);
  if (room != NULL)
    return room;
  room = g_new0 (Room, 1);
  room->name = g_strdup (name);
  room->members = g_ptr_array_new ();
  g_hash_table_insert (self->rooms, room->name, room);
  hark_gauge_set (self->n_rooms, g_hash_table_size (self->rooms));
  return room;
}

/* Returns: (transfer none): the room, which is there from now on, with the session in it */
static Room *
put_in (HarkRooms *self, HarkSession *session, const char *name)
{
  Room *room = get_or_make (self, name);
  GPtrArray *joined = g_hash_table_lookup (self->sessions, &session->id);
  if (joined == NULL)
    {
      joined = g_ptr_array_new ();
      g_hash_table_insert (self->sessions, g_memdup2 (&session->id, sizeof session->id), joined);
    }
  g_ptr_array_add (joined, room);
  g_ptr_array_add (room->members, session);
  return room;
}

/* @n_members: (out): with the newcomer, who hears of it like the others */
static gboolean
join (HarkRooms *self, HarkSession *session, const char *name, guint *n_members, GError **error)
{
  Room *room = g_hash_table_lookup (self->rooms, name);
  if (room != NULL && is_in (self, session, room))
    {
      *n_members = room->members->len;
      return TRUE;
    }
  if (!may_join (self, session, room, error))
    return FALSE;
  room = put_in (self, session, name);
  *n_members = room->members->len;
  announce (self, "user_joined", room, session->identity, NULL);
  return TRUE;
}

GVariant *
hark_rooms_save (HarkRooms *self, HarkSession *session)
{
  GPtrArray *joined = g_hash_table_lookup (self->sessions, &session->id);
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; joined != NULL && i < joined->len; i++)
    g_variant_builder_add (&builder, "s", ((Room *)joined->pdata[i])->name);
  return g_variant_builder_end (&builder);
}

/* Bounds that have become smaller hold for those who come. */
void
hark_rooms_restore (HarkRooms *self, HarkSession *session, GVariant *state)
{
  GVariantIter iter;
  const char *name;
  g_variant_iter_init (&iter, state);
  while (g_variant_iter_next (&iter, "&s", &name))
    {
      Room *room = g_hash_table_lookup (self->rooms, name);
      if (room == NULL || !is_in (self, session, room))
        put_in (self, session, name);
    }
}

/* The session is in the room, and no longer has it among those it is in. */
static void
take_out (HarkRooms *self, HarkSession *session, Room *room)
{
  g_ptr_array_remove_fast (room->members, session);
  if (room->members->len > 0)
    {
      announce (self, "user_left", room, session->identity, NULL);
      return;
    }
  g_hash_table_remove (self->rooms, room->name);
  hark_gauge_set (self->n_rooms, g_hash_table_size (self->rooms));
}

static void
on_hub_session_added (HarkHub *hub, HarkSession *session, HarkRooms *self)
{
  guint n_members;
  if ((session->identity->flags & HARK_IDENTITY_ANONYMOUS) == 0 || session->state != HARK_SESSION_OPEN)
    return;
  if (!join (self, session, HARK_ROOMS_LOBBY, &n_members, NULL))
    hark_session_close (session, HARK_CLOSE_TRY_LATER, "the lobby is full");
}

static void
on_hub_session_removed (HarkHub *hub, HarkSession *session, guint code, const char *reason, HarkRooms *self)
{
  g_autofree gint64 *id = NULL;
  g_autoptr (GPtrArray) joined = NULL;
  g_hash_table_steal_extended (self->sessions, &session->id, (gpointer *)&id, (gpointer *)&joined);
  /* Those that are still to come have it as a member, and so are there. */
  for (guint i = 0; joined != NULL && i < joined->len; i++)
    take_out (self, session, joined->pdata[i]);
}

/* Requests. */

static void
refuse (HarkCommand *command, GError *error)
{
  hark_command_take_error (command, error);
  hark_command_unref (command);
}

/* Who gave no ref does not expect to hear anything. */
static void
done (HarkCommand *command)
{
  if (command->ref != NULL)
    hark_command_reply_empty (command);
  else
    hark_command_end_silently (command);
  hark_command_unref (command);
}

static gboolean
count_too_large (HarkRooms *self, gboolean ok, GError **error)
{
  if (!ok && g_error_matches (*error, HARK_ERROR, HARK_ERROR_TOO_LARGE))
    hark_counter_add (self->n_too_large, 1);
  return ok;
}

static gboolean
check_session (HarkCommand *command, GError **error)
{
  if (command->session != NULL)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"room\": only sessions are in rooms");
  return FALSE;
}

static gboolean
get_room_name (HarkRooms *self, HarkCommand *command, HarkFieldNeed need, char **name, GError **error)
{
  return count_too_large (self,
                          hark_field_get_name (command->args, "room", need, self->limits->room_name_chars, name, error),
                          error);
}

/* Returns: (nullable): the room that the request names and its session is in; when it names none, the lobby */
static Room *
get_joined (HarkRooms *self, HarkCommand *command, HarkFieldNeed need, GError **error)
{
  g_autofree char *name = NULL;
  Room *room;
  if (!check_session (command, error) || !get_room_name (self, command, need, &name, error))
    return NULL;
  room = g_hash_table_lookup (self->rooms, name != NULL ? name : HARK_ROOMS_LOBBY);
  if (room != NULL && is_in (self, command->session, room))
    return room;
  g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"room\": this session is in no such room");
  return NULL;
}

static void
on_join (HarkCommand *command, gpointer concern)
{
  HarkRooms *self = concern;
  g_autofree char *name = NULL;
  HarkJsonWriter *json;
  guint n_members;
  GError *error = NULL;
  if (!check_session (command, &error) || !get_room_name (self, command, HARK_FIELD_REQUIRED, &name, &error)
      || !join (self, command->session, name, &n_members, &error))
    {
      refuse (command, error);
      return;
    }
  json = hark_command_begin_reply (command);
  hark_json_writer_member_string (json, "room", name);
  hark_json_writer_member_int (json, "members", n_members);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static void
on_leave (HarkCommand *command, gpointer concern)
{
  HarkRooms *self = concern;
  GPtrArray *joined;
  GError *error = NULL;
  Room *room = get_joined (self, command, HARK_FIELD_REQUIRED, &error);
  if (room == NULL)
    {
      refuse (command, error);
      return;
    }
  joined = g_hash_table_lookup (self->sessions, &command->session->id);
  g_ptr_array_remove_fast (joined, room);
  if (joined->len == 0)
    g_hash_table_remove (self->sessions, &command->session->id);
  take_out (self, command->session, room);
  hark_command_reply_empty (command);
  hark_command_unref (command);
}

static int
compare_sessions (gconstpointer a, gconstpointer b)
{
  const HarkSession *left = *(HarkSession *const *)a, *right = *(HarkSession *const *)b;
  return left->id < right->id ? -1 : left->id > right->id;
}

static void
write_members (HarkJsonWriter *json, const Room *room, gint64 after, guint limit)
{
  g_autoptr (GPtrArray) members = g_ptr_array_copy (room->members, NULL, NULL);
  gint64 last = 0;
  guint n = 0;
  g_ptr_array_sort (members, compare_sessions);
  hark_json_writer_member (json, "members");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < members->len && n <= limit; i++)
    {
      const HarkSession *session = members->pdata[i];
      if (session->id <= after || n++ == limit)
        continue;
      last = session->id;
      hark_json_writer_begin_object (json);
      hark_json_writer_member_id (json, "user_id", session->identity->user_id);
      hark_json_writer_member_string (json, "username", session->identity->username);
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  hark_json_writer_member (json, "next");
  if (n > limit)
    hark_json_writer_id (json, last);
  else
    hark_json_writer_null (json);
}

static void
on_get_room (HarkCommand *command, gpointer concern)
{
  HarkRooms *self = concern;
  g_autofree char *name = NULL;
  const Room *room;
  HarkJsonWriter *json;
  gint64 after;
  guint limit;
  GError *error = NULL;
  if (!get_room_name (self, command, HARK_FIELD_REQUIRED, &name, &error)
      || !hark_field_get_page (command->args, PAGE, MAX_PAGE, &after, &limit, &error))
    {
      refuse (command, error);
      return;
    }
  room = g_hash_table_lookup (self->rooms, name);
  if (room == NULL)
    {
      refuse (command, g_error_new (HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"room\": nobody is in it"));
      return;
    }
  json = hark_command_begin_reply (command);
  hark_json_writer_member_string (json, "room", name);
  write_members (json, room, after, limit);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

/* What is said in a room, to the others in it. @member: what it is called, in the request and in the event */
static void
say (HarkRooms *self, HarkCommand *command, const char *type, const char *member, HarkFieldNeed need)
{
  HarkJsonWriter *json;
  HarkJsonSlice data;
  GError *error = NULL;
  Room *room = get_joined (self, command, need, &error);
  if (room != NULL && hark_json_object_get_raw (command->args, member, HARK_FIELD_REQUIRED, &data, &error)
      && data.len > self->limits->room_data_bytes)
    {
      hark_counter_add (self->n_too_large, 1);
      g_set_error (&error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"%s\" has more than %u bytes", member,
                   self->limits->room_data_bytes);
    }
  if (error != NULL)
    {
      refuse (command, error);
      return;
    }
  hark_counter_add (self->n_sent, 1);
  json = begin_event (self, type, room, command->session->identity);
  hark_json_writer_member_raw (json, member, data.data, data.len);
  end_event (self, type, room, command->session);
  done (command);
}

/**
 * hark_rooms_take_publication:
 * @command: (transfer full): the request "publish" with a `room`
 */
void
hark_rooms_take_publication (HarkRooms *self, HarkCommand *command)
{
  say (self, command, "published", "data", HARK_FIELD_REQUIRED);
}

static void
on_greeting (HarkCommand *command, gpointer concern)
{
  HarkJsonSlice content;
  GError *error = NULL;
  if (hark_json_object_get_text (command->args, "content", HARK_FIELD_REQUIRED, &content, &error))
    say (concern, command, "greeting", "content", HARK_FIELD_OPTIONAL);
  else
    refuse (command, error);
}

/* What the session sends from now on carries the name; it is gone with the session. */
static void
on_set_username (HarkCommand *command, gpointer concern)
{
  HarkRooms *self = concern;
  g_autofree char *name = NULL;
  g_autoptr (GPtrArray) rooms = NULL;
  GPtrArray *joined;
  GError *error = NULL;
  gboolean ok = hark_field_get_name (command->args, "content", HARK_FIELD_REQUIRED, self->limits->displayname_chars,
                                     &name, &error);
  if (!count_too_large (self, ok, &error) || !check_session (command, &error))
    {
      refuse (command, error);
      return;
    }
  if ((command->actor->flags & HARK_IDENTITY_ANONYMOUS) == 0)
    {
      refuse (command, g_error_new (HARK_ERROR, HARK_ERROR_FORBIDDEN, "who has an account goes by its name"));
      return;
    }
  hark_session_rename (command->session, name);
  joined = g_hash_table_lookup (self->sessions, &command->session->id);
  rooms = joined != NULL ? g_ptr_array_copy (joined, NULL, NULL) : g_ptr_array_new ();
  /* Telling one may end this session, and then it is in none of the others any more. */
  for (guint i = 0; i < rooms->len && command->session->state == HARK_SESSION_OPEN; i++)
    announce (self, "user_renamed", rooms->pdata[i], command->session->identity, command->session);
  done (command);
}

static const HarkCommandSpec specs[] = {
  { "join", HARK_COMMAND_ANONYMOUS, NULL, on_join },
  { "leave", HARK_COMMAND_ANONYMOUS, NULL, on_leave },
  { "get_room", HARK_COMMAND_ANONYMOUS, NULL, on_get_room },
  { "greeting", HARK_COMMAND_ANONYMOUS, "messages", on_greeting },
  { "setUsername", HARK_COMMAND_ANONYMOUS, "messages", on_set_username },
};

/* Returns: (transfer full): somebody without an account, and with an id that nobody else has */
HarkIdentity *
hark_rooms_new_guest (HarkHub *hub)
{
  gint64 id;
  do
    id = FIRST_GUEST + ((gint64)g_random_int () << 20) + g_random_int_range (0, 1 << 20);
  while (hark_hub_get_n_user_sessions (hub, id) > 0);
  return hark_identity_new (id, HARK_ROOMS_GUEST, 0, 0, HARK_IDENTITY_ANONYMOUS);
}

HarkRooms *
hark_rooms_new (HarkHub *hub, HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkRooms *self = g_new0 (HarkRooms, 1);
  self->hub = hub;
  self->limits = limits;
  self->rooms = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, room_free);
  self->sessions = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  hark_json_writer_init (&self->writer, 0);
  self->n_rooms = hark_metrics_gauge (metrics, "hark_rooms", "Rooms that somebody is in.");
  self->n_sent = hark_metrics_counter (metrics, "hark_room_messages_total", "What was said in rooms.");
  self->n_too_many_rooms
    = hark_metrics_counter (metrics, "hark_rooms_refused_rooms_total", "Refused because there were too many rooms.");
  self->n_too_many_members
    = hark_metrics_counter (metrics, "hark_rooms_refused_members_total", "Refused because too many were in the room.");
  self->n_too_many_joined = hark_metrics_counter (metrics, "hark_rooms_refused_joined_total",
                                                  "Refused because the session was in too many rooms.");
  self->n_too_large = hark_metrics_counter (metrics, "hark_rooms_refused_size_total",
                                            "Names and data for rooms that were refused for their length.");
  self->added_id = g_signal_connect (hub, "session-added", G_CALLBACK (on_hub_session_added), self);
  self->removed_id = g_signal_connect (hub, "session-removed", G_CALLBACK (on_hub_session_removed), self);
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_rooms_free (HarkRooms *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_clear_signal_handler (&self->added_id, self->hub);
  g_clear_signal_handler (&self->removed_id, self->hub);
  g_hash_table_unref (self->sessions);
  g_hash_table_unref (self->rooms);
  hark_json_writer_clear (&self->writer);
  g_free (self);
}
