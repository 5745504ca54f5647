/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/transaction.h"

#include "base/error.h"

#include <string.h>

/* A store without a database: it writes down what it is asked and gives the rows it was told to. */
struct _HarkStatement
{
  GString *log;   /* unowned: the fake's */
  guint rows;     /* how many it gives */
  guint at;       /* rows given since the last reset */
  gboolean fails; /* after its rows */
  gboolean running;
};

typedef struct
{
  HarkTransaction parent;
  HarkStatement statement;
  GString *log;
  gboolean no_statement; /* prepare fails */
  HarkFakeClock *clock;
} Fake;

static HarkStatement *
fake_prepare (HarkTransaction *tx, const char *sql, GError **error)
{
  Fake *self = (Fake *)tx;
  if (self->no_statement)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "no such table");
      return NULL;
    }
  g_assert_false (self->statement.running);
  self->statement.running = TRUE;
  self->statement.at = 0;
  g_string_append_printf (self->log, "%s:", sql);
  return &self->statement;
}

static void
fake_bind_int64 (HarkStatement *statement, guint index, gint64 value)
{
  g_string_append_printf (statement->log, " %u=i%" G_GINT64_FORMAT, index, value);
}

static void
fake_bind_text (HarkStatement *statement, guint index, const char *text, gssize len)
{
  gsize n = len < 0 ? strlen (text) : (gsize)len;
  g_string_append_printf (statement->log, " %u=t%" G_GSSIZE_FORMAT "(", index, len);
  g_string_append_len (statement->log, text, n);
  g_string_append_c (statement->log, ')');
}

static void
fake_bind_blob (HarkStatement *statement, guint index, gconstpointer data, gsize len)
{
  g_string_append_printf (statement->log, " %u=b", index);
  for (gsize i = 0; i < len; i++)
    g_string_append_printf (statement->log, "%02x", ((const guint8 *)data)[i]);
}

static void
fake_bind_null (HarkStatement *statement, guint index)
{
  g_string_append_printf (statement->log, " %u=null", index);
}

static int
fake_step (HarkTransaction *tx, HarkStatement *statement, GError **error)
{
  g_assert_true (statement->running);
  if (statement->at < statement->rows)
    {
      statement->at++;
      return 1;
    }
  if (!statement->fails)
    return 0;
  g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "it is there already");
  return -1;
}

static gboolean
fake_is_null (HarkStatement *statement, guint column)
{
  return column == 9;
}

static gint64
fake_get_int64 (HarkStatement *statement, guint column)
{
  return statement->at * 100 + column;
}

static const char *
fake_get_text (HarkStatement *statement, guint column, gsize *len)
{
  if (len != NULL)
    *len = 4;
  return "text";
}

static gconstpointer
fake_get_blob (HarkStatement *statement, guint column, gsize *len)
{
  *len = 2;
  return "\x01\x02";
}

static void
fake_reset (HarkStatement *statement)
{
  g_assert_true (statement->running);
  statement->running = FALSE;
  g_string_append (statement->log, " reset;");
}

static gint64
fake_get_changes (HarkTransaction *tx)
{
  return 17;
}

static const HarkTransactionClass fake_class = {
  fake_prepare, fake_bind_int64, fake_bind_text, fake_bind_blob, fake_bind_null, fake_step,
  fake_is_null, fake_get_int64,  fake_get_text,  fake_get_blob,  fake_reset,     fake_get_changes,
};

static void
set_up (Fake *f, gconstpointer data)
{
  f->log = g_string_new (NULL);
  f->statement.log = f->log;
  f->clock = hark_fake_clock_new (1763665555123);
  f->parent.klass = &fake_class;
  f->parent.writable = TRUE;
  f->parent.clock = HARK_CLOCK (f->clock);
  f->parent.ids = hark_ids_new (f->parent.clock);
}

static void
tear_down (Fake *f, gconstpointer data)
{
  g_assert_false (f->statement.running);
  g_clear_pointer (&f->parent.events, g_ptr_array_unref);
  g_string_free (f->log, TRUE);
  g_assert_finalize_object (f->parent.ids);
  g_assert_finalize_object (f->clock);
}

