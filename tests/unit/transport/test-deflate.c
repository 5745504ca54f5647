/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* permessage-deflate: what of an offer is accepted, and what goes in comes out. */
#include "transport/deflate.h"

#include "transport/websocket-codec.h"

#include "client-frames.h"

#define PLAIN "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
#define WITH_BITS PLAIN "; server_max_window_bits=12"

static const struct
{
  const char *name;
  const char *offer;
  const char *answer; /* NULL: declined */
} offers[] = {
  { "none", NULL, NULL },
  { "empty", "", NULL },
  { "bare", "permessage-deflate", PLAIN },
  { "chromium", "permessage-deflate; client_max_window_bits", PLAIN },
  { "python", "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", WITH_BITS },
  { "all-parameters",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; "
    "client_max_window_bits=8",
    WITH_BITS },
  { "no-spaces", "permessage-deflate;client_max_window_bits;server_no_context_takeover", PLAIN },
  { "many-spaces", "\t permessage-deflate  ;\tclient_max_window_bits = 10 ", PLAIN },
  { "quoted", "permessage-deflate; server_max_window_bits=\"13\"", WITH_BITS },
  { "other", "x-webkit-deflate-frame", NULL },
  { "other-first", "x-webkit-deflate-frame; no_context_takeover, permessage-deflate", PLAIN },
  { "second-is-acceptable", "permessage-deflate; server_max_window_bits=9, permessage-deflate", PLAIN },
  { "first-of-two", "permessage-deflate; server_max_window_bits=12, permessage-deflate", WITH_BITS },
  { "empty-elements", ", ,permessage-deflate,,", PLAIN },
  { "window-too-small", "permessage-deflate; server_max_window_bits=11", NULL },
  { "window-8", "permessage-deflate; server_max_window_bits=8", NULL },
  { "window-7", "permessage-deflate; client_max_window_bits=7", NULL },
  { "window-16", "permessage-deflate; server_max_window_bits=16", NULL },
  { "window-leading-zero", "permessage-deflate; client_max_window_bits=08", NULL },
  { "window-012", "permessage-deflate; server_max_window_bits=012", NULL },
  { "window-of-letters", "permessage-deflate; server_max_window_bits=ten", NULL },
  { "window-negative", "permessage-deflate; client_max_window_bits=-9", NULL },
  { "window-without-value", "permessage-deflate; server_max_window_bits", NULL },
  { "window-twice", "permessage-deflate; server_max_window_bits=12; server_max_window_bits=12", NULL },
  { "client-window-twice", "permessage-deflate; client_max_window_bits; client_max_window_bits", NULL },
  { "takeover-twice", "permessage-deflate; server_no_context_takeover; server_no_context_takeover", NULL },
  { "client-takeover-twice", "permessage-deflate; client_no_context_takeover; client_no_context_takeover", NULL },
  { "takeover-with-value", "permessage-deflate; server_no_context_takeover=1", NULL },
  { "client-takeover-with-value", "permessage-deflate; client_no_context_takeover=true", NULL },
  { "unknown-parameter", "permessage-deflate; mode=best", NULL },
  { "unknown-parameter-then-good", "permessage-deflate; mode=best, permessage-deflate", PLAIN },
  { "no-parameter", "permessage-deflate;", NULL },
  { "no-value", "permessage-deflate; client_max_window_bits=", NULL },
  { "no-name", "; client_max_window_bits", NULL },
  { "open-quote", "permessage-deflate; client_max_window_bits=\"10", NULL },
  { "quoted-nothing", "permessage-deflate; client_max_window_bits=\"\"", NULL },
  { "garbage-behind", "permessage-deflate @", NULL },
  { "malformed-second", "permessage-deflate, =", NULL },
  { "longer-name", "permessage-deflate-more", NULL },
  { "shorter-name", "permessage", NULL },
};

