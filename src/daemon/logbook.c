/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that outlives the process that writes it: one page of what is common, then a slot for each connection. */
#include "daemon/logbook.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x6b726148u
#define VERSION 1

typedef struct
{
  guint32 magic;
  guint32 version;
  guint32 n_slots;
  guint32 slot_size;
  HarkTransportLog log;
} Header;

typedef struct
{
  volatile gint64 session_id; /* 0: free */
  HarkTransportMark mark;
} Slot;

struct _HarkLogbook
{
  int fd; /* (owned) */
  gsize size;
  Header *header; /* mapped */
  Slot *slots;
};

static gboolean
set_failed (GError **error, const char *what)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "The logbook of connections cannot be %s: %s", what,
               g_strerror (errno));
  return FALSE;
}

static gboolean
map (HarkLogbook *self, GError **error)
{
  gpointer data = mmap (NULL, self->size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
  if (data == MAP_FAILED)
    return set_failed (error, "mapped");
  self->header = data;
  self->slots = (Slot *)(self->header + 1);
  return TRUE;
}

/**
 * hark_logbook_new:
 *
 * Returns: (transfer full): an empty one; %NULL with %HARK_ERROR_INTERNAL
 */
HarkLogbook *
hark_logbook_new (guint n_slots, GError **error)
{
  g_autoptr (HarkLogbook) self = g_new0 (HarkLogbook, 1);
  self->size = sizeof (Header) + (gsize)n_slots * sizeof (Slot);
  self->fd = memfd_create ("hark-logbook", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  /* Its size is sealed, so that nobody who has it can take the memory from under the other. */
  if (self->fd < 0 || ftruncate (self->fd, self->size) != 0
      || fcntl (self->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    {
      set_failed (error, "made");
      return NULL;
    }
  if (!map (self, error))
    return NULL;
  self->header->magic = MAGIC;
  self->header->version = VERSION;
  self->header->n_slots = n_slots;
  self->header->slot_size = sizeof (Slot);
  return g_steal_pointer (&self);
}

/**
 * hark_logbook_open:
 * @fd: (transfer full)
 *
 * Returns: (transfer full): that of the process before; %NULL with %HARK_ERROR_BAD_REQUEST when it is none, or of another
 *   version, and %HARK_ERROR_INTERNAL
 */
HarkLogbook *
hark_logbook_open (int fd, GError **error)
{
  g_autoptr (HarkLogbook) self = g_new0 (HarkLogbook, 1);
  struct stat info;
  self->fd = fd;
  if (fstat (fd, &info) != 0 || (gsize)info.st_size < sizeof (Header) || (fcntl (fd, F_GET_SEALS) & F_SEAL_SHRINK) == 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "What the process before has left is no logbook");
      return NULL;
    }
  self->size = info.st_size;
  if (!map (self, error))
    return NULL;
  if (self->header->magic != MAGIC || self->header->version != VERSION || self->header->slot_size != sizeof (Slot)
      || self->size != sizeof (Header) + (gsize)self->header->n_slots * sizeof (Slot))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "The logbook that the process before has left is of another version");
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
hark_logbook_free (HarkLogbook *self)
{
  if (self->header != NULL)
    munmap (self->header, self->size);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self);
}

int
hark_logbook_get_fd (HarkLogbook *self)
{
  return self->fd;
}

/* Returns: (transfer none): for the reactor */
HarkTransportLog *
hark_logbook_get_log (HarkLogbook *self)
{
  return &self->header->log;
}

guint
hark_logbook_get_n_slots (HarkLogbook *self)
{
  return self->header->n_slots;
}

/**
 * hark_logbook_claim:
 * @flags: #HarkMarkFlags, to begin with
 *
 * Returns: (transfer none): where the connection of @session_id stands, until hark_logbook_release ()
 */
HarkTransportMark *
hark_logbook_claim (HarkLogbook *self, guint slot, gint64 session_id, guint32 flags)
{
  g_assert (slot < self->header->n_slots);
  self->slots[slot].mark.flags = flags;
  self->slots[slot].mark.turn = self->header->log.turn;
  /* Last: until now the slot is nobody's. */
  self->slots[slot].session_id = session_id;
  return &self->slots[slot].mark;
}

void
hark_logbook_release (HarkLogbook *self, guint slot)
{
  g_assert (slot < self->header->n_slots);
  self->slots[slot].session_id = 0;
}

/* Returns: 0 for a slot that was nobody's, or that there is not */
gint64
hark_logbook_get_session (HarkLogbook *self, guint slot)
{
  return slot < self->header->n_slots ? self->slots[slot].session_id : 0;
}

guint32
hark_logbook_get_flags (HarkLogbook *self, guint slot)
{
  return self->slots[slot].mark.flags;
}

/* Returns: the rev up to which the kernel was given everything that was for the slot's session */
gint64
hark_logbook_get_rev (HarkLogbook *self, guint slot)
{
  const HarkTransportLog *log = &self->header->log;
  gboolean is_behind = log->is_flushing && self->slots[slot].mark.turn != log->turn;
  return is_behind ? log->previous_rev : log->rev;
}
