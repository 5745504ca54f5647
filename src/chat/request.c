/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a command to a piece of work and back to a reply. The reply's members are written by the work, where the rows
 * are; the hub's thread only puts them behind `type` and `ref`.
 */
#include "chat/request.h"

/**
 * hark_request_new:
 * @size: of the struct of which HarkRequest is the first member; zeroed
 * @command: (transfer full)
 * @clear: (nullable): frees what the struct holds besides
 */
gpointer
hark_request_new (gsize size, HarkCommand *command, gpointer concern, HarkRequestFunc clear)
{
  HarkRequest *self = g_malloc0 (size);
  self->command = command;
  self->concern = concern;
  self->actor = hark_command_get_user_id (command);
  self->is_admin = hark_command_is_admin (command);
  self->clear = clear;
  hark_json_writer_init (&self->reply, 0);
  hark_json_writer_begin_object (&self->reply);
  return self;
}

/* In the hub's thread. */
void
hark_request_free (gpointer request)
{
  HarkRequest *self = request;
  if (self->clear != NULL)
    self->clear (self);
  hark_json_writer_clear (&self->reply);
  hark_command_unref (self->command);
  g_free (self);
}

/* Answers with @error (transfer full) and frees the request, which has not been given to the store. */
void
hark_request_refuse (gpointer request, GError *error)
{
  HarkRequest *self = request;
  hark_command_take_error (self->command, error);
  hark_request_free (self);
}

/* Sends what the work has written. */
void
hark_request_reply (gpointer request)
{
  HarkRequest *self = request;
  HarkJsonWriter *writer = hark_command_begin_reply (self->command);
  gsize len;
  const char *json;
  hark_json_writer_end_object (&self->reply);
  json = hark_json_writer_peek (&self->reply, &len);
  hark_json_writer_members_raw (writer, json, len);
  hark_command_end_reply (self->command);
}

static void
on_done (gpointer data, const GError *error, gpointer user_data)
{
  HarkRequest *self = data;
  if (error != NULL)
    {
      hark_command_fail (self->command, error);
      return;
    }
  if (self->done != NULL)
    self->done (self);
  hark_request_reply (self);
}

/**
 * hark_request_write:
 * @request: (transfer full)
 * @done: (nullable): for what the hub has to do before the reply: it runs right after the work's events were published
 */
void
hark_request_write (gpointer request, HarkStore *store, HarkWork work, HarkRequestFunc done)
{
  HarkRequest *self = request;
  self->done = done;
  hark_store_write (store, work, self, hark_request_free, on_done, NULL);
}

/* As hark_request_write (), for work that only reads. */
void
hark_request_read (gpointer request, HarkStore *store, HarkWork work, HarkRequestFunc done)
{
  HarkRequest *self = request;
  self->done = done;
  hark_store_read (store, work, self, hark_request_free, on_done, NULL);
}
