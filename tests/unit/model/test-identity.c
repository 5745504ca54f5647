/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/identity.h"

static void
test_values (void)
{
  char name[] = "ann";
  g_autoptr (HarkIdentity) identity = NULL;
  g_test_summary ("An identity has what it was made of, the name as a copy.");
  identity = hark_identity_new (9, name, 3, 1763665555123, HARK_IDENTITY_ADMIN | HARK_IDENTITY_ANONYMOUS);
  name[0] = 'X';
  g_assert_cmpint (identity->user_id, ==, 9);
  g_assert_cmpint (identity->token_id, ==, 3);
  g_assert_cmpint (identity->expires_ms, ==, 1763665555123);
  g_assert_cmpint (identity->flags, ==, HARK_IDENTITY_ADMIN | HARK_IDENTITY_ANONYMOUS);
  g_assert_cmpstr (identity->username, ==, "ann");
}

static void
test_no_name (void)
{
  g_autoptr (HarkIdentity) identity = hark_identity_new (0, "", 0, 0, HARK_IDENTITY_NONE);
  g_test_summary ("A name may be empty.");
  g_assert_cmpstr (identity->username, ==, "");
}

static gpointer
hold_many (gpointer data)
{
  for (guint i = 0; i < 200000; i++)
    hark_identity_unref (hark_identity_ref (data));
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (HarkIdentity) identity = hark_identity_new (9, "ann", 0, 0, HARK_IDENTITY_NONE);
  GThread *thread = g_thread_new ("hold", hold_many, identity);
  g_test_summary ("The front and the hub hold an identity and let go of it side by side.");
  hold_many (identity);
  g_thread_join (thread);
  g_assert_true (g_atomic_ref_count_compare (&identity->refs, 1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/identity/values", test_values);
  g_test_add_func ("/identity/no-name", test_no_name);
  g_test_add_func ("/identity/threads", test_threads);
  return g_test_run ();
}
