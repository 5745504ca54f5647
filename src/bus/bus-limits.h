/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkBusLimits:
 *
 * What callers on the bus can make the daemon keep.
 */
typedef struct
{
  guint max_calls;      /* requests under way, of all callers */
  guint max_peers;      /* callers whose user is known or being asked for */
  guint max_waiting;    /* calls of one caller that wait for its user to be known */
  guint max_monitors;   /* callers of StartMonitor */
  guint monitor_window; /* signals to monitors before the bus has said that it took them */
  guint max_programs;   /* that are clients */
  gsize max_outbox;     /* bytes that wait for one of them */
  guint changes_ms;     /* between two signals of what has changed of an object's properties, at least */
} HarkBusLimits;

#define HARK_BUS_LIMITS_DEFAULT                                                                                        \
  {                                                                                                                    \
    256, 1024, 64, 16, 1024, 256, 1 << 20, 1000                                                                        \
  }

G_END_DECLS
