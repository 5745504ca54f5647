/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store/mailbox.h"
#include "store/sqlite-connection.h"
#include "store/sqlite-metrics.h"

G_BEGIN_DECLS

typedef struct _HarkSqliteReaderPool HarkSqliteReaderPool;

HarkSqliteReaderPool *hark_sqlite_reader_pool_new (const char *path, const HarkSqliteOptions *options, HarkClock *clock,
                                                   HarkIds *ids, const HarkSqliteMetrics *metrics, HarkMailbox *mailbox,
                                                   GError **error);
void hark_sqlite_reader_pool_free (HarkSqliteReaderPool *self);
gboolean hark_sqlite_reader_pool_push (HarkSqliteReaderPool *self, HarkJob *job);
void hark_sqlite_reader_pool_finish (HarkSqliteReaderPool *self);
void hark_sqlite_deliver (HarkMailbox *mailbox, HarkJob *job);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkSqliteReaderPool, hark_sqlite_reader_pool_free)

G_END_DECLS
