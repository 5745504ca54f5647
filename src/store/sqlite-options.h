/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  HARK_SQLITE_FULL,  /* what is acknowledged survives a power cut */
  HARK_SQLITE_NORMAL /* what is acknowledged survives the end of the process; a power cut may take the last commits */
} HarkSqliteSynchronous;

/**
 * HarkSqliteOptions:
 *
 * How a file is used. Start from %HARK_SQLITE_OPTIONS_INIT; the strings are copied.
 */
typedef struct
{
  HarkSqliteSynchronous synchronous;
  guint batch_ms;             /* how long the first job of a commit waits for more; 0: takes what waits already */
  guint max_batch;            /* jobs in one commit */
  guint max_queue;            /* writing jobs that wait; beyond it they are refused */
  guint max_queue_read;       /* reading jobs that wait */
  guint readers;              /* threads, at least 1 */
  guint busy_timeout_ms;      /* how long to wait for another process's lock */
  guint cache_kib;            /* page cache of the writer */
  guint reader_cache_kib;     /* page cache of each reader */
  guint wal_checkpoint_pages; /* a log this long is copied into the file after a commit, not only when idle */
  guint wal_limit_pages;      /* a log this long, held by a long read, makes the writer wait for that read briefly */
  const char *vfs;            /* (nullable): SQLite's name of a file system, for tests */
  const char *migrations;     /* (nullable): GResource directory of NNN-name.sql */
} HarkSqliteOptions;

#define HARK_SQLITE_OPTIONS_INIT                                                                                       \
  {                                                                                                                    \
    .synchronous = HARK_SQLITE_FULL, .max_batch = 2000, .max_queue = 100000, .max_queue_read = 10000, .readers = 2,    \
    .busy_timeout_ms = 2000, .cache_kib = 2048, .reader_cache_kib = 1024, .wal_checkpoint_pages = 1000,                \
    .wal_limit_pages = 16000                                                                                           \
  }

G_END_DECLS
