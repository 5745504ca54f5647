/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which connections lie with the service manager. They are given to it as they come, and not when we end, because a
 * process that is killed has no time to; and taken back when they end, because a connection is open as long as anybody
 * has its descriptor.
 */
#include "daemon/descriptor-store.h"

struct _HarkDescriptorStore
{
  HarkServiceManager *manager; /* (owned) */
  HarkHub *hub;                /* unowned */
  HarkLogbook *logbook;        /* (owned) */
  HarkDescriptorFunc func;
  gpointer data;
  GHashTable *slots; /* session id → slot + 1 */
  GArray *free;      /* (element-type guint): slots that were used and are free */
  guint next;        /* all from here on were never used */
  HarkGauge *n_stored;
  HarkCounter *n_refused;
  gulong added_id;
  gulong removed_id;
};

/* Short: the names of all go into one variable of the next process's environment. */
const char *
hark_descriptor_name (guint slot, char out[HARK_DESCRIPTOR_NAME_LEN])
{
  g_snprintf (out, HARK_DESCRIPTOR_NAME_LEN, "c%u", slot);
  return out;
}

gboolean
hark_descriptor_parse_name (const char *name, guint *slot)
{
  guint64 number;
  if (name[0] != 'c' || !g_ascii_string_to_unsigned (name + 1, 10, 0, G_MAXINT, &number, NULL))
    return FALSE;
  *slot = number;
  return TRUE;
}

static void
note (HarkDescriptorStore *self, HarkSession *session, guint slot, guint32 flags)
{
  session->transport->mark = hark_logbook_claim (self->logbook, slot, session->id, flags);
  g_hash_table_insert (self->slots, g_memdup2 (&session->id, sizeof session->id), GUINT_TO_POINTER (slot + 1));
  hark_gauge_set (self->n_stored, g_hash_table_size (self->slots));
  /* At the turn's end it is seen whether anything of it is under way. */
  if (!session->transport->awake)
    HARK_TRANSPORT_GET_CLASS (session->transport)->wake (session->transport);
}

static gboolean
take_slot (HarkDescriptorStore *self, guint *slot)
{
  if (self->free->len > 0)
    {
      *slot = g_array_index (self->free, guint, self->free->len - 1);
      g_array_set_size (self->free, self->free->len - 1);
      return TRUE;
    }
  *slot = self->next;
  if (self->next >= hark_logbook_get_n_slots (self->logbook))
    return FALSE;
  self->next++;
  return TRUE;
}

static void
add (HarkDescriptorStore *self, HarkSession *session, int fd, guint32 flags)
{
  char name[HARK_DESCRIPTOR_NAME_LEN];
  guint slot;
  if (!take_slot (self, &slot))
    {
      hark_counter_add (self->n_refused, 1);
      return;
    }
  note (self, session, slot, flags);
  hark_service_manager_store_fd (self->manager, fd, hark_descriptor_name (slot, name));
}

static void
on_hub_session_added (HarkHub *hub, HarkSession *session, HarkDescriptorStore *self)
{
  guint32 flags = 0;
  int fd = session->transport != NULL ? self->func (session, &flags, self->data) : -1;
  /* Its row is not in the store of sessions yet. */
  if (fd >= 0)
    add (self, session, fd, flags | HARK_MARK_READING | HARK_MARK_UNSAVED);
}

static void
on_hub_session_removed (HarkHub *hub, HarkSession *session, guint code, const char *reason, HarkDescriptorStore *self)
{
  int slot = hark_descriptor_store_get_slot (self, session);
  char name[HARK_DESCRIPTOR_NAME_LEN];
  guint freed = slot;
  if (slot < 0)
    return;
  g_hash_table_remove (self->slots, &session->id);
  hark_gauge_set (self->n_stored, g_hash_table_size (self->slots));
  if (session->transport != NULL)
    session->transport->mark = NULL;
  hark_logbook_release (self->logbook, slot);
  hark_service_manager_remove_stored (self->manager, hark_descriptor_name (slot, name));
  g_array_append_val (self->free, freed);
}

/**
 * hark_descriptor_store_new:
 * @max: how many connections; the unit's FileDescriptorStoreMax= must be two more
 * @func: called for each session that opens
 *
 * Returns: (transfer full): one without connections, which hark_descriptor_store_publish () makes known; %NULL with
 *   %HARK_ERROR_INTERNAL
 */
