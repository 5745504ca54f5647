/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Socket.IO protocol 5, one object for each connection. A connection is one session of one user, whoever presents the
 * first token; each namespace it connects to is a socket of its own. In "/" every event is a request of the native
 * protocol. What is no packet, or no packet that may come now, ends the connection, as with the reference server; what
 * is one and cannot be done is answered.
 */
#include "protocol/socketio.h"

#include "base/error.h"
#include "protocol/socketio-assembler.h"

#include <string.h>

#define MAX_TOKEN 4096

/* A namespace that the connection is in, or on its way into. */
typedef struct
{
  HarkSocketio *owner;        /* unowned: has it; owned while @checking */
  HarkSocketioNamespace *nsp; /* unowned: the namespaces' */
  HarkSocketioSocket *socket; /* (nullable): unowned: goes with it */
  char *token;                /* (owned) (nullable) */
  char *pid;                  /* (owned) (nullable) */
  char *offset;               /* (owned) (nullable) */
  gboolean checking;          /* its token is being looked up */
} Place;

struct _HarkSocketio
{
  GObject parent_instance;
  HarkSocketioNamespaces *namespaces; /* (owned) */
  HarkAuthenticator *authenticator;   /* (owned) */
  HarkIdentity *guest;                /* (owned) (nullable): who presents no token */
  HarkClock *clock;                   /* (owned) (nullable) */
  HarkSession *session;               /* unowned: keeps us; NULL when it is over */
  GPtrArray *places;                  /* (element-type Place) (owned) */
  GCancellable *cancellable;          /* (owned) */
  HarkSocketioAssembler assembler;
  HarkSocketioScope scopes;
  guint connect_id;
  guint n_checking;
  guint n_refused;
};

static void protocol_iface_init (HarkProtocolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HarkSocketio, hark_socketio, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_PROTOCOL, protocol_iface_init))

static void
place_free (gpointer data)
{
  Place *self = data;
  g_free (self->token);
  g_free (self->pid);
  g_free (self->offset);
  g_free (self);
}

static void
hark_socketio_dispose (GObject *object)
{
  HarkSocketio *self = HARK_SOCKETIO (object);
  if (self->clock != NULL)
    hark_clock_clear_timeout (self->clock, &self->connect_id);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->clock);
  g_clear_object (&self->authenticator);
  g_clear_object (&self->namespaces);
  g_clear_pointer (&self->guest, hark_identity_unref);
  G_OBJECT_CLASS (hark_socketio_parent_class)->dispose (object);
}

static void
hark_socketio_finalize (GObject *object)
{
  HarkSocketio *self = HARK_SOCKETIO (object);
  hark_socketio_assembler_clear (&self->assembler);
  g_ptr_array_unref (self->places);
  G_OBJECT_CLASS (hark_socketio_parent_class)->finalize (object);
}

static void
hark_socketio_class_init (HarkSocketioClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = hark_socketio_dispose;
  object_class->finalize = hark_socketio_finalize;
}

static void
hark_socketio_init (HarkSocketio *self)
{
  self->places = g_ptr_array_new_with_free_func (place_free);
  self->cancellable = g_cancellable_new ();
}

static void
close_for (HarkSocketio *self, HarkCloseCode code, const char *reason)
{
  if (self->session != NULL)
    hark_session_close (self->session, code, reason);
}

static Place *
find_place (HarkSocketio *self, const char *nsp, gsize len)
{
  for (guint i = 0; i < self->places->len; i++)
    {
      Place *place = self->places->pdata[i];
      if (strlen (place->nsp->name) == len && memcmp (place->nsp->name, nsp, len) == 0)
        return place;
    }
  return NULL;
}

static gboolean
is_connected (const Place *place)
{
  return place->socket != NULL && place->socket->connected;
}

