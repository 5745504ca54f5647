/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/socketio-codec.h"

#include "base/error.h"

typedef struct
{
  const char *text;
  HarkSocketioType type;
  guint n_attachments;
  const char *nsp;
  gint64 id;
  const char *payload; /* (nullable) */
  const char *name;    /* (nullable) */
  const char *args;
  guint n_args;
} Right;

/* The examples of the protocol's text first, in its order. */
static const Right right[] = {
  { "0", HARK_SOCKETIO_CONNECT, 0, "/", -1 },
  { "0{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}", HARK_SOCKETIO_CONNECT, 0, "/", -1, "{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}" },
  { "0/admin,", HARK_SOCKETIO_CONNECT, 0, "/admin", -1 },
  { "0/admin,{\"token\":\"123\"}", HARK_SOCKETIO_CONNECT, 0, "/admin", -1, "{\"token\":\"123\"}" },
  { "4{\"message\":\"Not authorized\"}", HARK_SOCKETIO_CONNECT_ERROR, 0, "/", -1, "{\"message\":\"Not authorized\"}" },
  { "2[\"foo\"]", HARK_SOCKETIO_EVENT, 0, "/", -1, "[\"foo\"]", "foo", "", 0 },
  { "2/admin,[\"bar\"]", HARK_SOCKETIO_EVENT, 0, "/admin", -1, "[\"bar\"]", "bar", "", 0 },
  { "51-[\"baz\",{\"_placeholder\":true,\"num\":0}]", HARK_SOCKETIO_BINARY_EVENT, 1, "/", -1,
    "[\"baz\",{\"_placeholder\":true,\"num\":0}]", "baz", "{\"_placeholder\":true,\"num\":0}", 1 },
  { "52-/admin,[\"baz\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]",
    HARK_SOCKETIO_BINARY_EVENT, 2, "/admin", -1,
    "[\"baz\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]", "baz",
    "{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}", 2 },
  { "212[\"foo\"]", HARK_SOCKETIO_EVENT, 0, "/", 12, "[\"foo\"]", "foo", "", 0 },
  { "312[]", HARK_SOCKETIO_ACK, 0, "/", 12, "[]" },
  { "2/admin,13[\"foo\"]", HARK_SOCKETIO_EVENT, 0, "/admin", 13, "[\"foo\"]", "foo", "", 0 },
  { "3/admin,13[\"bar\"]", HARK_SOCKETIO_ACK, 0, "/admin", 13, "[\"bar\"]" },
  { "51-14[\"foo\",{\"_placeholder\":true,\"num\":0}]", HARK_SOCKETIO_BINARY_EVENT, 1, "/", 14,
    "[\"foo\",{\"_placeholder\":true,\"num\":0}]", "foo", "{\"_placeholder\":true,\"num\":0}", 1 },
  { "61-15[\"bar\",{\"_placeholder\":true,\"num\":0}]", HARK_SOCKETIO_BINARY_ACK, 1, "/", 15,
    "[\"bar\",{\"_placeholder\":true,\"num\":0}]" },
  { "1", HARK_SOCKETIO_DISCONNECT, 0, "/", -1 },
  { "1/admin,", HARK_SOCKETIO_DISCONNECT, 0, "/admin", -1 },
  /* What the reference takes too. */
  { "0/admin", HARK_SOCKETIO_CONNECT, 0, "/admin", -1 },
  { "1/admin", HARK_SOCKETIO_DISCONNECT, 0, "/admin", -1 },
  { "0/admin?token=1,{}", HARK_SOCKETIO_CONNECT, 0, "/admin", -1, "{}" },
  { "0/,", HARK_SOCKETIO_CONNECT, 0, "/", -1 },
  { "4\"no\"", HARK_SOCKETIO_CONNECT_ERROR, 0, "/", -1, "\"no\"" },
  { "2[7,true]", HARK_SOCKETIO_EVENT, 0, "/", -1, "[7,true]", "7", "true", 1 },
  { "20[\"a\", 1 , [2,3],\t{\"b\":[]} ]", HARK_SOCKETIO_EVENT, 0, "/", 0, "[\"a\", 1 , [2,3],\t{\"b\":[]} ]", "a",
    "1 , [2,3],\t{\"b\":[]}", 3 },
  { "29007199254740991[\"a\"]", HARK_SOCKETIO_EVENT, 0, "/", G_GINT64_CONSTANT (9007199254740991), "[\"a\"]", "a", "",
    0 },
  { "510-[\"a\"]", HARK_SOCKETIO_BINARY_EVENT, 10, "/", -1, "[\"a\"]", "a", "", 0 },
  { "2[\"connected\"]", HARK_SOCKETIO_EVENT, 0, "/", -1, "[\"connected\"]", "connected", "", 0 },
};