HarkDescriptorStore *
hark_descriptor_store_new (HarkServiceManager *manager, HarkHub *hub, HarkMetrics *metrics, guint max,
                           HarkDescriptorFunc func, gpointer data, GError **error)
{
  g_autoptr (HarkLogbook) logbook = hark_logbook_new (max, error);
  HarkDescriptorStore *self;
  if (logbook == NULL)
    return NULL;
  self = g_new0 (HarkDescriptorStore, 1);
  self->manager = g_object_ref (manager);
  self->hub = hub;
  self->logbook = g_steal_pointer (&logbook);
  self->func = func;
  self->data = data;
  self->slots = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->free = g_array_new (FALSE, FALSE, sizeof (guint));
  self->n_stored
    = hark_metrics_gauge (metrics, "hark_connections_stored", "Connections that the service manager keeps beside us.");
  self->n_refused
    = hark_metrics_counter (metrics, "hark_connections_stored_refused_total",
                            "Connections that a restart will cut, because the service manager keeps no more.");
  self->added_id = g_signal_connect (hub, "session-added", G_CALLBACK (on_hub_session_added), self);
  self->removed_id = g_signal_connect (hub, "session-removed", G_CALLBACK (on_hub_session_removed), self);
  return self;
}

/* What is stored stays stored: for the next process. */
void
hark_descriptor_store_free (HarkDescriptorStore *self)
{
  g_clear_signal_handler (&self->added_id, self->hub);
  g_clear_signal_handler (&self->removed_id, self->hub);
  g_hash_table_unref (self->slots);
  g_array_unref (self->free);
  hark_logbook_free (self->logbook);
  g_object_unref (self->manager);
  g_free (self);
}

/* Returns: (transfer none): for the reactor */
HarkTransportLog *
hark_descriptor_store_get_log (HarkDescriptorStore *self)
{
  return hark_logbook_get_log (self->logbook);
}

static gboolean
claim_slot (HarkDescriptorStore *self, guint slot)
{
  guint n_slots = hark_logbook_get_n_slots (self->logbook);
  for (; self->next <= slot && self->next < n_slots; self->next++)
    g_array_append_val (self->free, self->next);
  /* From the end: they come in the order in which they were just added. */
  for (guint i = self->free->len; i > 0; i--)
    if (g_array_index (self->free, guint, i - 1) == slot)
      {
        g_array_remove_index_fast (self->free, i - 1);
        return TRUE;
      }
  return FALSE;
}

/**
 * hark_descriptor_store_adopt:
 * @slot: where its descriptor lies; -1: nowhere yet
 *
 * A session of the process before goes on.
 */
void
hark_descriptor_store_adopt (HarkDescriptorStore *self, HarkSession *session, int slot)
{
  guint32 flags = 0;
  int fd = self->func (session, &flags, self->data);
  flags |= HARK_MARK_READING | (session->resumable ? 0 : HARK_MARK_UNSAVED);
  if (slot >= 0 && claim_slot (self, slot))
    note (self, session, slot, flags);
  else if (fd >= 0)
    add (self, session, fd, flags);
}

/* The service manager lets go of a slot's descriptor, which nobody has adopted. */
void
hark_descriptor_store_drop (HarkDescriptorStore *self, guint slot)
{
  char name[HARK_DESCRIPTOR_NAME_LEN];
  hark_service_manager_remove_stored (self->manager, hark_descriptor_name (slot, name));
}

/* From now on our logbook is what counts: what the process before has left is done with. */
void
hark_descriptor_store_publish (HarkDescriptorStore *self)
{
  hark_service_manager_remove_stored (self->manager, HARK_STORED_LOGBOOK);
  hark_service_manager_store_fd (self->manager, hark_logbook_get_fd (self->logbook), HARK_STORED_LOGBOOK);
  hark_service_manager_remove_stored (self->manager, HARK_STORED_STATE);
}

/* Returns: where a session's descriptor lies; -1: nowhere */
int
hark_descriptor_store_get_slot (HarkDescriptorStore *self, HarkSession *session)
{
  return GPOINTER_TO_INT (g_hash_table_lookup (self->slots, &session->id)) - 1;
}
