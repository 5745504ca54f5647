/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/request-head.h"

#include <string.h>

static const HarkRefusal *
parse (HarkRequestHead *head, char *data, gsize len)
{
  gsize scanned = 0;
  g_assert_cmpuint (hark_request_head_find_end (data, len, &scanned), ==, len);
  return hark_request_head_parse (head, data, len, 4);
}

static void
test_fields (void)
{
  char data[] = "GET /a/b?c=d HTTP/1.1\r\nHost: h\r\nX:\r\nlist: a, Bc ,\td\r\nLIST:e\r\n\r\n";
  HarkRequestHead head;
  guint count;
  g_autofree char *joined = NULL;
  g_test_summary ("A head is cut into method, path, query, version and fields, whose names know no case");
  g_assert_null (parse (&head, data, sizeof data - 1));
  g_assert_cmpstr (head.method, ==, "GET");
  g_assert_cmpstr (head.path, ==, "/a/b");
  g_assert_cmpstr (head.query, ==, "c=d");
  g_assert_cmpuint (head.minor, ==, 1);
  g_assert_cmpuint (head.n_fields, ==, 4);
  g_assert_cmpstr (hark_request_head_get (&head, "hOST", &count), ==, "h");
  g_assert_cmpuint (count, ==, 1);
  g_assert_cmpstr (hark_request_head_get (&head, "x", NULL), ==, "");
  g_assert_cmpstr (hark_request_head_get (&head, "List", &count), ==, "a, Bc ,\td");
  g_assert_cmpuint (count, ==, 2);
  g_assert_null (hark_request_head_get (&head, "y", &count));
  g_assert_cmpuint (count, ==, 0);
  g_assert_true (hark_request_head_has_token (&head, "list", "bC"));
  g_assert_true (hark_request_head_has_token (&head, "list", "d"));
  g_assert_true (hark_request_head_has_token (&head, "list", "e"));
  g_assert_false (hark_request_head_has_token (&head, "list", "B"));
  joined = hark_request_head_join (&head, "list", 100);
  g_assert_cmpstr (joined, ==, "a, Bc ,\td, e");
  g_assert_null (hark_request_head_join (&head, "list", 5));
}

static void
test_incomplete (void)
{
  const char data[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody";
  gsize len = sizeof data - 1 - 4;
  gsize scanned = 0;
  g_test_summary ("A head that comes byte by byte ends at its empty line and not before");
  for (gsize i = 0; i < len; i++)
    g_assert_cmpuint (hark_request_head_find_end (data, i, &scanned), ==, 0);
  g_assert_cmpuint (hark_request_head_find_end (data, len + 4, &scanned), ==, len);
}

static void
test_bad (void)
{
  static const struct
  {
    const char *data;
    guint status;
  } cases[] = {
    { "GET / HTTP/1.1\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", 431 },
    { "GET / HTTP/1.1\nA: b\n\n", 400 },
    { "GET / HTTP/1.1\r\nA: b\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nA\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nA : b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nA: \x01\r\n\r\n", 400 },
    { "GET / HTTP/1.1 \r\n\r\n", 400 },
    { "GET / HTTP/11\r\n\r\n", 400 },
    { "GET / HTTP/1.x\r\n\r\n", 505 },
    { "GET / HTTP/3.0\r\n\r\n", 505 },
    { "G(T / HTTP/1.1\r\n\r\n", 400 },
    { "HACK / HTTP/1.1\r\n\r\n", 501 },
    { "GET x HTTP/1.1\r\n\r\n", 400 },
    { "GET /\x7f HTTP/1.1\r\n\r\n", 400 },
    { "\r\n\r\n", 400 },
    { "\n\n", 400 },
  };
  g_test_summary ("What is no head of a request is refused with the status that says so");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *data = g_strdup (cases[i].data);
      HarkRequestHead head;
      const HarkRefusal *refusal = parse (&head, data, strlen (data));
      g_test_message ("case %u", i);
      g_assert_nonnull (refusal);
      g_assert_cmpuint (refusal->status, ==, cases[i].status);
    }
}

static void
test_list (void)
{
  const char *rest = " ,, a,b c , ";
  gsize len;
  g_test_summary ("The items of a list come without the spaces and commas around them");
  g_assert_cmpmem (hark_request_list_next (&rest, &len), len, "a", 1);
  g_assert_cmpmem (hark_request_list_next (&rest, &len), len, "b c", 3);
  g_assert_null (hark_request_list_next (&rest, &len));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/request-head/fields", test_fields);
  g_test_add_func ("/request-head/incomplete", test_incomplete);
  g_test_add_func ("/request-head/bad", test_bad);
  g_test_add_func ("/request-head/list", test_list);
  return g_test_run ();
}
