/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store/sqlite-store.h"

#include "base/error.h"

G_BEGIN_DECLS

typedef struct _StoreFixture StoreFixture;

/* How a job that a test asked for stands. */
typedef enum
{
  ASK_OPEN,
  ASK_DONE,
  ASK_FAILED
} AskState;

/* One job of a test; kept by the fixture until its end. */
typedef struct
{
  StoreFixture *fixture;
  AskState state;
  HarkError code;     /* when failed */
  guint order;        /* the how many-th answer it was, from 1 */
  gboolean destroyed; /* the data was given back */
  gint64 id;
  const char *text;  /* what is written; "fail": write, then fail */
  guint size;        /* further bytes written */
  gboolean emit;     /* an event with seq = id */
  gboolean stubborn; /* goes on after an error */
  gint64 value;      /* what was read */
  GThread *thread;   /* where the answer came */
} Ask;

/* A file in a directory of its own, a store on it, and what the store said. */
struct _StoreFixture
{
  char *directory;
  char *path;
  HarkSqliteOptions options;
  HarkClock *clock;
  HarkIds *ids;
  HarkMetrics *metrics;
  GMainContext *context;
  HarkSqliteStore *store; /* (nullable) */
  GPtrArray *asks;        /* (element-type Ask) */
  guint answers;
  GArray *events; /* (element-type gint64): seq of each event as it was published */
  GMutex gate_lock;
  GCond gate_cond;
  guint gates_reached;
  gboolean gate_open;
};

void store_fixture_set_up (StoreFixture *self, gconstpointer data);
void store_fixture_tear_down (StoreFixture *self, gconstpointer data);
void store_fixture_open (StoreFixture *self);
void store_fixture_close (StoreFixture *self);

Ask *store_fixture_insert (StoreFixture *self, gint64 id, const char *text);
Ask *store_fixture_write (StoreFixture *self, Ask ask);
Ask *store_fixture_count (StoreFixture *self);
void store_fixture_gate (StoreFixture *self, gboolean reader);
void store_fixture_wait_gates (StoreFixture *self, guint n);
void store_fixture_open_gate (StoreFixture *self);
void store_fixture_wait (StoreFixture *self);
void store_fixture_wait_for (StoreFixture *self, const Ask *ask);
void store_fixture_assert_file_has_what_was_answered (StoreFixture *self);

gint64 store_fixture_counter (StoreFixture *self, const char *name);
gint64 store_fixture_sql (const char *path, const char *sql);
char *store_fixture_take_log (void);
void store_fixture_capture_log (void);
void store_fixture_assert_match (const char *text, const char *pattern);

G_END_DECLS
