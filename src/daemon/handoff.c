/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From one process to the next without a client noticing: what must be known to go on with each connection, as one
 * variant in a sealed memfd. It is read by another version of this program as often as by the same one: each part ends
 * with a dictionary for what later versions add, and a change of anything else is another version of the whole.
 *
 * The order matters. The former process stops reading, lets everything that was asked for be answered, closes the store
 * (so that what is stored is published, and what is published lies in the outboxes), and only then writes down what
 * there is. So the next one begins with a hub that has published all that the store has, and with sessions that have
 * been given all that was published.
 */
#include "daemon/handoff.h"

#include "base/error.h"
#include "core/session-state.h"
#include "transport/websocket-state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION 1

/* Version, what is common, and of each connection its descriptor's name and what transport, session, chat and we know. */
#define OTHER_TYPE "(bia{sv})"
#define MEMBERS_TYPE "(" HARK_WEBSOCKET_STATE_TYPE HARK_SESSION_STATE_TYPE HARK_CHAT_STATE_TYPE OTHER_TYPE ")"
#define CONNECTION_TYPE "(s" MEMBERS_TYPE ")"
#define STATE_TYPE "(ua{sv}a" CONNECTION_TYPE ")"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Whether @session's connection can go on in another process at all: it is a WebSocket of the native protocol. What a
 * long poll or a Socket.IO session is, its own protocol takes up again. */
static gboolean
is_of_a_kind (const HarkHandoffParts *parts, HarkSession *session)
{
  return session->transport != NULL && HARK_IS_WEBSOCKET (session->transport) && session->protocol == parts->native
         && session->state == HARK_SESSION_OPEN;
}

/**
 * hark_handoff_get_fd:
 * @mark_flags: (out): what must be known of the connection beside its session
 *
 * Returns: the descriptor of a session whose connection can go on in another process; -1
 */
int
hark_handoff_get_fd (const HarkHandoffParts *parts, HarkSession *session, guint32 *mark_flags)
{
  HarkWebSocket *socket;
  if (!is_of_a_kind (parts, session))
    return -1;
  socket = HARK_WEBSOCKET (session->transport);
  *mark_flags = (session->wire == hark_wires_get_plain (parts->wires) ? HARK_MARK_PLAIN : 0)
                | (hark_websocket_is_deflate (socket) ? HARK_MARK_DEFLATE : 0);
  return hark_websocket_get_fd (socket);
}

static gboolean
can_go_on (const HarkHandoffParts *parts, HarkSession *session)
{
  return is_of_a_kind (parts, session) && hark_session_is_settled (session)
         && hark_websocket_can_be_saved (HARK_WEBSOCKET (session->transport))
         && (!parts->is_restart || hark_descriptor_store_get_slot (parts->descriptors, session) >= 0);
}

/**
 * hark_handoff_close_others:
 * @is_late: no more time is left to those who wait for something
 *
 * Tells the sessions that cannot go on to come back.
 */
void
hark_handoff_close_others (const HarkHandoffParts *parts, gboolean is_late)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_sessions (parts->hub);
  for (guint i = 0; i < sessions->len; i++)
    {
      HarkSession *session = sessions->pdata[i];
      if (!(is_late ? can_go_on (parts, session) : is_of_a_kind (parts, session)))
        hark_session_close (session, HARK_CLOSE_RESTART, "the service is starting anew");
    }
}

/* Whether no session waits for anything. */
gboolean
hark_handoff_is_settled (const HarkHandoffParts *parts)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_sessions (parts->hub);
  for (guint i = 0; i < sessions->len; i++)
    if (!hark_session_is_settled (sessions->pdata[i]))
      return FALSE;
  return TRUE;
}

/* Whether it speaks as a page's own socket does, and where the service manager keeps its descriptor. */
static GVariant *
save_other (const HarkHandoffParts *parts, HarkSession *session)
{
  int slot = parts->descriptors != NULL ? hark_descriptor_store_get_slot (parts->descriptors, session) : -1;
  return g_variant_new ("(bia{sv})", session->wire == hark_wires_get_plain (parts->wires), slot, NULL);
}