/* Which of the hub's own events it is sent. */
static void
update_scopes (HarkSocketio *self)
{
  self->scopes = HARK_SOCKETIO_SCOPE_NONE;
  for (guint i = 0; i < self->places->len; i++)
    {
      Place *place = self->places->pdata[i];
      if (is_connected (place))
        self->scopes |= place->nsp->kind->scope;
    }
  self->session->wire = hark_socketio_wires_get (hark_socketio_namespaces_get_wires (self->namespaces), self->scopes);
}

/* A place whose token is being looked up goes when that is over. */
static void
drop_place (HarkSocketio *self, Place *place)
{
  guint i;
  if (!g_ptr_array_find (self->places, place, &i))
    return;
  g_ptr_array_steal_index (self->places, i);
  if (!place->checking)
    place_free (place);
}

static void
on_socket_removed (HarkSocketioSocket *socket, gpointer data)
{
  Place *place = data;
  HarkSocketio *self = place->owner;
  drop_place (self, place);
  if (self->session != NULL)
    update_scopes (self);
}

/* A CONNECT was refused: too many of them end the connection. */
static void
count_refused (HarkSocketio *self)
{
  hark_socketio_namespaces_count (self->namespaces, HARK_SOCKETIO_REFUSED);
  if (++self->n_refused >= hark_socketio_namespaces_get_limits (self->namespaces)->refusals)
    close_for (self, HARK_CLOSE_POLICY, "too many refused connects");
}

static void
close_invalid (HarkSocketio *self, HarkCloseCode code, const char *reason)
{
  hark_socketio_namespaces_count (self->namespaces, HARK_SOCKETIO_INVALID);
  close_for (self, code, reason);
}

/* Namespaces. */

/* Answers a CONNECT with an error; too many of them are not answered any more. */
static void
refuse_connect (HarkSocketio *self, const char *nsp, const GError *error)
{
  g_auto (HarkJsonWriter) json = { 0 };
  gsize len;
  const char *text;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "message", error->message);
  if (error->domain == HARK_ERROR)
    {
      hark_json_writer_member (&json, "data");
      hark_json_writer_begin_object (&json);
      hark_command_write_error (&json, error);
      hark_json_writer_end_object (&json);
    }
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  hark_socketio_namespaces_send (self->namespaces, self->session, HARK_SOCKETIO_CONNECT_ERROR, nsp, HARK_SOCKETIO_NO_ID,
                                 text, len);
  count_refused (self);
}

static void
refuse_place (HarkSocketio *self, Place *place, const GError *error)
{
  g_autofree char *nsp = g_strdup (place->nsp->name);
  drop_place (self, place);
  refuse_connect (self, nsp, error);
}

/* What waits for a user is sent after the welcome, and there may have been no namespace then that hears it. */
static void
catch_up (HarkSocketio *self, HarkSocketioScope before)
{
  static const char name[] = "catch_up";
  const HarkSocketioScope hear = HARK_SOCKETIO_SCOPE_ROOT | HARK_SOCKETIO_SCOPE_NOTIFICATIONS;
  HarkJsonObject nothing;
  if ((self->scopes & hear) != 0 && (before & hear) == 0
      && hark_dispatcher_has (hark_hub_get_dispatcher (self->session->hub), name)
      && hark_json_object_parse (&nothing, "{}", 2, NULL))
    hark_session_command (self->session, name, strlen (name), NULL, 0, &nothing);
}

static void
enter (HarkSocketio *self, Place *place)
{
  HarkSocketioScope before = self->scopes;
  g_autoptr (HarkSession) session = g_object_ref (self->session);
  HarkSocketioNamespace *nsp = place->nsp;
  g_autofree char *pid = g_steal_pointer (&place->pid);
  g_autofree char *offset = g_steal_pointer (&place->offset);
  HarkSocketioSocket *socket;
  const HarkEvent *welcome;
  hark_clock_clear_timeout (self->clock, &self->connect_id);
  socket = hark_socketio_namespaces_connect (self->namespaces, nsp, session, pid, offset, on_socket_removed, place);
  if (self->session == NULL || socket == NULL)
    return;
  place->socket = socket;
  update_scopes (self);
  welcome = hark_socketio_namespaces_get_welcome (self->namespaces, session);
  if ((nsp->kind->scope & HARK_SOCKETIO_SCOPE_ROOT) != 0 && welcome != NULL)
    hark_session_send_event (session, welcome);
  if (welcome != NULL && self->session != NULL)
    catch_up (self, before);
}