static void
test_bind (Fake *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *none = NULL;
  g_test_summary ("Every type letter binds its value at its place; a text that is not there is NULL.");
  g_assert_true (hark_transaction_exec (&f->parent, &error, "SQL", "itTbnti", G_MININT64, "abc", "xyz!!", (gsize)3,
                                        "\x00\xFF", (gsize)2, none, G_GINT64_CONSTANT (7)));
  g_assert_no_error (error);
  g_assert_cmpstr (f->log->str, ==,
                   "SQL: 0=i-9223372036854775808 1=t-1(abc) 2=t3(xyz) 3=b00ff 4=null 5=null 6=i7 reset;");
}

static void
test_bind_nothing (Fake *f, gconstpointer data)
{
  g_test_summary ("A statement may have no values, and values no bytes.");
  g_assert_true (hark_transaction_exec (&f->parent, NULL, "A", ""));
  g_assert_true (hark_transaction_exec (&f->parent, NULL, "B", "Tb", "", (gsize)0, NULL, (gsize)0));
  g_assert_cmpstr (f->log->str, ==, "A: reset;B: 0=t0() 1=b reset;");
}

static void
test_unknown_letter (Fake *f, gconstpointer data)
{
  g_test_summary ("A type letter that does not exist is a programmer's mistake and ends the process.");
  if (g_test_subprocess ())
    {
      hark_transaction_exec (&f->parent, NULL, "SQL", "x", 1);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*code should not be reached*");
}

static void
test_exec (Fake *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_test_summary ("Executing passes over rows, and says when the statement cannot be made or fails.");
  f->statement.rows = 3;
  g_assert_true (hark_transaction_exec (&f->parent, &error, "A", ""));
  g_assert_no_error (error);
  f->statement.fails = TRUE;
  g_assert_false (hark_transaction_exec (&f->parent, &error, "B", "i", (gint64)1));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_assert_cmpstr (f->log->str, ==, "A: reset;B: 0=i1 reset;");
  g_clear_error (&error);
  f->no_statement = TRUE;
  g_assert_false (hark_transaction_exec (&f->parent, &error, "C", "i", (gint64)1));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
  g_assert_false (hark_transaction_exec (&f->parent, NULL, "C", "i", (gint64)1));
}

static void
test_rows (Fake *f, gconstpointer data)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) error = NULL;
  gsize len = 0;
  g_test_summary ("Rows come one after the other with their columns, and end by themselves at the last.");
  f->statement.rows = 2;
  g_assert_true (hark_transaction_query (&f->parent, &rows, &error, "SELECT", "i", (gint64)5));
  g_assert_true (hark_rows_next (&rows, &error));
  g_assert_cmpint (hark_rows_get_int64 (&rows, 3), ==, 103);
  g_assert_cmpstr (hark_rows_get_text (&rows, 0, &len), ==, "text");
  g_assert_cmpuint (len, ==, 4);
  g_assert_cmpstr (hark_rows_get_text (&rows, 0, NULL), ==, "text");
  g_assert_cmpmem (hark_rows_get_blob (&rows, 0, &len), 2, "\x01\x02", 2);
  g_assert_cmpuint (len, ==, 2);
  g_assert_true (hark_rows_is_null (&rows, 9));
  g_assert_false (hark_rows_is_null (&rows, 0));
  g_assert_true (hark_rows_next (&rows, &error));
  g_assert_cmpint (hark_rows_get_int64 (&rows, 3), ==, 203);
  g_assert_cmpstr (f->log->str, ==, "SELECT: 0=i5");
  g_assert_false (hark_rows_next (&rows, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (f->log->str, ==, "SELECT: 0=i5 reset;");
  g_assert_false (hark_rows_next (&rows, &error));
  g_assert_no_error (error);
  hark_rows_end (&rows);
  g_assert_cmpstr (f->log->str, ==, "SELECT: 0=i5 reset;");
  g_assert_true (hark_transaction_query (&f->parent, &rows, &error, "AGAIN", ""));
  g_assert_true (hark_rows_next (&rows, &error));
}

static void
find_first (Fake *f)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_assert_true (hark_transaction_query (&f->parent, &rows, NULL, "SELECT", ""));
  g_assert_true (hark_rows_next (&rows, NULL));
}

