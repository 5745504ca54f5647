/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Awaited acknowledgements. A client's event that wants one is a command like any other: it counts as under way until
 * the back end has answered. An event of the back end's that wants one is a GTask in its socket's table.
 */
#include "protocol/socketio-acks.h"

#include "base/error.h"
#include "core/session.h"

struct _HarkSocketioAcks
{
  HarkClock *clock;                 /* (owned) */
  const HarkSocketioLimits *limits; /* unowned */
  GHashTable *commands;             /* number → Wanted (owned) */
  gint64 last;
};

typedef struct
{
  HarkSocketioAcks *owner; /* unowned */
  HarkCommand *command;    /* (owned) */
  gint64 ack;
  guint timeout_id;
} Wanted;

typedef struct
{
  HarkClock *clock;           /* (owned) */
  HarkSocketioSocket *socket; /* unowned: has it */
  GTask *task;                /* (owned) (nullable) */
  gint64 id;
  guint timeout_id;
} Expected;

static void
fail_command (HarkCommand *command, HarkError code, const char *message)
{
  hark_command_take_error (command, g_error_new_literal (HARK_ERROR, code, message));
}

static void
wanted_free (gpointer data)
{
  Wanted *self = data;
  hark_clock_clear_timeout (self->owner->clock, &self->timeout_id);
  if (!self->command->answered)
    fail_command (self->command, HARK_ERROR_OFFLINE, "no back end listens");
  hark_command_unref (self->command);
  g_free (self);
}

HarkSocketioAcks *
hark_socketio_acks_new (HarkClock *clock, const HarkSocketioLimits *limits)
{
  HarkSocketioAcks *self = g_new0 (HarkSocketioAcks, 1);
  self->clock = g_object_ref (clock);
  self->limits = limits;
  self->commands = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, wanted_free);
  return self;
}

void
hark_socketio_acks_free (HarkSocketioAcks *self)
{
  g_hash_table_unref (self->commands);
  g_object_unref (self->clock);
  g_free (self);
}

static gboolean
on_wanted_timeout (gpointer data)
{
  Wanted *self = data;
  self->timeout_id = 0;
  fail_command (self->command, HARK_ERROR_OFFLINE, "the back end has not answered in time");
  g_hash_table_remove (self->owner->commands, &self->ack);
  return G_SOURCE_REMOVE;
}

/**
 * hark_socketio_acks_add:
 * @command: a holder is added
 *
 * Returns: what the back end acknowledges by; 0 with %HARK_ERROR_OVERLOADED when it owes too many
 */
gint64
hark_socketio_acks_add (HarkSocketioAcks *self, HarkCommand *command, GError **error)
{
  Wanted *wanted;
  if (g_hash_table_size (self->commands) >= self->limits->pending_acks)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_OVERLOADED, "the back end has too much to answer");
      return 0;
    }
  wanted = g_new0 (Wanted, 1);
  wanted->owner = self;
  wanted->command = hark_command_ref (command);
  wanted->ack = ++self->last;
  wanted->timeout_id = hark_clock_add_timeout (self->clock, self->limits->ack_timeout_ms, on_wanted_timeout, wanted);
  g_hash_table_insert (self->commands, &wanted->ack, wanted);
  return wanted->ack;
}

/* Answers a command of a client's with arguments of any number: not with the one object that other answers are. */
void
hark_socketio_acks_answer_command (HarkCommand *command, const char *args, gsize len)
{
  command->answered = TRUE;
  ((HarkSocketioTag *)command->tag)->is_array = TRUE;
  hark_session_answer (command->session, command, args, len);
}

/* Returns: whether somebody waited for it */
gboolean
hark_socketio_acks_answer (HarkSocketioAcks *self, gint64 ack, const char *args, gsize len)
{
  Wanted *wanted = g_hash_table_lookup (self->commands, &ack);
  if (wanted == NULL)
    return FALSE;
  hark_socketio_acks_answer_command (wanted->command, args, len);
  g_hash_table_remove (self->commands, &ack);
  return TRUE;
}

/* Nobody is there who could answer: the client is told. */
void
hark_socketio_acks_drop (HarkSocketioAcks *self, gint64 ack)
{
  g_hash_table_remove (self->commands, &ack);
}

static gboolean
is_of_session (gpointer key, gpointer value, gpointer session)
{
  return ((Wanted *)value)->command->session == session;
}

/* The session is over: nobody waits any more. */
void
hark_socketio_acks_drop_session (HarkSocketioAcks *self, HarkSession *session)
{
  g_hash_table_foreach_remove (self->commands, is_of_session, session);
}

/* Events for clients. */

static void
expected_free (gpointer data)
{
  Expected *self = data;
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  if (self->task != NULL)
    g_task_return_new_error (self->task, HARK_ERROR, HARK_ERROR_OFFLINE, "the socket is gone");
  g_clear_object (&self->task);
  g_object_unref (self->clock);
  g_free (self);
}

static gboolean
on_expected_timeout (gpointer data)
{
  Expected *self = data;
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  self->timeout_id = 0;
  g_hash_table_remove (self->socket->acks, &self->id);
  g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_OFFLINE, "the client has not acknowledged in time");
  return G_SOURCE_REMOVE;
}

/**
 * hark_socketio_acks_expect:
 * @task: a holder is added: returns the arguments as a JSON array, or %HARK_ERROR_OFFLINE
 *
 * Returns: the id to send with the event; %HARK_SOCKETIO_NO_ID when the socket has too many to acknowledge, and then
 *   @task has returned %HARK_ERROR_OVERLOADED
 */
gint64
hark_socketio_acks_expect (HarkSocketioAcks *self, HarkSocketioSocket *socket, guint timeout_ms, GTask *task)
{
  Expected *expected;
  if (socket->acks == NULL)
    socket->acks = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, expected_free);
  if (g_hash_table_size (socket->acks) >= self->limits->pending_acks)
    {
      g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_OVERLOADED, "the client has too much to acknowledge");
      return HARK_SOCKETIO_NO_ID;
    }
  expected = g_new0 (Expected, 1);
  expected->clock = g_object_ref (self->clock);
  expected->socket = socket;
  expected->task = g_object_ref (task);
  expected->id = socket->last_ack++;
  expected->timeout_id = hark_clock_add_timeout (self->clock, timeout_ms, on_expected_timeout, expected);
  g_hash_table_insert (socket->acks, &expected->id, expected);
  return expected->id;
}

/* A client acknowledges: nobody minds one that is not expected, or not any more. */
void
hark_socketio_acks_take (HarkSocketioSocket *socket, gint64 id, const char *args, gsize len)
{
  Expected *expected = socket->acks != NULL ? g_hash_table_lookup (socket->acks, &id) : NULL;
  g_autoptr (GTask) task = NULL;
  if (expected == NULL)
    return;
  task = g_steal_pointer (&expected->task);
  g_hash_table_remove (socket->acks, &id);
  g_task_return_pointer (task, g_strndup (args, len), g_free);
}