/* Returns: whether who presents @identity is this connection's user, by now */
static gboolean
authenticate (HarkSocketio *self, HarkIdentity *identity, GError **error)
{
  HarkIdentity *ours = self->session->identity;
  if (ours == NULL)
    return hark_session_authenticate (self->session, identity, error);
  if (ours->user_id == identity->user_id)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"token\": this connection is another user's");
  return FALSE;
}

static void
enter_as (HarkSocketio *self, Place *place, HarkIdentity *identity)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = authenticate (self, identity, &error);
  if (self->session == NULL)
    return;
  if (ok)
    enter (self, place);
  else
    refuse_place (self, place, error);
}

static void enter_waiting (HarkSocketio *self);

static void
begin_check (HarkSocketio *self, Place *place)
{
  g_object_ref (self);
  place->checking = TRUE;
  self->n_checking++;
}

/* @identity: (nullable): %NULL with @error */
static void
end_check (Place *place, HarkIdentity *identity, const GError *error)
{
  g_autoptr (HarkSocketio) self = place->owner;
  self->n_checking--;
  place->checking = FALSE;
  if (self->session == NULL)
    {
      place_free (place);
      return;
    }
  if (identity != NULL)
    enter_as (self, place, identity);
  else
    refuse_place (self, place, error);
  enter_waiting (self);
}

static void
on_token_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkIdentity) identity = hark_authenticator_check_finish (HARK_AUTHENTICATOR (source), result, &error);
  end_check (data, identity, error);
}

static void
on_kind_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkIdentity) identity = g_task_propagate_pointer (G_TASK (result), &error);
  end_check (data, identity, error);
}

/* The namespace has a way of its own to tell who may enter. */
static void
check_by_kind (HarkSocketio *self, Place *place, const HarkJsonObject *auth)
{
  g_autoptr (GTask) task = g_task_new (self, self->cancellable, on_kind_checked, place);
  g_task_set_source_tag (task, check_by_kind);
  begin_check (self, place);
  place->nsp->kind->check (place->nsp, auth, task);
}

static void
check_token (HarkSocketio *self, Place *place)
{
  g_autoptr (HarkIdentity) identity = hark_authenticator_peek (self->authenticator, place->token);
  if (identity != NULL)
    {
      enter_as (self, place, identity);
      return;
    }
  begin_check (self, place);
  hark_authenticator_check_async (self->authenticator, place->token, self->cancellable, on_token_checked, place);
}

/* Whoever presents no token is the connection's user; when that is being found out, it waits. */
static void
enter_without_token (HarkSocketio *self, Place *place)
{
  g_autoptr (GError) error = NULL;
  if (self->session->identity != NULL)
    enter (self, place);
  else if (self->n_checking > 0)
    return;
  else if (self->guest != NULL)
    enter_as (self, place, self->guest);
  else
    {
      g_set_error (&error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "\"token\" is required");
      refuse_place (self, place, error);
    }
}

/* A token that was looked up has been found, or not: those who waited for it go on. */
static void
enter_waiting (HarkSocketio *self)
{
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();
  for (guint i = 0; i < self->places->len; i++)
    {
      Place *place = self->places->pdata[i];
      if (place->socket == NULL && place->token == NULL && !place->checking)
        g_ptr_array_add (waiting, place->nsp->name);
    }
  for (guint i = 0; self->session != NULL && i < waiting->len; i++)
    {
      Place *place = find_place (self, waiting->pdata[i], strlen (waiting->pdata[i]));
      if (place != NULL)
        enter_without_token (self, place);
    }
}