static void
test_rows_left (Fake *f, gconstpointer data)
{
  g_test_summary ("Rows that nobody asks for any more end with the block they are in.");
  f->statement.rows = 5;
  find_first (f);
  g_assert_false (f->statement.running);
  find_first (f);
  g_assert_cmpstr (f->log->str, ==, "SELECT: reset;SELECT: reset;");
}

static void
test_rows_fail (Fake *f, gconstpointer data)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) error = NULL;
  g_test_summary ("An error between rows ends them; a query that cannot be made has none.");
  f->statement.rows = 1;
  f->statement.fails = TRUE;
  g_assert_true (hark_transaction_query (&f->parent, &rows, &error, "SELECT", ""));
  g_assert_true (hark_rows_next (&rows, &error));
  g_assert_false (hark_rows_next (&rows, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_assert_false (f->statement.running);
  g_clear_error (&error);
  g_assert_false (hark_rows_next (&rows, &error));
  g_assert_no_error (error);
  f->no_statement = TRUE;
  g_assert_false (hark_transaction_query (&f->parent, &rows, &error, "SELECT", "i", (gint64)1));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
  g_clear_error (&error);
  g_assert_false (hark_rows_next (&rows, &error));
  g_assert_no_error (error);
}

static void
test_number (Fake *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean found = FALSE;
  gint64 value = -1;
  g_test_summary ("A single number is the first row's; without a row the value stays as it was.");
  f->statement.rows = 2;
  g_assert_true (hark_transaction_query_int64 (&f->parent, &value, &found, &error, "A", "t", "x"));
  g_assert_true (found);
  g_assert_cmpint (value, ==, 100);
  f->statement.rows = 0;
  value = -1;
  g_assert_true (hark_transaction_query_int64 (&f->parent, &value, &found, &error, "B", ""));
  g_assert_false (found);
  g_assert_cmpint (value, ==, -1);
  g_assert_true (hark_transaction_query_int64 (&f->parent, &value, NULL, &error, "C", ""));
  f->statement.fails = TRUE;
  g_assert_false (hark_transaction_query_int64 (&f->parent, &value, &found, &error, "D", ""));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_assert_cmpstr (f->log->str, ==, "A: 0=t-1(x) reset;B: reset;C: reset;D: reset;");
  f->no_statement = TRUE;
  g_clear_error (&error);
  g_assert_false (hark_transaction_query_int64 (&f->parent, &value, &found, &error, "E", ""));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
}

static void
test_emit (Fake *f, gconstpointer data)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_test_summary ("Events are gathered in the order in which they are emitted.");
  g_assert_null (f->parent.events);
  for (gint64 i = 1; i <= 3; i++)
    hark_transaction_emit (&f->parent, hark_event_new (&topic, i, i, "note", "{}", 2));
  g_assert_cmpuint (f->parent.events->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (((HarkEvent *)f->parent.events->pdata[i])->seq, ==, i + 1);
}

static void
test_surroundings (Fake *f, gconstpointer data)
{
  gint64 id = hark_transaction_next_id (&f->parent);
  g_test_summary ("Work asks the transaction for ids, the time and what it changed.");
  g_assert_cmpint (hark_transaction_next_id (&f->parent), >, id);
  g_assert_cmpint (hark_transaction_now_ms (&f->parent), ==, 1763665555123);
  g_assert_cmpint (hark_transaction_get_changes (&f->parent), ==, 17);
}

#define ADD(name, func) g_test_add ("/transaction/" name, Fake, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("bind", test_bind);
  ADD ("bind-nothing", test_bind_nothing);
  ADD ("unknown-letter", test_unknown_letter);
  ADD ("exec", test_exec);
  ADD ("rows", test_rows);
  ADD ("rows-left", test_rows_left);
  ADD ("rows-fail", test_rows_fail);
  ADD ("number", test_number);
  ADD ("emit", test_emit);
  ADD ("surroundings", test_surroundings);
  return g_test_run ();
}