static void
assert_slice (HarkJsonSlice slice, const char *expected)
{
  g_autofree char *text = g_strndup (slice.data != NULL ? slice.data : "", slice.len);
  g_assert_cmpstr (text, ==, expected != NULL ? expected : "");
}

static void
test_right (void)
{
  g_test_summary ("Each packet of the protocol's text, and those beside it that the reference takes, is understood");
  for (guint i = 0; i < G_N_ELEMENTS (right); i++)
    {
      HarkSocketioPacket packet;
      g_autoptr (GError) error = NULL;
      g_autofree char *copy = g_memdup2 (right[i].text, strlen (right[i].text)); /* without a 0 byte */
      g_test_message ("%s", right[i].text);
      hark_socketio_parse (&packet, copy, strlen (right[i].text), &error);
      g_assert_no_error (error);
      g_assert_cmpuint (packet.type, ==, right[i].type);
      g_assert_cmpuint (packet.n_attachments, ==, right[i].n_attachments);
      g_assert_cmpint (packet.id, ==, right[i].id);
      g_assert_cmpuint (packet.n_args, ==, right[i].n_args);
      assert_slice (packet.nsp, right[i].nsp);
      assert_slice (packet.payload, right[i].payload);
      assert_slice (packet.name, right[i].name);
      assert_slice (packet.args, right[i].args);
    }
}

static const char *const wrong[] = {
  "",
  "7",
  "9[]",
  "-1",
  "a",
  " 0",
  "\xEF\xBC\x90",
  /* CONNECT takes an object or nothing. */
  "0[]",
  "0\"token\"",
  "0null",
  "05",
  "0{",
  "0{}x",
  "0/admin,[]",
  /* DISCONNECT takes nothing. */
  "1{}",
  "1[]",
  "1/admin,{}",
  /* An event is an array with a name that is not reserved. */
  "2",
  "2/admin",
  "2/admin,",
  "2{}",
  "2\"foo\"",
  "2[]",
  "2[null]",
  "2[{}]",
  "2[[\"a\"]]",
  "2[true]",
  "2[\"a\"",
  "2[\"a\",]",
  "2[\"a\"]]",
  "2[\"a\"]x",
  "2[\"a\xFF\"]",
  "2[\"connect\"]",
  "2[\"connect_error\"]",
  "2[\"disconnect\"]",
  "2[\"disconnecting\"]",
  "2[\"newListener\"]",
  "2[\"removeListener\"]",
  "2[\"\\u0063onnect\"]",
  "2 1[\"a\"]",
  "29007199254740992[\"a\"]",
  "299999999999999999999999[\"a\"]",
  "2[\"a\",01]",
  "2[\"a\",NaN]",
  /* An ACK is an array. */
  "3",
  "31",
  "31{}",
  "3\"a\"",
  "3[]",
  "3/admin,[]",
  /* CONNECT_ERROR says why. */
  "4",
  "4[]",
  "41",
  /* Binary packets begin with how many attachments there are. */
  "5",
  "5[\"a\"]",
  "5-[\"a\"]",
  "50-[\"a\"]",
  "511-[\"a\"]",
  "51[\"a\"]",
  "51",
  "51-",
  "5a-[\"a\"]",
  "51.0-[\"a\"]",
  "5+1-[\"a\"]",
  "5 1-[\"a\"]",
  "51e0-[\"a\"]",
  "51-{}",
  "6",
  "60-[]",
  "61-{}",
  "61-[]",
};