static GVariant *
save_connection (const HarkHandoffParts *parts, HarkSession *session)
{
  GVariant *members[] = {
    hark_websocket_save (HARK_WEBSOCKET (session->transport)),
    hark_session_save (session),
    hark_chat_save_session (parts->chat, session),
    save_other (parts, session),
  };
  return g_variant_ref_sink (g_variant_new_tuple (members, G_N_ELEMENTS (members)));
}

/**
 * hark_handoff_save:
 * @listeners: (nullable): floating: see hark_listener_hand_over ()
 * @name_func: takes the descriptor of each session that goes on
 *
 * Takes all sessions out of the hub, and what is needed to go on with them. One that was to go on and cannot after all,
 * because the last events were too many for its reader, is cut: the next process finds its session ended.
 *
 * Returns: (transfer full)
 */
GVariant *
hark_handoff_save (const HarkHandoffParts *parts, GVariant *listeners, HarkHandoffNameFunc name_func, gpointer data)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_sessions (parts->hub);
  g_auto (GVariantDict) common = G_VARIANT_DICT_INIT (NULL);
  GVariantBuilder connections;
  g_variant_builder_init (&connections, G_VARIANT_TYPE ("a" CONNECTION_TYPE));
  for (guint i = 0; i < sessions->len; i++)
    {
      HarkSession *session = sessions->pdata[i];
      HarkWebSocket *socket = HARK_WEBSOCKET (session->transport);
      gboolean goes_on = can_go_on (parts, session);
      g_autoptr (GVariant) connection = goes_on ? save_connection (parts, session) : NULL;
      g_autoptr (HarkTransport) transport = hark_session_abandon (session);
      g_autofree char *name = NULL;
      if (!goes_on)
        {
          hark_transport_close (transport, HARK_CLOSE_RESTART, "the service is starting anew");
          continue;
        }
      name = name_func (session, hark_websocket_steal_fd (socket), data);
      g_variant_builder_add (&connections, "(s@" MEMBERS_TYPE ")", name, connection);
    }
  g_variant_dict_insert_value (&common, "chat", hark_chat_save (parts->chat));
  if (listeners != NULL)
    g_variant_dict_insert_value (&common, "listeners", listeners);
  return g_variant_ref_sink (g_variant_new ("(u@a{sv}@a" CONNECTION_TYPE ")", VERSION, g_variant_dict_end (&common),
                                            g_variant_builder_end (&connections)));
}

static gboolean
write_all (int fd, const guint8 *data, gsize len)
{
  while (len > 0)
    {
      gssize n = write (fd, data, len);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      data += n;
      len -= n;
    }
  return TRUE;
}

/**
 * hark_handoff_write:
 *
 * Returns: (transfer full): a sealed memfd with @state, not closed on exec; -1 with %HARK_ERROR_INTERNAL
 */
int
hark_handoff_write (GVariant *state, GError **error)
{
  int fd = memfd_create ("hark-handoff", MFD_ALLOW_SEALING);
  if (fd >= 0 && write_all (fd, g_variant_get_data (state), g_variant_get_size (state))
      && fcntl (fd, F_ADD_SEALS, SEALS) == 0)
    return fd;
  g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "What the next process must know cannot be written: %s",
               g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

/**
 * hark_handoff_read:
 * @fd: (transfer full): from hark_handoff_write ()
 *
 * Returns: (transfer full): what the former process has written; %NULL with %HARK_ERROR_BAD_REQUEST when it is of a
 *   version that this one does not understand, or nothing of the kind
 */
GVariant *
hark_handoff_read (int fd, GError **error)
{
  g_autoptr (GVariant) state = NULL;
  g_autoptr (GBytes) bytes = NULL;
  struct stat info;
  guint version;
  gpointer data = MAP_FAILED;
  /* Sealed: so it does not change, or shrink, under the mapping. */
  if (fcntl (fd, F_GET_SEALS) == SEALS && fstat (fd, &info) == 0 && info.st_size > 0)
    data = mmap (NULL, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  close (fd);
  if (data != MAP_FAILED)
    {
      bytes = g_bytes_new (data, info.st_size);
      munmap (data, info.st_size);
      state = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (STATE_TYPE), bytes, FALSE));
    }
  if (state == NULL || !g_variant_is_normal_form (state))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "What the process before has left cannot be read");
      return NULL;
    }
  g_variant_get_child (state, 0, "u", &version);
  if (version != VERSION)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "What the process before has left is of version %u, not " G_STRINGIFY (VERSION), version);
      return NULL;
    }
  return g_steal_pointer (&state);
}