static void
test_offer (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autofree char *answer = hark_deflate_negotiate (offers[i].offer);
  g_test_summary ("An offer is answered with what we can do, or not at all.");
  g_assert_cmpstr (answer, ==, offers[i].answer);
}

static void
test_long_offer (void)
{
  g_autoptr (GString) offer = g_string_new ("permessage-deflate");
  g_autofree char *at_bound = NULL;
  g_autofree char *over = NULL;
  g_test_summary ("An offer over the bound on its size is not looked at.");
  while (offer->len < HARK_DEFLATE_MAX_OFFER)
    g_string_append_c (offer, ' ');
  at_bound = hark_deflate_negotiate (offer->str);
  g_assert_cmpstr (at_bound, ==, PLAIN);
  g_string_append_c (offer, ' ');
  over = hark_deflate_negotiate (offer->str);
  g_assert_null (over);
}

static void
test_long_token (void)
{
  g_autofree char *name = g_strnfill (500, 'x');
  g_autofree char *offer = g_strdup_printf ("%s, permessage-deflate", name);
  g_autofree char *answer = hark_deflate_negotiate (offer);
  g_test_summary ("An extension with a long name is passed over.");
  g_assert_cmpstr (answer, ==, PLAIN);
}

/* What a client sees: the server's frame, read as if a client had sent it. */
static void
assert_reads_as (HarkBuffer *frame, const guint8 *data, gsize len)
{
  g_autoptr (GByteArray) masked = g_byte_array_new ();
  HarkWebSocketContext context = { G_MAXINT32, 16, NULL };
  HarkWebSocketCodec codec;
  HarkWebSocketEvent event;
  gsize header = frame->data[1] == 127 ? 10 : frame->data[1] == 126 ? 4 : 2;
  append_frame (masked, frame->data[0], frame->data + header, frame->len - header);
  hark_websocket_codec_init (&codec, TRUE);
  hark_websocket_codec_next (&codec, &context, masked->data, masked->len, &event);
  g_assert_cmpint (event.kind, ==, HARK_WEBSOCKET_EVENT_MESSAGE);
  g_assert_cmpmem (event.data, event.len, data, len);
  hark_websocket_codec_clear (&codec, &context);
  hark_websocket_context_clear (&context);
}

static void
test_round_trip (void)
{
  static const gsize lengths[] = { 0, 1, 5, 100, 125, 126, 4096, 5000, 65535, 65536, 300000 };
  g_autoptr (HarkDeflater) deflater = hark_deflater_new (6);
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  g_test_summary ("Whatever is compressed inflates to itself, whether it is long, short or noise.");
  for (guint noise = 0; noise < 2; noise++)
    for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
      {
        g_autofree guint8 *data = g_malloc (lengths[i] + 1);
        g_autoptr (HarkBuffer) frame = NULL;
        for (gsize k = 0; k < lengths[i]; k++)
          data[k] = noise ? (guint8)g_rand_int (rand) : (guint8) "{\"type\":\"message\",\"n\":"[k % 22];
        frame = hark_deflate_encode_frame (deflater, HARK_WEBSOCKET_BINARY, data, lengths[i]);
        assert_reads_as (frame, data, lengths[i]);
      }
}

static void
test_smaller (void)
{
  g_autoptr (HarkDeflater) deflater = hark_deflater_new (6);
  g_autofree char *text = g_strnfill (10000, 'x');
  g_autoptr (HarkBuffer) frame = hark_deflate_encode_frame (deflater, HARK_WEBSOCKET_TEXT, text, 10000);
  g_test_summary ("What repeats becomes much smaller.");
  g_assert_cmphex (frame->data[0], ==, 0xC1);
  g_assert_cmpuint (frame->len, <, 100);
}

static void
test_plain_when_not_smaller (void)
{
  g_autoptr (HarkDeflater) deflater = hark_deflater_new (6);
  g_autoptr (HarkBuffer) frame = hark_deflate_encode_frame (deflater, HARK_WEBSOCKET_TEXT, "hi", 2);
  g_test_summary ("What would not become smaller is sent as it is.");
  g_assert_cmpmem (frame->data, frame->len, "\x81\x02hi", 4);
}

