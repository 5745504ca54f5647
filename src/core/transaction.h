/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/event.h"

#include "base/ids.h"

G_BEGIN_DECLS

typedef struct _HarkTransaction HarkTransaction;
typedef struct _HarkStatement HarkStatement; /* the store's own */

/**
 * HarkTransactionClass:
 *
 * What a store implements. @prepare gets a string constant and may cache by its address. @step returns 1 for a row, 0
 * at the end, -1 with an error: %HARK_ERROR_CONFLICT for a violated constraint, %HARK_ERROR_OVERLOADED for a full disk
 * or a database locked by someone else, %HARK_ERROR_INTERNAL otherwise.
 */
typedef struct
{
  HarkStatement *(*prepare) (HarkTransaction *self, const char *sql, GError **error);
  void (*bind_int64) (HarkStatement *statement, guint index, gint64 value);
  void (*bind_text) (HarkStatement *statement, guint index, const char *text, gssize len);
  void (*bind_blob) (HarkStatement *statement, guint index, gconstpointer data, gsize len);
  void (*bind_null) (HarkStatement *statement, guint index);
  int (*step) (HarkTransaction *self, HarkStatement *statement, GError **error);
  gboolean (*is_null) (HarkStatement *statement, guint column);
  gint64 (*get_int64) (HarkStatement *statement, guint column);
  const char *(*get_text) (HarkStatement *statement, guint column, gsize *len);
  gconstpointer (*get_blob) (HarkStatement *statement, guint column, gsize *len);
  void (*reset) (HarkStatement *statement);
  gint64 (*get_changes) (HarkTransaction *self);
} HarkTransactionClass;

/**
 * HarkTransaction:
 *
 * One piece of work's view of the store, in the writer's or a reader's thread. Work touches this and its own data,
 * nothing else. Stores embed it.
 */
struct _HarkTransaction
{
  const HarkTransactionClass *klass;
  gboolean writable;
  HarkIds *ids;      /* (owned): for new things */
  HarkClock *clock;  /* (owned) */
  GPtrArray *events; /* (nullable) (owned) (element-type HarkEvent): emitted by the running piece of work */
};

/*
 * Values are bound by a string of types, one letter each:
 *   i gint64 · t const char * (NULL: SQL NULL) · T const char *, gsize · b const void *, gsize · n nothing: SQL NULL
 */
gboolean hark_transaction_exec (HarkTransaction *self, GError **error, const char *sql, const char *types, ...);
gint64 hark_transaction_get_changes (HarkTransaction *self);
gint64 hark_transaction_next_id (HarkTransaction *self);
gint64 hark_transaction_now_ms (HarkTransaction *self);
void hark_transaction_emit (HarkTransaction *self, HarkEvent *event);

/**
 * HarkRows:
 *
 * The rows of a query, on the stack: `g_auto (HarkRows) rows = HARK_ROWS_INIT; hark_transaction_query (tx, &rows, …)`,
 * then `while (hark_rows_next (&rows, &error))`. Ends by itself at the last row, at an error, and when it goes out of
 * scope. The same statement must not be running twice at a time.
 */
typedef struct
{
  HarkTransaction *transaction;
  HarkStatement *statement;
} HarkRows;

#define HARK_ROWS_INIT                                                                                                 \
  {                                                                                                                    \
    NULL, NULL                                                                                                         \
  }

gboolean hark_transaction_query (HarkTransaction *self, HarkRows *rows, GError **error, const char *sql,
                                 const char *types, ...);
gboolean hark_rows_next (HarkRows *self, GError **error);
gboolean hark_rows_is_null (const HarkRows *self, guint column);
gint64 hark_rows_get_int64 (const HarkRows *self, guint column);
const char *hark_rows_get_text (const HarkRows *self, guint column, gsize *len);
gconstpointer hark_rows_get_blob (const HarkRows *self, guint column, gsize *len);
void hark_rows_end (HarkRows *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkRows, hark_rows_end)

/* The single number of a query's first row. @found: (out) (optional): whether there was one. */
gboolean hark_transaction_query_int64 (HarkTransaction *self, gint64 *value, gboolean *found, GError **error,
                                       const char *sql, const char *types, ...);

G_END_DECLS