guint
hark_handoff_get_n_connections (GVariant *state)
{
  g_autoptr (GVariant) connections = g_variant_get_child_value (state, 2);
  return g_variant_n_children (connections);
}

static GVariant *
get_common (GVariant *state, const char *key, const GVariantType *type)
{
  g_autoptr (GVariant) common = g_variant_get_child_value (state, 1);
  return g_variant_lookup_value (common, key, type);
}

/* Returns: (transfer full) (nullable): what hark_handoff_save () was given */
GVariant *
hark_handoff_get_listeners (GVariant *state)
{
  return get_common (state, "listeners", HARK_LISTENERS_TYPE);
}

/* Before hark_chat_load (): says which sessions go on. */
void
hark_handoff_keep_sessions (GVariant *state, HarkChat *chat)
{
  g_autoptr (GVariant) connections = g_variant_get_child_value (state, 2);
  gsize n = g_variant_n_children (connections);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) connection = g_variant_get_child_value (connections, i);
      g_autoptr (GVariant) members = g_variant_get_child_value (connection, 1);
      g_autoptr (GVariant) session = g_variant_get_child_value (members, 1);
      gint64 id;
      g_variant_get_child (session, 0, "x", &id);
      hark_chat_keep_session (chat, id, -1);
    }
}

static gboolean
restore_one (GVariant *members, const HarkHandoffParts *parts, int fd, GError **error)
{
  g_autoptr (GVariant) transport_state = g_variant_get_child_value (members, 0);
  g_autoptr (GVariant) session_state = g_variant_get_child_value (members, 1);
  g_autoptr (GVariant) chat_state = g_variant_get_child_value (members, 2);
  g_autoptr (GVariant) other = g_variant_get_child_value (members, 3);
  HarkWebSocket *socket = hark_websocket_restore (parts->reactor, fd, transport_state, error);
  HarkSession *session;
  const HarkWire *wire;
  gboolean plain;
  int slot;
  if (socket == NULL)
    return FALSE;
  hark_front_readmit (parts->front, socket);
  g_variant_get (other, "(bi@a{sv})", &plain, &slot, NULL);
  wire = plain ? hark_wires_get_plain (parts->wires)
               : hark_wires_get_native (parts->wires, hark_websocket_is_deflate (socket));
  session = hark_session_restore (parts->hub, g_object_ref (HARK_TRANSPORT (socket)), parts->native, wire,
                                  session_state, error);
  if (session == NULL)
    return FALSE;
  hark_chat_restore_session (parts->chat, session, chat_state);
  if (parts->descriptors != NULL)
    hark_descriptor_store_adopt (parts->descriptors, session, slot);
  hark_websocket_start (socket);
  return TRUE;
}

/* Reasons not to go on with what a process that was killed has left. */
#define BROKEN (HARK_MARK_READING | HARK_MARK_WRITING | HARK_MARK_UNSAVED)

/* Before hark_chat_load (): says which sessions can be gone on with. */
void
hark_handoff_keep_logged (HarkLogbook *logbook, HarkChat *chat)
{
  for (guint slot = 0; slot < hark_logbook_get_n_slots (logbook); slot++)
    {
      gint64 session_id = hark_logbook_get_session (logbook, slot);
      if (session_id > 0 && (hark_logbook_get_flags (logbook, slot) & BROKEN) == 0)
        hark_chat_keep_session (chat, session_id, hark_logbook_get_rev (logbook, slot));
    }
}

static GVariant *
compose_connection (guint slot, guint32 flags, GVariant *session, const char *address, GVariant *chat)
{
  char name[HARK_DESCRIPTOR_NAME_LEN];
  GVariant *members[] = {
    hark_websocket_state_new (address, (flags & HARK_MARK_DEFLATE) != 0),
    session,
    chat,
    g_variant_new ("(bia{sv})", (flags & HARK_MARK_PLAIN) != 0, (int)slot, NULL),
  };
  return g_variant_new ("(s@" MEMBERS_TYPE ")", hark_descriptor_name (slot, name),
                        g_variant_new_tuple (members, G_N_ELEMENTS (members)));
}

