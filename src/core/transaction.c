/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The port's common half: binding by a string of types and walking over rows, so that a concern writes a statement and
 * its values on one line and a store implements a dozen small functions.
 */
#include "core/transaction.h"

static HarkStatement *
prepare_and_bind (HarkTransaction *self, const char *sql, const char *types, va_list args, GError **error)
{
  const HarkTransactionClass *klass = self->klass;
  HarkStatement *statement = klass->prepare (self, sql, error);
  if (statement == NULL)
    return NULL;
  for (guint i = 0; types[i] != '\0'; i++)
    {
      switch (types[i])
        {
        case 'i':
          klass->bind_int64 (statement, i, va_arg (args, gint64));
          break;
        case 't':
          {
            const char *text = va_arg (args, const char *);
            if (text != NULL)
              klass->bind_text (statement, i, text, -1);
            else
              klass->bind_null (statement, i);
            break;
          }
        case 'T':
          {
            const char *text = va_arg (args, const char *);
            klass->bind_text (statement, i, text, va_arg (args, gsize));
            break;
          }
        case 'b':
          {
            gconstpointer data = va_arg (args, gconstpointer);
            klass->bind_blob (statement, i, data, va_arg (args, gsize));
            break;
          }
        case 'n':
          klass->bind_null (statement, i);
          break;
        default:
          g_assert_not_reached ();
        }
    }
  return statement;
}

/**
 * hark_transaction_exec:
 * @sql: a string constant
 * @types: the types of the values that follow
 *
 * Runs a statement that gives no rows (rows it gives are passed over).
 *
 * Returns: whether it succeeded; errors as in #HarkTransactionClass
 */
gboolean
hark_transaction_exec (HarkTransaction *self, GError **error, const char *sql, const char *types, ...)
{
  HarkStatement *statement;
  va_list args;
  int rc;
  va_start (args, types);
  statement = prepare_and_bind (self, sql, types, args, error);
  va_end (args);
  if (statement == NULL)
    return FALSE;
  while ((rc = self->klass->step (self, statement, error)) > 0)
    ;
  self->klass->reset (statement);
  return rc == 0;
}

/* Rows changed by the last statement. */
gint64
hark_transaction_get_changes (HarkTransaction *self)
{
  return self->klass->get_changes (self);
}

/* An id for a new thing: greater than all before. */
gint64
hark_transaction_next_id (HarkTransaction *self)
{
  return hark_ids_next (self->ids);
}

/* Milliseconds since 1970. */
gint64
hark_transaction_now_ms (HarkTransaction *self)
{
  return hark_clock_get_real_ms (self->clock);
}

/**
 * hark_transaction_emit:
 * @event: (transfer full)
 *
 * Gives an event to be published once the work is committed. It is dropped when the work or the commit fails.
 */
void
hark_transaction_emit (HarkTransaction *self, HarkEvent *event)
{
  g_assert (self->writable);
  if (self->events == NULL)
    self->events = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_event_unref);
  g_ptr_array_add (self->events, event);
}

/**
 * hark_transaction_query:
 * @rows: (out caller-allocates): from %HARK_ROWS_INIT or ended
 *
 * Starts a query; the first hark_rows_next () goes to its first row.
 *
 * Returns: whether it could be started
 */
gboolean
hark_transaction_query (HarkTransaction *self, HarkRows *rows, GError **error, const char *sql, const char *types, ...)
{
  va_list args;
  g_assert (rows->statement == NULL);
  va_start (args, types);
  rows->statement = prepare_and_bind (self, sql, types, args, error);
  va_end (args);
  rows->transaction = self;
  return rows->statement != NULL;
}

/* Returns: whether there is a row; %FALSE with @error unset at the end */
gboolean
hark_rows_next (HarkRows *self, GError **error)
{
  if (self->statement == NULL)
    return FALSE;
  if (self->transaction->klass->step (self->transaction, self->statement, error) > 0)
    return TRUE;
  hark_rows_end (self);
  return FALSE;
}

gboolean
hark_rows_is_null (const HarkRows *self, guint column)
{
  return self->transaction->klass->is_null (self->statement, column);
}

gint64
hark_rows_get_int64 (const HarkRows *self, guint column)
{
  return self->transaction->klass->get_int64 (self->statement, column);
}

/* Returns: (transfer none) (nullable): text until the next row; @len is optional */
const char *
hark_rows_get_text (const HarkRows *self, guint column, gsize *len)
{
  return self->transaction->klass->get_text (self->statement, column, len);
}

gconstpointer
hark_rows_get_blob (const HarkRows *self, guint column, gsize *len)
{
  return self->transaction->klass->get_blob (self->statement, column, len);
}

void
hark_rows_end (HarkRows *self)
{
  if (self->statement != NULL)
    self->transaction->klass->reset (self->statement);
  self->statement = NULL;
}

gboolean
hark_transaction_query_int64 (HarkTransaction *self, gint64 *value, gboolean *found, GError **error, const char *sql,
                              const char *types, ...)
{
  HarkStatement *statement;
  va_list args;
  int rc;
  va_start (args, types);
  statement = prepare_and_bind (self, sql, types, args, error);
  va_end (args);
  if (statement == NULL)
    return FALSE;
  rc = self->klass->step (self, statement, error);
  if (rc > 0)
    *value = self->klass->get_int64 (statement, 0);
  if (found != NULL)
    *found = rc > 0;
  self->klass->reset (statement);
  return rc >= 0;
}