static gboolean
read_auth (const HarkSocketioPacket *packet, Place *place, HarkJsonObject *auth, GError **error)
{
  g_autofree char *pid = NULL;
  g_autofree char *offset = NULL;
  if (packet->payload.data == NULL)
    return hark_json_object_parse (auth, "{}", 2, error);
  if (!hark_json_object_parse (auth, packet->payload.data, packet->payload.len, error)
      || !hark_json_object_get_string (auth, "token", HARK_FIELD_OPTIONAL, MAX_TOKEN, &place->token, error))
    return FALSE;
  /* Anything else in these is what the client's library made of nothing. */
  if (hark_json_object_get_string (auth, "pid", HARK_FIELD_OPTIONAL, HARK_SOCKETIO_PID_LEN, &pid, NULL)
      && hark_json_object_get_string (auth, "offset", HARK_FIELD_OPTIONAL, 32, &offset, NULL))
    {
      place->pid = g_steal_pointer (&pid);
      place->offset = g_steal_pointer (&offset);
    }
  return TRUE;
}

static void
take_connect (HarkSocketio *self, const HarkSocketioPacket *packet)
{
  g_autofree char *name = g_strndup (packet->nsp.data, packet->nsp.len);
  HarkSocketioNamespace *nsp = hark_socketio_namespaces_find (self->namespaces, name);
  g_autoptr (GError) error = NULL;
  HarkJsonObject auth;
  Place *place;
  if (nsp == NULL)
    {
      /* To the letter the reference server's: clients look for it. */
      static const char text[] = "{\"message\":\"Invalid namespace\"}";
      if (!g_utf8_validate (name, -1, NULL) || strlen (name) != packet->nsp.len)
        {
          close_invalid (self, HARK_CLOSE_PROTOCOL_ERROR, "parse error");
          return;
        }
      hark_socketio_namespaces_send (self->namespaces, self->session, HARK_SOCKETIO_CONNECT_ERROR, name,
                                     HARK_SOCKETIO_NO_ID, text, sizeof text - 1);
      count_refused (self);
      return;
    }
  place = g_new0 (Place, 1);
  place->owner = self;
  place->nsp = nsp;
  g_ptr_array_add (self->places, place);
  if (!read_auth (packet, place, &auth, &error))
    refuse_place (self, place, error);
  else if (nsp->kind->check != NULL)
    check_by_kind (self, place, &auth);
  else if (place->token != NULL)
    check_token (self, place);
  else
    enter_without_token (self, place);
}

/* Events and acknowledgements. */

static HarkCommand *
new_command (HarkSocketio *self, Place *place, gint64 id)
{
  HarkCommand *command = hark_command_new (self->session, self->session->identity, NULL, 0);
  command->tag = hark_socketio_tag_new (place->nsp->name, id);
  command->tag_free = hark_socketio_tag_free;
  return command;
}

/* A whole packet, its attachments in their places. */
static void
take_packet (HarkSocketio *self, const HarkSocketioPacket *packet)
{
  Place *place = find_place (self, packet->nsp.data, packet->nsp.len);
  gboolean is_connect = packet->type == HARK_SOCKETIO_CONNECT;
  if (is_connect && place == NULL)
    {
      take_connect (self, packet);
      return;
    }
  /* Clients ask twice when they are told to connect while they do: the first answer is for both. */
  if (is_connect && !is_connected (place))
    return;
  if (is_connect || packet->type == HARK_SOCKETIO_CONNECT_ERROR || place == NULL || !is_connected (place))
    {
      close_invalid (self, HARK_CLOSE_PROTOCOL_ERROR, "invalid state");
      return;
    }
  switch (packet->type)
    {
    case HARK_SOCKETIO_DISCONNECT:
      hark_socketio_namespaces_remove (self->namespaces, place->socket, FALSE);
      break;
    case HARK_SOCKETIO_ACK:
    case HARK_SOCKETIO_BINARY_ACK:
      hark_socketio_acks_take (place->socket, packet->id, packet->payload.data, packet->payload.len);
      break;
    default:
      hark_socketio_namespaces_observe (self->namespaces, place->socket, packet);
      place->nsp->kind->take_event (place->socket, new_command (self, place, packet->id), packet);
    }
}