/**
 * hark_handoff_compose:
 *
 * After hark_chat_load ().
 *
 * Returns: (transfer full): as hark_handoff_read (), of those that are in the store too
 */
GVariant *
hark_handoff_compose (HarkLogbook *logbook, HarkChat *chat)
{
  g_auto (GVariantDict) common = G_VARIANT_DICT_INIT (NULL);
  GVariantBuilder connections;
  g_variant_builder_init (&connections, G_VARIANT_TYPE ("a" CONNECTION_TYPE));
  for (guint slot = 0; slot < hark_logbook_get_n_slots (logbook); slot++)
    {
      g_autoptr (GVariant) session = NULL;
      g_autoptr (GVariant) state = NULL;
      g_autofree char *address = NULL;
      gint64 session_id = hark_logbook_get_session (logbook, slot);
      guint32 flags = hark_logbook_get_flags (logbook, slot);
      if (session_id > 0 && hark_chat_take_revived (chat, session_id, &session, &address, &state))
        g_variant_builder_add_value (&connections, compose_connection (slot, flags, session, address, state));
    }
  return g_variant_ref_sink (g_variant_new ("(u@a{sv}@a" CONNECTION_TYPE ")", VERSION, g_variant_dict_end (&common),
                                            g_variant_builder_end (&connections)));
}

/**
 * hark_handoff_restore:
 * @fd_func: finds the descriptor that the former process has named: (transfer full); -1 when there is none
 *
 * Goes on with all that the former process has left.
 *
 * Returns: how many sessions go on
 */
guint
hark_handoff_restore (GVariant *state, const HarkHandoffParts *parts, HarkHandoffFdFunc fd_func, gpointer data)
{
  g_autoptr (GVariant) connections = g_variant_get_child_value (state, 2);
  g_autoptr (GVariant) chat = get_common (state, "chat", G_VARIANT_TYPE_VARDICT);
  gsize n = g_variant_n_children (connections);
  guint n_restored = 0;
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) connection = g_variant_get_child_value (connections, i);
      g_autoptr (GVariant) members = g_variant_get_child_value (connection, 1);
      g_autoptr (GError) error = NULL;
      const char *name;
      int fd;
      g_variant_get_child (connection, 0, "&s", &name);
      fd = fd_func (name, data);
      if (fd >= 0 && restore_one (members, parts, fd, &error))
        n_restored++;
      else if (error != NULL)
        g_message ("A connection does not go on: %s", error->message);
    }
  if (chat != NULL)
    hark_chat_restore (parts->chat, chat);
  return n_restored;
}

/**
 * hark_handoff_end_others:
 * @fd_func: as for hark_handoff_restore (), which has been before
 *
 * What is left of a process that was killed and cannot be gone on with: each is told to come back, by 1012, unless a frame
 * may be half written, into which that would be written. The service manager lets go of them.
 */
void
hark_handoff_end_others (HarkLogbook *logbook, const HarkHandoffParts *parts, HarkHandoffFdFunc fd_func, gpointer data)
{
  for (guint slot = 0; slot < hark_logbook_get_n_slots (logbook); slot++)
    {
      char name[HARK_DESCRIPTOR_NAME_LEN];
      guint32 flags = hark_logbook_get_flags (logbook, slot);
      int fd = fd_func (hark_descriptor_name (slot, name), data);
      HarkWebSocket *socket;
      if (fd < 0)
        continue;
      if (parts->descriptors != NULL)
        hark_descriptor_store_drop (parts->descriptors, slot);
      if ((flags & HARK_MARK_WRITING) != 0)
        {
          shutdown (fd, SHUT_RDWR);
          close (fd);
          continue;
        }
      socket = hark_reactor_adopt (parts->reactor, fd, NULL, (flags & HARK_MARK_DEFLATE) != 0, NULL, 0);
      hark_websocket_start (socket);
      hark_transport_close (HARK_TRANSPORT (socket), HARK_CLOSE_RESTART, "the service has failed; resume the session");
    }
}
