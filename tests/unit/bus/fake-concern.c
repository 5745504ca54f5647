/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-concern.h"

#include "bus/translate.h"
#include "hark-bus-generated.h"

struct _FakeConcern
{
  GObject parent_instance;
  HarkDispatcher *dispatcher;
  HarkCommandSpec *specs;
  GHashTable *replies; /* command → members of its reply */
  GHashTable *once;    /* the same, for its next reply alone */
  GError *error;
  gboolean waits;
  GQueue asked;   /* "name {…}" */
  GQueue waiting; /* HarkCommand */
  guint n_commands;
};

G_DEFINE_FINAL_TYPE (FakeConcern, fake_concern, G_TYPE_OBJECT)

static void
fake_concern_dispose (GObject *object)
{
  FakeConcern *self = FAKE_CONCERN (object);
  if (self->dispatcher != NULL)
    hark_dispatcher_remove (self->dispatcher, self);
  fake_concern_answer_waiting (self);
  g_clear_object (&self->dispatcher);
  g_queue_clear_full (&self->asked, g_free);
  g_clear_pointer (&self->replies, g_hash_table_unref);
  g_clear_pointer (&self->once, g_hash_table_unref);
  g_clear_error (&self->error);
  g_clear_pointer (&self->specs, g_free);
  G_OBJECT_CLASS (fake_concern_parent_class)->dispose (object);
}

static void
fake_concern_class_init (FakeConcernClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = fake_concern_dispose;
}

static void
fake_concern_init (FakeConcern *self)
{
  g_queue_init (&self->asked);
  g_queue_init (&self->waiting);
  self->replies = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->once = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static void
reply (FakeConcern *self, HarkCommand *command)
{
  g_autofree char *key = NULL;
  g_autofree char *once = NULL;
  const char *members = g_hash_table_lookup (self->replies, command->spec->name);
  HarkJsonWriter *writer = hark_command_begin_reply (command);
  HarkJsonObject object;
  if (g_hash_table_steal_extended (self->once, command->spec->name, (gpointer *)&key, (gpointer *)&once))
    members = once;
  if (members != NULL)
    {
      g_assert_true (hark_json_object_parse (&object, members, strlen (members), NULL));
      for (guint i = 0; i < hark_json_object_get_n_members (&object); i++)
        {
          const HarkJsonValue *member = hark_json_object_get_nth (&object, i);
          hark_json_writer_forward (writer, member->name, member->raw);
        }
    }
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static void
on_command (HarkCommand *command, gpointer data)
{
  FakeConcern *self = data;
  g_auto (HarkJsonWriter) writer = { 0 };
  hark_json_writer_init (&writer, 0);
  hark_json_writer_begin_object (&writer);
  for (guint i = 0; i < hark_json_object_get_n_members (command->args); i++)
    {
      const HarkJsonValue *member = hark_json_object_get_nth (command->args, i);
      hark_json_writer_forward (&writer, member->name, member->raw);
    }
  hark_json_writer_end_object (&writer);
  g_queue_push_tail (&self->asked,
                     g_strdup_printf ("%s %s", command->spec->name, hark_json_writer_peek (&writer, NULL)));
  if (self->waits)
    g_queue_push_tail (&self->waiting, command);
  else if (self->error != NULL)
    {
      hark_command_fail (command, self->error);
      hark_command_unref (command);
    }
  else
    reply (self, command);
}

static void
add_specs (FakeConcern *self, GDBusInterfaceInfo *info, GHashTable *seen)
{
  for (guint i = 0; info->methods[i] != NULL; i++)
    {
      const char *name = g_dbus_annotation_info_lookup (info->methods[i]->annotations, HARK_BUS_ANNOTATION_COMMAND);
      HarkCommandSpec spec = { name, HARK_COMMAND_ADMIN, NULL, on_command };
      if (name != NULL && g_hash_table_add (seen, (gpointer)name))
        memcpy (&self->specs[self->n_commands++], &spec, sizeof spec);
    }
}

FakeConcern *
fake_concern_new (HarkDispatcher *dispatcher)
{
  FakeConcern *self = g_object_new (FAKE_TYPE_CONCERN, NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  self->dispatcher = g_object_ref (dispatcher);
  self->specs = g_new0 (HarkCommandSpec, 100);
  add_specs (self, hark_bus_hub1_interface_info (), seen);
  add_specs (self, hark_bus_directory1_interface_info (), seen);
  hark_dispatcher_add (dispatcher, self->specs, self->n_commands, self);
  return self;
}

/* @members: a JSON object: what the reply has besides its type */
void
fake_concern_will_reply (FakeConcern *self, const char *command, const char *members)
{
  g_hash_table_replace (self->replies, g_strdup (command), g_strdup (members));
}

void
fake_concern_will_reply_once (FakeConcern *self, const char *command, const char *members)
{
  g_hash_table_replace (self->once, g_strdup (command), g_strdup (members));
}

/* Every request from now on. */
void
fake_concern_will_fail (FakeConcern *self, GQuark domain, int code, const char *message)
{
  g_clear_error (&self->error);
  self->error = g_error_new_literal (domain, code, message);
}

void
fake_concern_will_wait (FakeConcern *self)
{
  self->waits = TRUE;
}

guint
fake_concern_get_n_waiting (FakeConcern *self)
{
  return g_queue_get_length (&self->waiting);
}

void
fake_concern_answer_waiting (FakeConcern *self)
{
  HarkCommand *command;
  while ((command = g_queue_pop_head (&self->waiting)) != NULL)
    reply (self, command);
}

/* Returns: (transfer full) (nullable): what was asked, "name {…}", the oldest first */
char *
fake_concern_pop (FakeConcern *self)
{
  return g_queue_pop_head (&self->asked);
}

guint
fake_concern_get_n_commands (FakeConcern *self)
{
  return self->n_commands;
}