/* The session. */

static void
on_session_closed (HarkSession *session, guint code, const char *reason, HarkSocketio *self)
{
  hark_clock_clear_timeout (self->clock, &self->connect_id);
  g_cancellable_cancel (self->cancellable);
  hark_socketio_namespaces_remove_session (self->namespaces, session);
  self->session = NULL;
  while (self->places->len > 0)
    {
      Place *place = self->places->pdata[self->places->len - 1];
      if (place->socket != NULL)
        hark_socketio_namespaces_remove (self->namespaces, place->socket, code != HARK_CLOSE_DISCONNECTED);
      else
        drop_place (self, place);
    }
}

static gboolean
on_connect_timeout (gpointer data)
{
  HarkSocketio *self = data;
  self->connect_id = 0;
  close_for (self, HARK_CLOSE_UNAUTHENTICATED, "no namespace was connected to in time");
  return G_SOURCE_REMOVE;
}

static void
socketio_opened (HarkProtocol *protocol, HarkSession *session)
{
  HarkSocketio *self = HARK_SOCKETIO (protocol);
  g_return_if_fail (self->session == NULL);
  self->session = session;
  self->clock = g_object_ref (hark_hub_get_clock (session->hub));
  self->connect_id
    = hark_clock_add_timeout (self->clock, hark_socketio_namespaces_get_limits (self->namespaces)->connect_timeout_ms,
                              on_connect_timeout, self);
  g_signal_connect_object (session, "closed", G_CALLBACK (on_session_closed), self, 0);
  hark_socketio_namespaces_add_session (self->namespaces, session);
}

static void
socketio_receive (HarkProtocol *protocol, HarkSession *session, const guint8 *data, gsize len, gboolean binary)
{
  HarkSocketio *self = HARK_SOCKETIO (protocol);
  gsize max_bytes = hark_socketio_namespaces_get_limits (self->namespaces)->attachment_bytes;
  g_autoptr (GError) error = NULL;
  HarkSocketioPacket packet;
  HarkSocketioProgress progress;
  if (self->session == NULL)
    return;
  progress = binary ? hark_socketio_assembler_take_binary (&self->assembler, data, len, max_bytes, &packet, &error)
                    : hark_socketio_assembler_take_text (&self->assembler, (const char *)data, len, &packet, &error);
  if (progress == HARK_SOCKETIO_WHOLE)
    take_packet (self, &packet);
  else if (progress == HARK_SOCKETIO_WRONG)
    close_invalid (self, error->code == HARK_ERROR_TOO_LARGE ? HARK_CLOSE_TOO_LARGE : HARK_CLOSE_PROTOCOL_ERROR,
                   "parse error");
}

static void
protocol_iface_init (HarkProtocolInterface *iface)
{
  iface->name = "socket.io";
  iface->keeps_time = TRUE;
  iface->opened = socketio_opened;
  iface->receive = socketio_receive;
}

/**
 * hark_socketio_new:
 * @guest: (nullable): as whom a client is let in that presents no token; %NULL: it is not
 *
 * Returns: (transfer full): the protocol of one session, whose wire is to be that of no scopes
 */
HarkProtocol *
hark_socketio_new (HarkSocketioNamespaces *namespaces, HarkAuthenticator *authenticator, HarkIdentity *guest)
{
  HarkSocketio *self = g_object_new (HARK_TYPE_SOCKETIO, NULL);
  self->namespaces = g_object_ref (namespaces);
  self->authenticator = g_object_ref (authenticator);
  self->guest = guest != NULL ? hark_identity_ref (guest) : NULL;
  return HARK_PROTOCOL (self);
}
