/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"

G_BEGIN_DECLS

/**
 * HarkSqliteHealth:
 *
 * Whether something that the store does over and over works at present. An outage makes thousands of equal errors; the
 * log gets one line when it begins and one when it ends. Belongs to one thread.
 */
typedef struct
{
  const char *what; /* what cannot be done, as the log names it */
  HarkGauge *gauge; /* (nullable): 1 during an outage */
  gboolean failing;
} HarkSqliteHealth;

void hark_sqlite_health_note (HarkSqliteHealth *self, int result);

G_END_DECLS
