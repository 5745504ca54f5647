/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <gio/gio.h>
#include <sysexits.h>

/* What clients, scripts and back ends rely on: a change here breaks them. */
static const struct
{
  HarkError code;
  const char *wire_name;
  const char *bus_name;
  guint close_code;
  guint http_status;
  int exit_code;
} rows[] = {
  { HARK_ERROR_BAD_REQUEST, "bad_request", "org.hark.Hub1.Error.BadRequest", 1008, 400, EX_USAGE },
  { HARK_ERROR_UNKNOWN_TYPE, "unknown_type", "org.hark.Hub1.Error.UnknownType", 1008, 400, EX_USAGE },
  { HARK_ERROR_UNAUTHENTICATED, "unauthenticated", "org.hark.Hub1.Error.Unauthenticated", 4001, 401, EX_NOPERM },
  { HARK_ERROR_FORBIDDEN, "forbidden", "org.hark.Hub1.Error.Forbidden", 1008, 403, EX_NOPERM },
  { HARK_ERROR_NOT_FOUND, "not_found", "org.hark.Hub1.Error.NotFound", 1008, 404, EX_DATAERR },
  { HARK_ERROR_CONFLICT, "conflict", "org.hark.Hub1.Error.Conflict", 1008, 409, EX_CANTCREAT },
  { HARK_ERROR_RATE_LIMITED, "rate_limited", "org.hark.Hub1.Error.RateLimited", 1008, 429, EX_TEMPFAIL },
  { HARK_ERROR_TOO_LARGE, "too_large", "org.hark.Hub1.Error.TooLarge", 1009, 413, EX_DATAERR },
  { HARK_ERROR_OVERLOADED, "overloaded", "org.hark.Hub1.Error.Overloaded", 1013, 503, EX_TEMPFAIL },
  { HARK_ERROR_OFFLINE, "offline", "org.hark.Hub1.Error.Offline", 1008, 409, EX_TEMPFAIL },
  { HARK_ERROR_INTERNAL, "internal", "org.hark.Hub1.Error.Internal", 1011, 500, EX_SOFTWARE },
};

static void
test_table (void)
{
  g_test_summary ("Every code has its names and numbers, and they are the documented ones.");
  g_assert_cmpuint (G_N_ELEMENTS (rows), ==, HARK_N_ERRORS);
  for (guint i = 0; i < HARK_N_ERRORS; i++)
    {
      g_assert_cmpint (rows[i].code, ==, i);
      g_assert_cmpstr (hark_error_get_wire_name (i), ==, rows[i].wire_name);
      g_assert_cmpstr (hark_error_get_bus_name (i), ==, rows[i].bus_name);
      g_assert_cmpuint (hark_error_get_close_code (i), ==, rows[i].close_code);
      g_assert_cmpuint (hark_error_get_http_status (i), ==, rows[i].http_status);
      g_assert_cmpint (hark_error_get_exit_code (i), ==, rows[i].exit_code);
    }
}

static void
test_unique (void)
{
  g_test_summary ("No two codes share a name, and each bus name is one that D-Bus takes.");
  for (guint i = 0; i < HARK_N_ERRORS; i++)
    {
      g_assert_true (g_dbus_is_interface_name (hark_error_get_bus_name (i)));
      for (guint k = 0; k < i; k++)
        {
          g_assert_cmpstr (hark_error_get_wire_name (i), !=, hark_error_get_wire_name (k));
          g_assert_cmpstr (hark_error_get_bus_name (i), !=, hark_error_get_bus_name (k));
        }
    }
}

static void
test_code (void)
{
  g_autoptr (GError) ours = g_error_new (HARK_ERROR, HARK_ERROR_NOT_FOUND, "gone");
  g_autoptr (GError) beyond = g_error_new (HARK_ERROR, HARK_N_ERRORS, "no such code");
  g_autoptr (GError) theirs = g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "a file");
  g_test_summary ("What is not in the table is told as internal.");
  g_assert_cmpint (hark_error_get_code (ours), ==, HARK_ERROR_NOT_FOUND);
  g_assert_cmpint (hark_error_get_code (beyond), ==, HARK_ERROR_INTERNAL);
  g_assert_cmpint (hark_error_get_code (theirs), ==, HARK_ERROR_INTERNAL);
  g_assert_cmpint (hark_error_get_code (NULL), ==, HARK_ERROR_INTERNAL);
}

static void
test_retry_after (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) copy = NULL;
  g_autoptr (GError) moved = NULL;
  guint ms = 0;
  g_test_summary ("The time after which to try again travels with the error, through copies too.");
  hark_set_rate_limited (&error, 1500, "too many %s", "things");
  g_assert_error (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED);
  g_assert_cmpstr (error->message, ==, "too many things");
  g_assert_true (hark_error_get_retry_after (error, &ms));
  g_assert_cmpuint (ms, ==, 1500);
  copy = g_error_copy (error);
  g_clear_error (&error);
  g_propagate_prefixed_error (&moved, g_steal_pointer (&copy), "sending: ");
  ms = 0;
  g_assert_true (hark_error_get_retry_after (moved, &ms));
  g_assert_cmpuint (ms, ==, 1500);
  hark_set_rate_limited (NULL, 1, "nobody listens");
}

static void
test_no_retry_after (void)
{
  g_autoptr (GError) plain = g_error_new (HARK_ERROR, HARK_ERROR_RATE_LIMITED, "says no time");
  g_autoptr (GError) other = g_error_new (HARK_ERROR, HARK_ERROR_OVERLOADED, "later");
  g_autoptr (GError) theirs = g_error_new (G_IO_ERROR, HARK_ERROR_RATE_LIMITED, "not ours");
  guint ms;
  g_test_summary ("Errors that say no time have none.");
  g_assert_false (hark_error_get_retry_after (plain, &ms));
  g_assert_false (hark_error_get_retry_after (other, &ms));
  g_assert_false (hark_error_get_retry_after (theirs, &ms));
  g_assert_false (hark_error_get_retry_after (NULL, &ms));
}

static void
test_bus (void)
{
  g_test_summary ("GDBus translates every code to its name and back.");
  hark_error_register_bus_names ();
  for (guint i = 0; i < HARK_N_ERRORS; i++)
    {
      g_autoptr (GError) error = g_error_new (HARK_ERROR, i, "because");
      g_autoptr (GError) back = NULL;
      g_autofree char *name = g_dbus_error_encode_gerror (error);
      g_assert_cmpstr (name, ==, rows[i].bus_name);
      back = g_dbus_error_new_for_dbus_error (name, "because");
      g_assert_error (back, HARK_ERROR, (int)i);
      g_assert_true (g_dbus_error_strip_remote_error (back));
      g_assert_cmpstr (back->message, ==, "because");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/table", test_table);
  g_test_add_func ("/error/unique", test_unique);
  g_test_add_func ("/error/code", test_code);
  g_test_add_func ("/error/retry-after", test_retry_after);
  g_test_add_func ("/error/no-retry-after", test_no_retry_after);
  g_test_add_func ("/error/bus", test_bus);
  return g_test_run ();
}
