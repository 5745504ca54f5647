/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat/passwords.h"

#include "base/error.h"

#include <string.h>

typedef struct
{
  HarkMetrics *metrics;
  HarkPasswords *passwords;
} Fixture;

/* libsodium's least. */
static const HarkPasswordCost cheap = { 1, 8192, 2, 3 };

static void
set_up (Fixture *f, gconstpointer data)
{
  f->metrics = hark_metrics_new ();
  f->passwords = hark_passwords_new (f->metrics, &cheap);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  hark_passwords_free (f->passwords);
  g_assert_finalize_object (f->metrics);
}

typedef struct
{
  gboolean done;
  gboolean right;
  char *hash;
  GError *error;
} Answer;

static void
answer_clear (Answer *answer)
{
  g_free (answer->hash);
  g_clear_error (&answer->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static void
on_answer (gboolean right, const char *hash, const GError *error, gpointer data)
{
  Answer *answer = data;
  g_assert_false (answer->done);
  answer->done = TRUE;
  answer->right = right;
  answer->hash = g_strdup (hash);
  answer->error = error != NULL ? g_error_copy (error) : NULL;
}

static void
wait_for (Answer *answer)
{
  while (!answer->done)
    g_main_context_iteration (NULL, TRUE);
}

static char *
make (Fixture *f, const char *password)
{
  g_auto (Answer) answer = { FALSE };
  hark_passwords_make (f->passwords, password, on_answer, &answer);
  g_assert_false (answer.done);
  wait_for (&answer);
  g_assert_no_error (answer.error);
  g_assert_true (answer.right);
  return g_steal_pointer (&answer.hash);
}

static gboolean
check (Fixture *f, const char *password, const char *hash)
{
  g_auto (Answer) answer = { FALSE };
  hark_passwords_check (f->passwords, password, hash, on_answer, &answer);
  wait_for (&answer);
  g_assert_no_error (answer.error);
  g_assert_null (answer.hash);
  return answer.right;
}

static void
test_check (Fixture *f, gconstpointer data)
{
  g_autofree char *hash = make (f, "correct horse"), *other = make (f, "correct horse");
  g_autofree char *longest = g_strnfill (HARK_PASSWORD_MAX, 'x');
  g_autofree char *of_longest = make (f, longest);
  g_test_summary ("A hash is argon2id's with a salt of its own; it tells the right password from all others.");
  g_assert_true (g_str_has_prefix (hash, "$argon2id$"));
  g_assert_cmpstr (hash, !=, other);
  g_assert_true (check (f, "correct horse", hash));
  g_assert_true (check (f, "correct horse", other));
  g_assert_false (check (f, "correct horsf", hash));
  g_assert_false (check (f, "", hash));
  g_assert_true (check (f, longest, of_longest));
  longest[HARK_PASSWORD_MAX - 1] = 'y';
  g_assert_false (check (f, longest, of_longest));
}

static gint64
n_computed (Fixture *f)
{
  return hark_counter_get (hark_metrics_counter (f->metrics, "hark_passwords_computed_total", ""));
}

static void
test_nobody (Fixture *f, gconstpointer data)
{
  gint64 before = n_computed (f);
  g_test_summary ("Where there is no hash no password is right, and one is computed all the same.");
  g_assert_false (check (f, "correct horse", NULL));
  g_assert_false (check (f, "", NULL));
  g_assert_cmpint (n_computed (f), ==, before + 2);
}

static void
test_junk (Fixture *f, gconstpointer data)
{
  g_test_summary ("What is no hash fits no password.");
  g_assert_false (check (f, "x", ""));
  g_assert_false (check (f, "x", "$argon2id$"));
  g_assert_false (check (f, "x", "x"));
}

static void
test_renew (Fixture *f, gconstpointer data)
{
  const HarkPasswordCost dearer = { 2, 16384, 1, 1 };
  g_autofree char *hash = make (f, "correct horse");
  g_auto (Answer) right = { FALSE }, wrong = { FALSE };
  g_test_summary ("Who has the right password gets a hash at the present cost.");
  hark_passwords_free (f->passwords);
  f->passwords = hark_passwords_new (f->metrics, &dearer);
  hark_passwords_check (f->passwords, "correct horse", hash, on_answer, &right);
  wait_for (&right);
  g_assert_true (right.right);
  g_assert_nonnull (strstr (right.hash, "m=16,t=2,"));
  g_assert_true (check (f, "correct horse", right.hash));
  hark_passwords_check (f->passwords, "wrong", hash, on_answer, &wrong);
  wait_for (&wrong);
  g_assert_false (wrong.right);
  g_assert_null (wrong.hash);
}

static void
test_queue (Fixture *f, gconstpointer data)
{
  enum
  {
    N = 50
  };
  Answer answers[N] = { 0 };
  guint n_refused = 0;
  HarkGauge *under_way = hark_metrics_gauge (f->metrics, "hark_passwords_under_way", "");
  g_test_summary ("So many are computed or wait; whoever comes then is refused, not at once, and counted.");
  for (guint i = 0; i < N; i++)
    hark_passwords_make (f->passwords, "correct horse", on_answer, &answers[i]);
  g_assert_cmpint (hark_counter_get (under_way), ==, N);
  for (guint i = 0; i < N; i++)
    {
      wait_for (&answers[i]);
      if (answers[i].error == NULL)
        g_assert_nonnull (answers[i].hash);
      else
        {
          g_assert_error (answers[i].error, HARK_ERROR, HARK_ERROR_OVERLOADED);
          n_refused++;
        }
      answer_clear (&answers[i]);
    }
  g_assert_cmpuint (n_refused, ==, N - cheap.threads - cheap.queue);
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_passwords_overloaded_total", "")), ==,
                   n_refused);
  g_assert_cmpint (hark_counter_get (under_way), ==, 0);
}

static void
test_stop (Fixture *f, gconstpointer data)
{
  g_auto (Answer) one = { FALSE }, two = { FALSE }, late = { FALSE };
  g_test_summary ("At the end all are answered, also who comes after it.");
  hark_passwords_make (f->passwords, "correct horse", on_answer, &one);
  hark_passwords_check (f->passwords, "correct horse", NULL, on_answer, &two);
  hark_passwords_stop (f->passwords);
  g_assert_error (one.error, HARK_ERROR, HARK_ERROR_OFFLINE);
  g_assert_error (two.error, HARK_ERROR, HARK_ERROR_OFFLINE);
  g_assert_null (one.hash);
  hark_passwords_make (f->passwords, "correct horse", on_answer, &late);
  g_assert_false (late.done);
  wait_for (&late);
  g_assert_error (late.error, HARK_ERROR, HARK_ERROR_OFFLINE);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/passwords/check", test_check);
  ADD ("/passwords/nobody", test_nobody);
  ADD ("/passwords/junk", test_junk);
  ADD ("/passwords/renew", test_renew);
  ADD ("/passwords/queue", test_queue);
  ADD ("/passwords/stop", test_stop);
  return g_test_run ();
}