static void
test_wrong (void)
{
  g_test_summary ("What is no packet is refused, and the error says so");
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      HarkSocketioPacket packet;
      g_autoptr (GError) error = NULL;
      g_autofree char *copy = g_memdup2 (wrong[i], MAX (strlen (wrong[i]), 1));
      g_test_message ("%s", wrong[i]);
      g_assert_false (hark_socketio_parse (&packet, copy, strlen (wrong[i]), &error));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
    }
}

static void
test_deep (void)
{
  g_autoptr (GString) text = g_string_new ("2[\"a\",");
  g_autoptr (GError) error = NULL;
  HarkSocketioPacket packet;
  g_test_summary ("A packet that is nested without end is refused without recursion");
  for (guint i = 0; i < 200000; i++)
    g_string_append_c (text, '[');
  g_assert_false (hark_socketio_parse (&packet, text->str, text->len, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
}

static void
test_header (void)
{
  static const struct
  {
    HarkSocketioType type;
    guint n;
    const char *nsp;
    gint64 id;
    const char *expected;
  } cases[] = {
    { HARK_SOCKETIO_CONNECT, 0, "/", -1, "0" },
    { HARK_SOCKETIO_CONNECT, 0, "/admin", -1, "0/admin," },
    { HARK_SOCKETIO_EVENT, 0, "/", 0, "20" },
    { HARK_SOCKETIO_ACK, 0, "/admin", 13, "3/admin,13" },
    { HARK_SOCKETIO_BINARY_EVENT, 2, "/admin", -1, "52-/admin," },
    { HARK_SOCKETIO_BINARY_ACK, 1, "/", 15, "61-15" },
    { HARK_SOCKETIO_DISCONNECT, 0, "/admin", -1, "1/admin," },
  };
  g_test_summary ("A packet's header is written as the protocol's text has it");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);
      hark_socketio_append_header (out, cases[i].type, cases[i].n, cases[i].nsp, cases[i].id);
      g_assert_cmpstr (out->str, ==, cases[i].expected);
    }
}

static char *
embed (const char *json, GError **error)
{
  g_autoptr (GString) out = g_string_new ("=");
  g_autoptr (GBytes) one = g_bytes_new_static ("\x01\x02\x03", 3);
  g_autoptr (GBytes) two = g_bytes_new_static ("", 0);
  GBytes *attachments[] = { one, two };
  if (!hark_socketio_embed (out, json, strlen (json), attachments, 2, error))
    return NULL;
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static void
test_embed (void)
{
  static const char *const cases[][2] = {
    { "[\"a\",{\"_placeholder\":true,\"num\":0}]", "=[\"a\",{\"$binary\":\"AQID\"}]" },
    { "[{\"num\":1,\"_placeholder\":true},{\"_placeholder\":true,\"num\":0}]",
      "=[{\"$binary\":\"\"},{\"$binary\":\"AQID\"}]" },
    { "[\"a\",{\"x\":{\"y\":[1,{\"_placeholder\":true,\"num\":0},2]},\"z\":{}}]",
      "=[\"a\",{\"x\":{\"y\":[1,{\"$binary\":\"AQID\"},2]},\"z\":{}}]" },
    { "[\"a\",{\"_placeholder\":true,\"num\":0,\"more\":{\"b\":1}}]", "=[\"a\",{\"$binary\":\"AQID\"}]" },
    { "[{\"_placeholder\":false,\"num\":0},{\"_placeholder\":1,\"num\":0},{\"num\":0}]",
      "=[{\"_placeholder\":false,\"num\":0},{\"_placeholder\":1,\"num\":0},{\"num\":0}]" },
    { "[\"none\", 1 ]", "=[\"none\", 1 ]" },
    { "{\"\\u005fplaceholder\":true,\"num\":1}", "={\"$binary\":\"\"}" },
  };
  static const char *const refused[] = {
    "[{\"_placeholder\":true}]",
    "[{\"_placeholder\":true,\"num\":2}]",
    "[{\"_placeholder\":true,\"num\":-1}]",
    "[{\"_placeholder\":true,\"num\":0.5}]",
    "[{\"_placeholder\":true,\"num\":\"0\"}]",
    "[{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":0}]",
    "[{\"_placeholder\":true,\"num\":9223372036854775807}]",
  };
  g_test_summary ("Attachments take the places that placeholders keep for them, each one place");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *out = embed (cases[i][0], &error);
      g_assert_no_error (error);
      g_assert_cmpstr (out, ==, cases[i][1]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (embed (refused[i], &error));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
    }
}

