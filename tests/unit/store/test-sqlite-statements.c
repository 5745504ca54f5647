/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values in and out of statements, and the mistakes that only a programmer can make. */
#include "fault-vfs.h"
#include "store-fixture.h"

#include <string.h>

static void
run (StoreFixture *self, HarkWork work, gpointer data, GError **error)
{
  hark_sqlite_store_run_sync (self->store, work, data, error);
}

static gboolean
work_values (HarkTransaction *transaction, gpointer data, GError **error)
{
  static const guint8 bytes[] = { 0, 1, 255, 0 };
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autofree char *large = g_strnfill (100000, 'l');
  gsize len;
  g_assert_true (hark_transaction_exec (transaction, error, "CREATE TABLE v (i, t, s, b, e, n, m, l)", ""));
  g_assert_true (hark_transaction_exec (transaction, error, "INSERT INTO v VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                                        "itTbbntt", G_MININT64, "größer", "cut here", (gsize)3, bytes, sizeof bytes,
                                        NULL, (gsize)0, NULL, large));
  g_assert_cmpint (hark_transaction_get_changes (transaction), ==, 1);
  g_assert_true (hark_transaction_query (transaction, &rows, error, "SELECT i, t, s, b, e, n, m, l FROM v", ""));
  g_assert_true (hark_rows_next (&rows, error));
  g_assert_cmpint (hark_rows_get_int64 (&rows, 0), ==, G_MININT64);
  g_assert_cmpstr (hark_rows_get_text (&rows, 1, &len), ==, "größer");
  g_assert_cmpuint (len, ==, 8);
  g_assert_cmpstr (hark_rows_get_text (&rows, 2, NULL), ==, "cut");
  g_assert_cmpmem (hark_rows_get_blob (&rows, 3, &len), 4, bytes, sizeof bytes);
  g_assert_cmpuint (len, ==, 4);
  g_assert_false (hark_rows_is_null (&rows, 4));
  hark_rows_get_blob (&rows, 4, &len);
  g_assert_cmpuint (len, ==, 0);
  g_assert_true (hark_rows_is_null (&rows, 5));
  g_assert_true (hark_rows_is_null (&rows, 6));
  g_assert_null (hark_rows_get_text (&rows, 6, &len));
  g_assert_cmpuint (len, ==, 0);
  hark_rows_get_text (&rows, 7, &len);
  g_assert_cmpuint (len, ==, 100000);
  g_assert_false (hark_rows_next (&rows, error));
  g_assert_no_error (*error);
  return TRUE;
}

static gboolean
work_errors (HarkTransaction *transaction, gpointer data, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local = NULL;
  gint64 value = 0;
  gboolean found;
  g_assert_false (hark_transaction_exec (transaction, &local, "SELECT nonsense", ""));
  g_assert_error (local, HARK_ERROR, HARK_ERROR_INTERNAL);
  g_assert_nonnull (strstr (local->message, "nonsense"));
  g_clear_error (&local);
  g_assert_true (
    hark_transaction_exec (transaction, &local, "INSERT INTO note (id, text) VALUES (?1, ?2)", "it", (gint64)1, "a"));
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (
        hark_transaction_exec (transaction, &local, "INSERT INTO note (id, text) VALUES (?1, 'a')", "i", (gint64)2));
      g_assert_error (local, HARK_ERROR, HARK_ERROR_CONFLICT);
      g_assert_nonnull (strstr (local->message, "note.text"));
      g_clear_error (&local);
    }
  g_assert_true (hark_transaction_query_int64 (transaction, &value, &found, &local, "SELECT id FROM note WHERE id = ?1",
                                               "i", (gint64)5));
  g_assert_false (found);
  g_assert_true (hark_transaction_query (transaction, &rows, &local, "SELECT abs(?1)", "i", G_MININT64));
  g_assert_false (hark_rows_next (&rows, &local));
  g_assert_error (local, HARK_ERROR, HARK_ERROR_INTERNAL);
  return TRUE;
}

static gboolean
work_rows_left (HarkTransaction *transaction, gpointer data, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  for (guint i = 0; i < 3; i++)
    g_assert_true (hark_transaction_exec (transaction, error, "INSERT INTO note (text) VALUES (NULL)", ""));
  g_assert_true (hark_transaction_query (transaction, &rows, error, "SELECT id FROM note", ""));
  return hark_rows_next (&rows, error);
}

static void
test_works (StoreFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_test_summary ("values come back as they went in, errors have their code, rows end with their scope");
  store_fixture_open (self);
  run (self, work_values, NULL, &error);
  g_assert_no_error (error);
  run (self, work_errors, NULL, &error);
  g_assert_no_error (error);
  run (self, work_rows_left, NULL, &error);
  run (self, work_rows_left, NULL, &error);
  g_assert_no_error (error);
}

static gboolean
work_nested (HarkTransaction *transaction, gpointer data, GError **error)
{
  static const char sql[] = "SELECT 1";
  g_auto (HarkRows) a = HARK_ROWS_INIT;
  g_auto (HarkRows) b = HARK_ROWS_INIT;
  return hark_transaction_query (transaction, &a, error, sql, "")
         && hark_transaction_query (transaction, &b, error, sql, "");
}

static gboolean
work_too_few (HarkTransaction *transaction, gpointer data, GError **error)
{
  return hark_transaction_exec (transaction, error, "SELECT ?1, ?2", "i", (gint64)1);
}

static gboolean
work_too_many (HarkTransaction *transaction, gpointer data, GError **error)
{
  return hark_transaction_exec (transaction, error, "SELECT ?1", "in", (gint64)1);
}

static gboolean
work_two_statements (HarkTransaction *transaction, gpointer data, GError **error)
{
  return hark_transaction_exec (transaction, error, "SELECT 1; SELECT 2", "");
}

static gboolean
work_not_a_constant (HarkTransaction *transaction, gpointer data, GError **error)
{
  char sql[] = "SELECT 1";
  gboolean ok = hark_transaction_exec (transaction, error, sql, "");
  sql[7] = '2';
  return ok && hark_transaction_exec (transaction, error, sql, "");
}

static const struct
{
  const char *name;
  HarkWork work;
} mistakes[] = {
  { "nested", work_nested },
  { "too-few-values", work_too_few },
  { "too-many-values", work_too_many },
  { "two-statements", work_two_statements },
  { "not-a-constant", work_not_a_constant },
};

static void
test_mistake (StoreFixture *self, gconstpointer data)
{
  HarkWork work = *(const HarkWork *)data;
  g_test_summary ("a programmer's mistake ends the program where it is made");
  if (g_test_subprocess ())
    {
      store_fixture_open (self);
      run (self, work, NULL, NULL);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*assertion failed*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  store_fixture_capture_log ();
  fault_vfs_register ();
  g_test_add ("/store/statements/works", StoreFixture, NULL, store_fixture_set_up, test_works, store_fixture_tear_down);
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      g_autofree char *path = g_strconcat ("/store/statements/mistake/", mistakes[i].name, NULL);
      g_test_add (path, StoreFixture, &mistakes[i].work, store_fixture_set_up, test_mistake, store_fixture_tear_down);
    }
  return g_test_run ();
}
