/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/engineio-codec.h"

#include <string.h>

/* The payload's packets, as "4 hello; 4 [AB]"; "!" stands for one that is none, and ends. */
static char *
read_payload (const char *text, gsize len)
{
  g_autofree guint8 *payload = g_memdup2 (text, len + 1);
  GString *out = g_string_new (NULL);
  for (gsize offset = 0; offset <= len;)
    {
      HarkEngineIOPacket packet;
      g_string_append (out, out->len > 0 ? "; " : "");
      if (!hark_engineio_payload_next (&packet, payload, len, &offset))
        {
          g_string_append_c (out, '!');
          break;
        }
      g_string_append_printf (out, packet.binary ? "%c [%.*s]" : "%c %.*s", packet.type, (int)packet.len, packet.data);
    }
  return g_string_free (out, FALSE);
}

static void
test_payloads (void)
{
  static const struct
  {
    const char *payload;
    const char *packets;
  } cases[] = {
    { "4hello", "4 hello" },
    { "4hello\x1e"
      "2\x1e"
      "4world",
      "4 hello; 2 ; 4 world" },
    { "4hello\x1e"
      "bQUI=",
      "4 hello; 4 [AB]" },
    { "bQUI", "4 [AB]" },
    { "bQUJD", "4 [ABC]" },
    { "bQQ==", "4 [A]" },
    { "bQQ", "4 [A]" },
    { "b", "4 []" },
    { "b++//", "4 [\xfb\xef\xff]" },
    { "4\xe2\x82\xac", "4 \xe2\x82\xac" },
    { "4b\x1e"
      "4",
      "4 b; 4 " },
    { "0{}\x1e"
      "1\x1e"
      "3\x1e"
      "5\x1e"
      "6",
      "0 {}; 1 ; 3 ; 5 ; 6 " },
    { "", "!" },
    { "4a\x1e", "4 a; !" },
    { "\x1e", "!" },
    { "7", "!" },
    { "/", "!" },
    { "4\xe2\x82", "!" },
    { "bQ", "!" },
    { "bQUJD=", "!" },
    { "bQ===", "!" },
    { "bQ=Q=", "!" },
    { "bQR==", "!" },
    { "bQU-_", "!" },
    { "bQUI=\n", "!" },
    { "B", "!" },
  };
  g_test_summary ("Payloads are cut at their separators, and base64 is taken to the letter.");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *packets = read_payload (cases[i].payload, strlen (cases[i].payload));
      g_assert_cmpstr (packets, ==, cases[i].packets);
    }
}

static void
test_query (void)
{
  static const struct
  {
    const char *query;
    HarkEngineIOQuery expected;
  } cases[] = {
    { NULL, { FALSE, FALSE, HARK_ENGINEIO_NO_TRANSPORT, "" } },
    { "", { FALSE, FALSE, HARK_ENGINEIO_NO_TRANSPORT, "" } },
    { "EIO=4&transport=polling", { TRUE, FALSE, HARK_ENGINEIO_POLLING, "" } },
    { "transport=websocket&t=x&sid=AAAAAAAAAAAAAAAAAAAA&EIO=4",
      { TRUE, FALSE, HARK_ENGINEIO_WEBSOCKET, "AAAAAAAAAAAAAAAAAAAA" } },
    { "sid=AAAAAAAAAAAAAAAAAAAABCD", { FALSE, FALSE, HARK_ENGINEIO_NO_TRANSPORT, "AAAAAAAAAAAAAAAAAAAAB" } },
    { "EIO=3&EIO=44&transport=pollin&j", { FALSE, TRUE, HARK_ENGINEIO_NO_TRANSPORT, "" } },
    { "EIO=3&EIO=4&&=&transport=polling&transport=webtransport", { TRUE, FALSE, HARK_ENGINEIO_NO_TRANSPORT, "" } },
    { "sidx=1&xsid=2&sid=&j=0", { FALSE, TRUE, HARK_ENGINEIO_NO_TRANSPORT, "" } },
  };
  g_test_summary ("A query is read as the reference reads it: the last of a name counts.");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HarkEngineIOQuery query;
      hark_engineio_query_parse (&query, cases[i].query);
      g_assert_cmpint (query.version_4, ==, cases[i].expected.version_4);
      g_assert_cmpint (query.jsonp, ==, cases[i].expected.jsonp);
      g_assert_cmpint (query.transport, ==, cases[i].expected.transport);
      g_assert_cmpstr (query.sid, ==, cases[i].expected.sid);
    }
}

static void
test_units (void)
{
  static const gsize lengths[] = { 0, 1, 2, 3, 4, 123, 124, 125, 126, 127, 65533, 65534, 65535, 65536 };
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  g_autoptr (HarkBuffer) units = NULL;
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  gsize offset = 0;
  g_test_summary ("What is put in frames comes out of a poll's payload, whatever its length.");
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      memset (hark_engineio_append_text (&out, HARK_ENGINEIO_MESSAGE, lengths[i]), 'a' + i, lengths[i]);
      memset (hark_engineio_append_binary (&out, lengths[i]), 0xF0 + i, lengths[i]);
    }
  units = hark_builder_finish (&out);
  hark_engineio_payload_append (payload, units->data, units->len);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (lengths); i++)
    {
      HarkEngineIOPacket packet;
      g_assert_true (hark_engineio_payload_next (&packet, payload->data, payload->len, &offset));
      g_assert_cmpint (packet.type, ==, HARK_ENGINEIO_MESSAGE);
      g_assert_cmpint (packet.binary, ==, i % 2);
      g_assert_cmpuint (packet.len, ==, lengths[i / 2]);
      for (gsize k = 0; k < packet.len; k++)
        g_assert_cmpuint (packet.data[k], ==, (i % 2 ? 0xF0 : 'a') + i / 2);
    }
  g_assert_cmpuint (offset, ==, payload->len + 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engineio-codec/payloads", test_payloads);
  g_test_add_func ("/engineio-codec/query", test_query);
  g_test_add_func ("/engineio-codec/units", test_units);
  return g_test_run ();
}