static void
test_extract (void)
{
  static const struct
  {
    const char *json;
    guint n;
    const char *expected;
  } cases[] = {
    { "[\"a\",{\"b\":1}]", 0, "=[\"a\",{\"b\":1}]" },
    { "[\"a\",{\"$binary\":\"AQID\"}]", 1, "=[\"a\",{\"_placeholder\":true,\"num\":0}]" },
    { "{\"x\":[{\"$binary\":\"\"}, {\"$binary\":\"AQID\"}] , \"y\":2}", 2,
      "={\"x\":[{\"_placeholder\":true,\"num\":0}, {\"_placeholder\":true,\"num\":1}] , \"y\":2}" },
    /* Not what embedding makes: left alone. */
    { "[{\"$binary\":\"AQID\",\"more\":1}]", 0, "=[{\"$binary\":\"AQID\",\"more\":1}]" },
    { "[{\"$binary\":\"AQI\"},{\"$binary\":\"AQ*D\"},{\"$binary\":7},\"$binary\"]", 0,
      "=[{\"$binary\":\"AQI\"},{\"$binary\":\"AQ*D\"},{\"$binary\":7},\"$binary\"]" },
    { "[{\"$binary\":\"AQJ=\"}]", 0, "=[{\"$binary\":\"AQJ=\"}]" },
    { "[\"$binary\",", 0, "=[\"$binary\"," },
  };
  g_test_summary ("What is binary in the hub's JSON leaves as attachments, and nothing else does");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) out = g_string_new ("=");
      g_autoptr (GPtrArray) attachments = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
      gboolean any = hark_socketio_extract (out, cases[i].json, strlen (cases[i].json), attachments);
      g_assert_cmpint (any, ==, cases[i].n > 0);
      g_assert_cmpuint (attachments->len, ==, cases[i].n);
      g_assert_cmpstr (out->str, ==, cases[i].expected);
    }
}

static void
test_extract_bound (void)
{
  g_autoptr (GString) json = g_string_new ("[0");
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GPtrArray) attachments = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_test_summary ("No more attachments leave in a packet than the reference's decoder takes");
  for (guint i = 0; i < HARK_SOCKETIO_MAX_ATTACHMENTS + 1; i++)
    g_string_append (json, ",{\"$binary\":\"AQID\"}");
  g_string_append_c (json, ']');
  g_assert_true (hark_socketio_extract (out, json->str, json->len, attachments));
  g_assert_cmpuint (attachments->len, ==, HARK_SOCKETIO_MAX_ATTACHMENTS);
  g_assert_true (g_str_has_suffix (out->str, ",{\"$binary\":\"AQID\"}]"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/socketio-codec/right", test_right);
  g_test_add_func ("/socketio-codec/wrong", test_wrong);
  g_test_add_func ("/socketio-codec/deep", test_deep);
  g_test_add_func ("/socketio-codec/header", test_header);
  g_test_add_func ("/socketio-codec/embed", test_embed);
  g_test_add_func ("/socketio-codec/extract", test_extract);
  g_test_add_func ("/socketio-codec/extract-bound", test_extract_bound);
  return g_test_run ();
}
