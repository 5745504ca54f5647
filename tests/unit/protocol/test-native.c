/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/native.h"

#include "base/error.h"

typedef struct
{
  const char *text;
  const char *type; /* NULL: refused */
  const char *ref;
  const char *error; /* part of the message */
} Case;

static const Case cases[] = {
  { "{\"type\":\"get_servers\"}", "get_servers", "", NULL },
  { " { \"ref\" : 7 , \"type\" : \"x\" } ", "x", "7", NULL },
  { "{\"type\":\"x\",\"ref\":\"a b\"}", "x", "\"a b\"", NULL },
  { "{\"type\":\"x\",\"ref\":1.50}", "x", "1.50", NULL },
  { "{\"type\":\"x\",\"ref\":null}", "x", "", NULL },
  { "{\"message\":\"hello\"}", "client_message", "", NULL },
  { "{\"content\":\"hello\"}", NULL, "", "\"type\"" },
  { "{}", NULL, "", "\"type\"" },
  { "{\"type\":7,\"ref\":3}", NULL, "3", "\"type\"" },
  { "{\"type\":null,\"message\":\"x\"}", NULL, "", "\"type\"" },
  { "{\"type\":\"x\",\"ref\":{}}", NULL, "", "\"ref\"" },
  { "{\"type\":\"x\",\"ref\":[1]}", NULL, "", "\"ref\"" },
  { "{\"type\":\"x\",\"ref\":true}", NULL, "", "\"ref\"" },
  { "{\"type\":\"x\",\"type\":\"y\"}", NULL, "", "\"type\"" },
  { "{\"type\":\"x\",\"t\\u0079pe\":\"y\"}", NULL, "", "pe\"" },
  { "[]", NULL, "", "object" },
  { "\"type\"", NULL, "", "object" },
  { "{\"type\":\"x\"", NULL, "", "JSON" },
  { "{\"type\":\"x\"} {}", NULL, "", "JSON" },
  { "", NULL, "", "" },
};

static void
test_decode (gconstpointer data)
{
  const Case *row = data;
  HarkNativeRequest request;
  g_autoptr (GError) error = NULL;
  gboolean understood = hark_native_decode (row->text, strlen (row->text), &request, &error);
  g_test_summary ("A message is a request when it is one JSON object that names it, and its ref comes back as it was.");
  g_assert_cmpmem (request.ref.data, request.ref.len, row->ref, strlen (row->ref));
  if (row->type != NULL)
    {
      g_assert_no_error (error);
      g_assert_true (understood);
      g_assert_cmpmem (request.type.data, request.type.len, row->type, strlen (row->type));
      return;
    }
  g_assert_false (understood);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_assert_nonnull (strstr (error->message, row->error));
}

static void
test_long_ref (void)
{
  g_autofree char *digits = g_strnfill (HARK_NATIVE_MAX_REF - 2, '1');
  g_autofree char *fits = g_strdup_printf ("{\"type\":\"x\",\"ref\":\"%s\"}", digits);
  g_autofree char *over = g_strdup_printf ("{\"type\":\"x\",\"ref\":\"%s1\"}", digits);
  HarkNativeRequest request;
  g_autoptr (GError) error = NULL;
  g_test_summary ("A ref has a bound, in bytes of JSON.");
  g_assert_true (hark_native_decode (fits, strlen (fits), &request, &error));
  g_assert_false (hark_native_decode (over, strlen (over), &request, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/native/decode/%u", i);
      g_test_add_data_func (path, &cases[i], test_decode);
    }
  g_test_add_func ("/native/long-ref", test_long_ref);
  return g_test_run ();
}
