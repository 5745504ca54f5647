/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Why a connection could not be gone on with if this process ended now, whatever of it the kernel keeps. */
typedef enum
{
  HARK_MARK_READING = 1 << 0, /* something of it was read, and is not wholly parsed and answered */
  HARK_MARK_WRITING = 1 << 1, /* a frame may be half written */
  HARK_MARK_UNSAVED = 1 << 2, /* the store does not have all that its session has subscribed to */
  HARK_MARK_PLAIN = 1 << 3,   /* no reason, but what must be known: it speaks as a page's own socket does */
  HARK_MARK_DEFLATE = 1 << 4  /* as above: it compresses */
} HarkMarkFlags;

/**
 * HarkTransportMark:
 * @flags: #HarkMarkFlags
 * @turn: of #HarkTransportLog, when it was last given all there was for it
 *
 * Where one connection stands, in memory that outlives this process, even if it is killed: so it is set before something
 * begins and cleared when that has ended, each in one store to memory.
 */
typedef struct
{
  volatile guint32 flags;
  volatile guint32 turn;
} HarkTransportMark;

/**
 * HarkTransportLog:
 * @rev: everything up to this one was published when the last flush began
 * @previous_rev: when the one before began
 * @turn: counts the flushes
 * @is_flushing: the last one has not ended: those marked with @turn were given what was published up to @rev, the others
 *   what was up to @previous_rev
 *
 * What is the same for all connections, in the same memory.
 */
typedef struct
{
  volatile gint64 rev;
  volatile gint64 previous_rev;
  volatile guint32 turn;
  volatile guint32 is_flushing;
} HarkTransportLog;

static inline void
hark_transport_mark_set (HarkTransportMark *self, guint32 flags)
{
  if (self != NULL)
    self->flags |= flags;
}

static inline void
hark_transport_mark_clear (HarkTransportMark *self, guint32 flags)
{
  if (self != NULL)
    self->flags &= ~flags;
}

G_END_DECLS
