/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store/job-queue.h"
#include "store/mailbox.h"
#include "store/sqlite-connection.h"
#include "store/sqlite-metrics.h"

G_BEGIN_DECLS

typedef struct _HarkSqliteWriter HarkSqliteWriter;

HarkSqliteWriter *hark_sqlite_writer_new (const char *path, const HarkSqliteOptions *options, HarkClock *clock,
                                          HarkIds *ids, const HarkSqliteMetrics *metrics, HarkMailbox *mailbox,
                                          GError **error);
void hark_sqlite_writer_free (HarkSqliteWriter *self);
gboolean hark_sqlite_writer_run_sync (HarkSqliteWriter *self, HarkWork work, gpointer data, GError **error);
gboolean hark_sqlite_writer_push (HarkSqliteWriter *self, HarkJob *job);
void hark_sqlite_writer_push_list (HarkSqliteWriter *self, HarkJobList *list);
void hark_sqlite_writer_finish (HarkSqliteWriter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkSqliteWriter, hark_sqlite_writer_free)

G_END_DECLS