static void
test_no_takeover (void)
{
  g_autoptr (HarkDeflater) deflater = hark_deflater_new (6);
  const char *text = "the same text, the same text, the same text";
  g_autoptr (HarkBuffer) first = hark_deflate_encode_frame (deflater, HARK_WEBSOCKET_TEXT, text, strlen (text));
  g_autoptr (HarkBuffer) second = hark_deflate_encode_frame (deflater, HARK_WEBSOCKET_TEXT, text, strlen (text));
  g_test_summary ("Each frame stands for itself: the same text gives the same bytes.");
  g_assert_cmphex (first->data[0], ==, 0xC1);
  g_assert_cmpmem (first->data, first->len, second->data, second->len);
}

static void
test_bomb (void)
{
  g_autoptr (HarkDeflater) deflater = hark_deflater_new (9);
  g_autofree guint8 *zeros = g_malloc0 (1 << 24);
  g_autoptr (HarkBuffer) frame = hark_deflate_encode_frame (deflater, HARK_WEBSOCKET_BINARY, zeros, 1 << 24);
  g_autoptr (GByteArray) masked = g_byte_array_new ();
  HarkWebSocketContext context = { 65536, 16, NULL };
  HarkWebSocketCodec codec;
  HarkWebSocketEvent event;
  g_test_summary ("16 MiB in 16 KiB are inflated to the bound and refused there.");
  g_assert_cmpuint (frame->len, <, 20000);
  append_frame (masked, frame->data[0], frame->data + 4, frame->len - 4);
  hark_websocket_codec_init (&codec, TRUE);
  hark_websocket_codec_next (&codec, &context, masked->data, masked->len, &event);
  g_assert_cmpint (event.kind, ==, HARK_WEBSOCKET_EVENT_FAILURE);
  g_assert_cmpuint (event.code, ==, 1009);
  hark_websocket_codec_clear (&codec, &context);
  hark_websocket_context_clear (&context);
}

static void
test_no_space (void)
{
  static const guint8 hello[] = "\xF2\x48\xCD\xC9\xC9\x07";
  g_autoptr (HarkInflater) inflater = hark_inflater_new ();
  const guint8 *data = hello;
  gsize len = sizeof hello;
  g_autoptr (GString) text = g_string_new (NULL);
  HarkInflateResult result;
  gsize produced;
  guint8 out;
  g_test_summary ("With room for one byte at a time the same comes out.");
  while ((result = hark_inflater_feed (inflater, &data, &len, &out, 1, &produced)) == HARK_INFLATE_NEED_SPACE)
    g_string_append_len (text, (const char *)&out, produced);
  g_assert_cmpint (result, ==, HARK_INFLATE_NEED_INPUT);
  while ((result = hark_inflater_finish (inflater, &out, 1, &produced)) == HARK_INFLATE_NEED_SPACE)
    g_string_append_len (text, (const char *)&out, produced);
  g_assert_cmpint (result, ==, HARK_INFLATE_NEED_INPUT);
  g_assert_cmpstr (text->str, ==, "Hello");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (offers); i++)
    {
      g_autofree char *path = g_strdup_printf ("/deflate/offer/%s", offers[i].name);
      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_offer);
    }
  g_test_add_func ("/deflate/offer/long", test_long_offer);
  g_test_add_func ("/deflate/offer/long-token", test_long_token);
  g_test_add_func ("/deflate/round-trip", test_round_trip);
  g_test_add_func ("/deflate/smaller", test_smaller);
  g_test_add_func ("/deflate/plain-when-not-smaller", test_plain_when_not_smaller);
  g_test_add_func ("/deflate/no-takeover", test_no_takeover);
  g_test_add_func ("/deflate/bomb", test_bomb);
  g_test_add_func ("/deflate/no-space", test_no_space);
  return g_test_run ();
}
