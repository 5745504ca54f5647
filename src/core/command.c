/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request on its way to an answer. Concerns answer it now or when the store has, once; a command that is dropped
 * without an answer is a bug, and the client gets "internal" rather than silence.
 */
#include "core/command.h"

#include "base/error.h"
#include "core/session.h"

HarkCommand *
hark_command_new (HarkSession *session, HarkIdentity *actor, const char *ref, gsize ref_len)
{
  HarkCommand *self = g_new0 (HarkCommand, 1);
  self->refs = 1;
  self->session = session != NULL ? g_object_ref (session) : NULL;
  self->actor = actor != NULL ? hark_identity_ref (actor) : NULL;
  self->ref = ref != NULL ? g_strndup (ref, ref_len) : NULL;
  return self;
}

/* A command of somebody who is no session: the answer goes to @answer, once. */
HarkCommand *
hark_command_new_call (HarkIdentity *actor, HarkCommandAnswer answer, gpointer data)
{
  HarkCommand *self = hark_command_new (NULL, actor, NULL, 0);
  self->answer = answer;
  self->answer_data = data;
  return self;
}

HarkCommand *
hark_command_ref (HarkCommand *self)
{
  self->refs++;
  return self;
}

void
hark_command_unref (HarkCommand *self)
{
  if (--self->refs > 0)
    return;
  if (!self->answered)
    {
      g_autoptr (GError) error = NULL;
      self->refs = 1;
      g_set_error (&error, HARK_ERROR, HARK_ERROR_INTERNAL, "the request was not answered");
      g_critical ("%s was dropped without an answer", self->spec != NULL ? self->spec->name : "a command");
      hark_command_fail (self, error);
    }
  if (self->tag_free != NULL)
    self->tag_free (self->tag);
  g_clear_pointer (&self->actor, hark_identity_unref);
  g_clear_object (&self->session);
  g_free (self->peer);
  g_free (self->ref);
  g_free (self);
}

/* Returns: the acting user, 0 when there is none */
gint64
hark_command_get_user_id (const HarkCommand *self)
{
  return self->actor != NULL ? self->actor->user_id : 0;
}

/* Whether an administrator asks, or who may ask this as if he were one. */
gboolean
hark_command_is_admin (const HarkCommand *self)
{
  if (self->actor == NULL)
    return FALSE;
  return (self->actor->flags & HARK_IDENTITY_ADMIN) != 0
         || ((self->actor->flags & HARK_IDENTITY_BACKEND) != 0 && (self->spec->flags & HARK_COMMAND_BACK_END) != 0);
}

static void
begin (HarkCommand *self, const char *type)
{
  HarkJsonWriter *writer = self->writer;
  hark_json_writer_reset (writer);
  hark_json_writer_begin_object (writer);
  hark_json_writer_member_string (writer, "type", type);
  if (self->ref != NULL)
    {
      hark_json_writer_member (writer, "ref");
      hark_json_writer_raw (writer, self->ref, strlen (self->ref));
    }
}

static gboolean
is_clients_fault (HarkError code)
{
  return code != HARK_ERROR_OVERLOADED && code != HARK_ERROR_OFFLINE && code != HARK_ERROR_INTERNAL;
}

static void
finish (HarkCommand *self, const GError *error)
{
  gsize len;
  const char *json;
  g_assert (!self->answered);
  self->answered = TRUE;
  self->failed = error != NULL;
  self->refused = error != NULL && !self->spared && is_clients_fault (hark_error_get_code (error));
  hark_json_writer_end_object (self->writer);
  json = hark_json_writer_peek (self->writer, &len);
  if (self->answer != NULL)
    self->answer (error == NULL ? json : NULL, error == NULL ? len : 0, error, self->answer_data);
  else if (self->session != NULL)
    hark_session_answer (self->session, self, json, len);
}

/**
 * hark_command_begin_reply:
 *
 * Returns: (transfer none): a writer inside the reply object, to be given members and then to
 *   hark_command_end_reply () before anything else is answered
 */
HarkJsonWriter *
hark_command_begin_reply (HarkCommand *self)
{
  g_return_val_if_fail (!self->answered, self->writer);
  begin (self, self->spec->name);
  return self->writer;
}

void
hark_command_end_reply (HarkCommand *self)
{
  finish (self, NULL);
}

void
hark_command_reply_empty (HarkCommand *self)
{
  hark_command_begin_reply (self);
  hark_command_end_reply (self);
}

void
hark_command_end_silently (HarkCommand *self)
{
  if (self->ref != NULL || self->session == NULL || self->tag != NULL)
    {
      hark_command_reply_empty (self);
      return;
    }
  self->answered = TRUE;
  hark_session_answer (self->session, self, NULL, 0);
}

/* Writes the members of an error object: shared by refused and failed requests. */
void
hark_command_write_error (HarkJsonWriter *writer, const GError *error)
{
  HarkError code = hark_error_get_code (error);
  gboolean ours = code == HARK_ERROR_INTERNAL;
  guint retry_after_ms;
  hark_json_writer_member_string (writer, "code", hark_error_get_wire_name (code));
  hark_json_writer_member_string (writer, "message", ours ? "something went wrong inside Hark" : error->message);
  if (hark_error_get_retry_after (error, &retry_after_ms))
    hark_json_writer_member_int (writer, "retry_after_ms", retry_after_ms);
}

/**
 * hark_command_fail:
 * @error: anything; %HARK_ERROR_INTERNAL and what is not of %HARK_ERROR is logged, and told without its message
 *
 * Answers with an error.
 */
void
hark_command_fail (HarkCommand *self, const GError *error)
{
  g_return_if_fail (!self->answered && error != NULL);
  if (hark_error_get_code (error) == HARK_ERROR_INTERNAL)
    g_message ("%s failed: %s", self->spec != NULL ? self->spec->name : "a command", error->message);
  if (self->errors != NULL)
    hark_counter_add (self->errors[hark_error_get_code (error)], 1);
  begin (self, "error");
  hark_command_write_error (self->writer, error);
  finish (self, error);
}

void
hark_command_take_error (HarkCommand *self, GError *error)
{
  hark_command_fail (self, error);
  g_error_free (error);
}
