/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frame codec from raw bytes. Each row is fed whole, byte by byte and cut in two at every place, and must amount to
 * the same events each time.
 */
#include "transport/websocket-codec.h"

#include "base/error.h"

#include "client-frames.h"

#include <string.h>

#define MAX_FRAMES 8
#define MAX_SPLITS 400 /* bytes of input up to which every place is tried */
#define LONG 48        /* bytes of data from which the transcript shows only how many there are */

typedef struct
{
  int first; /* the frame's first byte; RAW: @data is not framed */
  const char *data;
  gsize len;
  LengthForm form;
  gboolean unmasked;
} RowFrame;

typedef struct
{
  const char *name;
  RowFrame frames[MAX_FRAMES];
  const char *expected; /* the transcript, see describe () */
  guint cut;            /* bytes missing at the end */
  gboolean holds;       /* memory is owned at the end, of what is unfinished */
  gboolean deflate;
  guint max_message;
  guint max_fragments;
} Row;

#define RAW (-1)
#define F(first, text)                                                                                                 \
  {                                                                                                                    \
    first, text, sizeof text - 1, FORM_SHORTEST, FALSE                                                                 \
  }
#define FILL(first, n)                                                                                                 \
  {                                                                                                                    \
    first, NULL, n, FORM_SHORTEST, FALSE                                                                               \
  }

typedef struct
{
  char *path;
  GByteArray *input;
  char *expected;
  gboolean holds;
  gboolean deflate;
  HarkWebSocketContext context;
} Case;

static void
append_data (GString *out, const char *kind, const guint8 *data, gsize len)
{
  g_autofree char *copy = NULL;
  g_autofree char *text = NULL;
  g_assert_nonnull (data);
  if (len >= LONG)
    {
      g_string_append_printf (out, "%s *%" G_GSIZE_FORMAT, kind, len);
      return;
    }
  copy = g_strndup ((const char *)data, len);
  text = g_strescape (copy, NULL);
  g_string_append_printf (out, "%s %s", kind, text);
  g_assert_true (memchr (data, 0, len) == NULL || g_str_equal (kind, "binary"));
}

static void
describe (GString *out, const HarkWebSocketEvent *event)
{
  if (out->len > 0)
    g_string_append (out, "; ");
  if (event->kind == HARK_WEBSOCKET_EVENT_MESSAGE)
    append_data (out, event->binary ? "binary" : "text", event->data, event->len);
  else if (event->kind == HARK_WEBSOCKET_EVENT_PING)
    append_data (out, "ping", event->data, event->len);
  else if (event->kind == HARK_WEBSOCKET_EVENT_PONG)
    append_data (out, "pong", event->data, event->len);
  else if (event->kind == HARK_WEBSOCKET_EVENT_FAILURE)
    g_string_append_printf (out, "fail %u", event->code);
  else
    {
      g_autofree char *kind = g_strdup_printf ("close %u", event->code);
      append_data (out, kind, event->data, event->len);
    }
}

static void
feed (HarkWebSocketCodec *codec, HarkWebSocketContext *context, const guint8 *data, gsize len, GString *out)
{
  /* A block of exactly this size, for AddressSanitizer. */
  g_autofree guint8 *copy = g_memdup2 (data, len);
  gsize taken = 0;
  for (;;)
    {
      HarkWebSocketEvent event;
      gsize n = hark_websocket_codec_next (codec, context, copy + taken, len - taken, &event);
      taken += n;
      g_assert_cmpuint (taken, <=, len);
      if (event.kind == HARK_WEBSOCKET_EVENT_NONE)
        break;
      describe (out, &event);
    }
  g_assert_cmpuint (taken, ==, len);
}

static void
check_end (const Case *row, HarkWebSocketCodec *codec, HarkWebSocketContext *context, const GString *transcript)
{
  g_assert_cmpstr (transcript->str, ==, row->expected);
  hark_websocket_codec_trim (codec, context);
  if (!codec->finished)
    g_assert_cmpint (codec->part != NULL, ==, row->holds);
  hark_websocket_codec_clear (codec, context);
  hark_websocket_context_clear (context);
}

static void
test_in_pieces (const Case *row, gsize first, gsize piece)
{
  HarkWebSocketContext context = row->context;
  HarkWebSocketCodec codec;
  g_autoptr (GString) transcript = g_string_new (NULL);
  gsize at = MIN (first, row->input->len);
  hark_websocket_codec_init (&codec, row->deflate);
  feed (&codec, &context, row->input->data, at, transcript);
  while (at < row->input->len)
    {
      gsize n = MIN (piece, row->input->len - at);
      feed (&codec, &context, row->input->data + at, n, transcript);
      at += n;
    }
  check_end (row, &codec, &context, transcript);
}

static void
test_case (gconstpointer data)
{
  const Case *row = data;
  gsize len = row->input->len;
  gsize step = len > MAX_SPLITS ? len / 61 : 1;
  g_test_summary ("However the bytes are cut, they amount to these events.");
  test_in_pieces (row, len, len);
  test_in_pieces (row, 0, 1);
  test_in_pieces (row, 1, 7);
  test_in_pieces (row, 3, 1021);
  for (gsize cut = 1; cut < len; cut += step)
    test_in_pieces (row, cut, len);
}

static void
free_case (gpointer data)
{
  Case *row = data;
  g_byte_array_unref (row->input);
  g_free (row->expected);
  g_free (row->path);
  g_free (row);
}

static void
add_row (const char *group, const Row *row)
{
  Case *test = g_new0 (Case, 1);
  test->path = g_strdup_printf ("/websocket-codec/%s/%s", group, row->name);
  test->input = g_byte_array_new ();
  test->expected = g_strdup (row->expected);
  test->holds = row->holds;
  test->deflate = row->deflate;
  test->context.max_message = row->max_message > 0 ? row->max_message : 65536;
  test->context.max_fragments = row->max_fragments > 0 ? row->max_fragments : 1024;
  for (guint i = 0; i < MAX_FRAMES; i++)
    {
      const RowFrame *frame = &row->frames[i];
      if (frame->first == RAW)
        g_byte_array_append (test->input, (const guint8 *)frame->data, frame->len);
      else if (frame->data != NULL || frame->len > 0)
        append_frame_full (test->input, frame->first, frame->data, frame->len, frame->form, !frame->unmasked);
    }
  g_assert_cmpuint (row->cut, <, test->input->len);
  g_byte_array_set_size (test->input, test->input->len - row->cut);
  g_test_add_data_func_full (test->path, test, test_case, free_case);
}

/* The payload lengths at which the header changes its form, and what is no header at all. */
static const Row framing[] = {
  { "text", { F (0x81, "Hello") }, "text Hello" },
  { "binary", { F (0x82, "\x00\xFF") }, "binary " },
  { "empty-text", { F (0x81, "") }, "text " },
  { "empty-binary", { F (0x82, "") }, "binary " },
  { "two-messages", { F (0x81, "one"), F (0x82, "two") }, "text one; binary two" },
  { "three-empty", { F (0x81, ""), F (0x81, ""), F (0x82, "") }, "text ; text ; binary " },
  { "length-125", { FILL (0x81, 125) }, "text *125" },
  { "length-126", { FILL (0x81, 126) }, "text *126" },
  { "length-127", { FILL (0x81, 127) }, "text *127" },
  { "length-255", { FILL (0x82, 255) }, "binary *255" },
  { "length-256", { FILL (0x82, 256) }, "binary *256" },
  { "length-65535", { FILL (0x82, 65535) }, "binary *65535" },
  { "length-65536", { FILL (0x81, 65536) }, "text *65536" },
  { "long-then-short", { FILL (0x82, 20000), F (0x81, "x") }, "binary *20000; text x" },
  { "header-missing-a-byte", { F (0x81, "") }, "", .cut = 1 },
  { "header-of-one-byte", { F (0x81, "") }, "", .cut = 5 },
  { "payload-missing", { F (0x81, "Hello") }, "", .cut = 5, .holds = TRUE },
  { "payload-missing-a-byte", { F (0x81, "Hello") }, "", .cut = 1, .holds = TRUE },
  { "second-header-cut", { F (0x81, "one"), F (0x81, "two") }, "text one", .cut = 5 },
  { "16-bit-for-0", { { 0x81, "", 0, FORM_16 } }, "fail 1002" },
  { "16-bit-for-125", { { 0x81, NULL, 125, FORM_16 } }, "fail 1002" },
  { "64-bit-for-1", { { 0x82, NULL, 1, FORM_64 } }, "fail 1002" },
  { "64-bit-for-126", { { 0x82, NULL, 126, FORM_64 } }, "fail 1002" },
  { "64-bit-for-65535", { { 0x82, NULL, 65535, FORM_64 } }, "fail 1002" },
  { "long-form-fails-before-the-mask", { { 0x82, NULL, 1, FORM_64 } }, "fail 1002", .cut = 5 },
  { "highest-bit", { F (RAW, "\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x00") }, "fail 1002" },
  { "all-bits", { F (RAW, "\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF") }, "fail 1002" },
  { "largest-length", { F (RAW, "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF") }, "fail 1009" },
  { "unmasked-text", { { 0x81, "Hello", 5, FORM_SHORTEST, TRUE } }, "fail 1002" },
  { "unmasked-empty", { { 0x82, "", 0, FORM_SHORTEST, TRUE } }, "fail 1002" },
  { "unmasked-ping", { { 0x89, "", 0, FORM_SHORTEST, TRUE } }, "fail 1002" },
  { "unmasked-close", { { 0x88, "", 0, FORM_SHORTEST, TRUE } }, "fail 1002" },
  { "unmasked-fails-at-two-bytes", { F (RAW, "\x81\x7E") }, "fail 1002" },
  { "nothing-after-a-failure", { F (0x81, "one"), F (0x83, ""), F (0x81, "two") }, "text one; fail 1002" },
  { "zero-mask", { F (RAW, "\x81\x85\x00\x00\x00\x00Hello") }, "text Hello" },
  { "http-instead", { F (RAW, "GET / HTTP/1.1\r\n") }, "fail 1002" },
};

static const Row bits[] = {
  { "rsv1", { F (0xC1, "x") }, "fail 1002" },
  { "rsv2", { F (0xA1, "x") }, "fail 1002" },
  { "rsv3", { F (0x91, "x") }, "fail 1002" },
  { "all-rsv", { F (0xF1, "x") }, "fail 1002" },
  { "rsv1-on-binary", { F (0xC2, "x") }, "fail 1002" },
  { "rsv1-on-ping", { F (0xC9, "x") }, "fail 1002" },
  { "rsv1-on-close", { F (0xC8, "") }, "fail 1002" },
  { "rsv3-on-pong", { F (0x9A, "") }, "fail 1002" },
  { "rsv1-on-continuation", { F (0x01, "a"), F (0xC0, "b") }, "fail 1002" },
  { "deflate-rsv2", { F (0xE1, "x") }, "fail 1002", .deflate = TRUE },
  { "deflate-rsv3", { F (0xD1, "x") }, "fail 1002", .deflate = TRUE },
  { "deflate-rsv1-on-ping", { F (0xC9, "x") }, "fail 1002", .deflate = TRUE },
  { "deflate-rsv1-on-close", { F (0xC8, "") }, "fail 1002", .deflate = TRUE },
  { "deflate-rsv1-on-continuation", { F (0x01, "a"), F (0xC0, "b") }, "fail 1002", .deflate = TRUE },
};

static const Row control[] = {
  { "ping", { F (0x89, "hi") }, "ping hi" },
  { "empty-ping", { F (0x89, "") }, "ping " },
  { "pong", { F (0x8A, "hi") }, "pong hi" },
  { "empty-pong", { F (0x8A, "") }, "pong " },
  { "ping-of-125", { FILL (0x89, 125) }, "ping *125" },
  { "ping-of-126", { FILL (0x89, 126) }, "fail 1002" },
  { "ping-of-70000", { FILL (0x89, 70000) }, "fail 1002" },
  { "pong-of-126", { FILL (0x8A, 126) }, "fail 1002" },
  { "close-of-126", { FILL (0x88, 126) }, "fail 1002" },
  { "ping-in-16-bits", { { 0x89, "hi", 2, FORM_16 } }, "fail 1002" },
  { "fragmented-ping", { F (0x09, "hi") }, "fail 1002" },
  { "fragmented-pong", { F (0x0A, "hi") }, "fail 1002" },
  { "fragmented-close", { F (0x08, "") }, "fail 1002" },
  { "ten-of-each",
    { F (0x89, "1"), F (0x8A, "2"), F (0x89, "3"), F (0x8A, ""), F (0x89, ""), F (0x81, "x"), F (0x89, "6"),
      F (0x8A, "7") },
    "ping 1; pong 2; ping 3; pong ; ping ; text x; ping 6; pong 7" },
  { "ping-cut", { F (0x89, "hello") }, "", .cut = 2, .holds = TRUE },
  { "ping-is-not-text", { F (0x89, "\xFF\xFE") }, "ping \\377\\376" },
};

static const Row fragments[] = {
  { "two", { F (0x01, "Hel"), F (0x80, "lo") }, "text Hello" },
  { "binary", { F (0x02, "a"), F (0x00, "b"), F (0x80, "c") }, "binary abc" },
  { "empty-last", { F (0x01, "Hello"), F (0x80, "") }, "text Hello" },
  { "empty-first", { F (0x01, ""), F (0x80, "Hello") }, "text Hello" },
  { "all-empty", { F (0x01, ""), F (0x00, ""), F (0x80, "") }, "text " },
  { "ping-between", { F (0x01, "a"), F (0x89, "p"), F (0x80, "b") }, "ping p; text ab" },
  { "pong-between", { F (0x02, "a"), F (0x8A, ""), F (0x80, "b") }, "pong ; binary ab" },
  { "many-pings-between",
    { F (0x01, "a"), F (0x89, "1"), F (0x00, "b"), F (0x89, "2"), F (0x89, "3"), F (0x80, "c") },
    "ping 1; ping 2; ping 3; text abc" },
  { "long-ping-between", { F (0x01, "a"), FILL (0x89, 125), F (0x80, "b") }, "ping *125; text ab" },
  { "close-between", { F (0x01, "a"), F (0x88, "\x03\xE8"), F (0x80, "b") }, "close 1000 " },
  { "two-messages", { F (0x01, "a"), F (0x80, "b"), F (0x01, "c"), F (0x80, "d") }, "text ab; text cd" },
  { "then-whole", { F (0x01, "a"), F (0x80, "b"), F (0x82, "c") }, "text ab; binary c" },
  { "unfinished", { F (0x01, "a"), F (0x00, "b") }, "", .holds = TRUE },
  { "unfinished-empty", { F (0x01, "") }, "", .holds = TRUE },
  { "continuation-of-nothing", { F (0x80, "a") }, "fail 1002" },
  { "open-continuation-of-nothing", { F (0x00, "a") }, "fail 1002" },
  { "continuation-after-the-end", { F (0x01, "a"), F (0x80, "b"), F (0x80, "c") }, "text ab; fail 1002" },
  { "continuation-after-whole", { F (0x81, "a"), F (0x80, "b") }, "text a; fail 1002" },
  { "text-inside", { F (0x01, "a"), F (0x81, "b") }, "fail 1002" },
  { "binary-inside", { F (0x01, "a"), F (0x02, "b") }, "fail 1002" },
  { "text-inside-after-ping", { F (0x01, "a"), F (0x89, "p"), F (0x81, "b") }, "ping p; fail 1002" },
  { "reserved-inside", { F (0x01, "a"), F (0x83, "b") }, "fail 1002" },
  { "rfc-example", { F (0x01, "Hel"), F (0x80, "lo"), F (0x89, "Hello") }, "text Hello; ping Hello" },
};

static const Row sizes[] = {
  { "at-the-bound", { FILL (0x81, 100) }, "text *100", .max_message = 100 },
  { "over-the-bound", { FILL (0x81, 101) }, "fail 1009", .max_message = 100 },
  { "default-bound", { FILL (0x82, 65537) }, "fail 1009" },
  { "announced-only", { FILL (0x82, 65537) }, "fail 1009", .cut = 65537 },
  { "announced-without-mask", { FILL (0x82, 65537) }, "fail 1009", .cut = 65541 },
  { "announced-4-GiB", { F (RAW, "\x82\xFF\x00\x00\x00\x01\x00\x00\x00\x00") }, "fail 1009" },
  { "assembled-at-the-bound", { FILL (0x01, 50), FILL (0x80, 50) }, "text *100", .max_message = 100 },
  { "assembled-over", { FILL (0x01, 50), FILL (0x80, 51) }, "fail 1009", .max_message = 100 },
  { "assembled-over-announced", { FILL (0x01, 50), FILL (0x80, 51) }, "fail 1009", .cut = 51, .max_message = 100 },
  { "assembled-over-in-the-third",
    { FILL (0x02, 90), FILL (0x00, 10), FILL (0x80, 1) },
    "fail 1009",
    .max_message = 100 },
  { "full-then-empty", { FILL (0x02, 100), F (0x80, "") }, "binary *100", .max_message = 100 },
  { "bound-is-per-message", { FILL (0x81, 100), FILL (0x81, 100) }, "text *100; text *100", .max_message = 100 },
  { "ping-is-not-counted",
    { FILL (0x01, 60), FILL (0x89, 60), FILL (0x80, 40) },
    "ping *60; text *100",
    .max_message = 100 },
  { "fragments-at-the-bound", { F (0x01, "a"), F (0x00, "b"), F (0x80, "c") }, "text abc", .max_fragments = 3 },
  { "fragments-over", { F (0x01, "a"), F (0x00, "b"), F (0x00, "c"), F (0x80, "d") }, "fail 1008", .max_fragments = 3 },
  { "empty-fragments-over", { F (0x01, ""), F (0x00, ""), F (0x00, "") }, "fail 1008", .max_fragments = 2 },
  { "one-fragment-only", { F (0x01, "a"), F (0x80, "b") }, "fail 1008", .max_fragments = 1 },
  { "fragments-are-per-message",
    { F (0x01, "a"), F (0x80, "b"), F (0x01, "c"), F (0x80, "d") },
    "text ab; text cd",
    .max_fragments = 2 },
};

/* What is wrong is known before the message is complete. */
static const Row early[] = {
  { "in-an-unfinished-frame", { F (0x81, "ab\xFFmore and more") }, "fail 1007", .cut = 13 },
  { "first-byte-of-an-unfinished-frame", { F (0x81, "\x80 and so on") }, "fail 1007", .cut = 10 },
  { "in-an-unfinished-message", { F (0x01, "a\xC0") }, "fail 1007" },
  { "in-the-second-fragment", { F (0x01, "a"), F (0x00, "\xF5") }, "fail 1007" },
  { "across-fragments", { F (0x01, "\xE2\x82"), F (0x00, "x") }, "fail 1007" },
  { "surrogate-at-its-second-byte", { F (0x01, "\xED\xA0") }, "fail 1007" },
  { "overlong-at-its-second-byte", { F (0x01, "\xE0\x80") }, "fail 1007" },
  { "too-high-at-its-second-byte", { F (0x01, "\xF4\x90") }, "fail 1007" },
  { "surrogate-across-fragments", { F (0x01, "\xED"), F (0x00, "\xA0") }, "fail 1007" },
  { "after-a-ping-between", { F (0x01, "\xE2"), F (0x89, "\xFF"), F (0x00, "\x28") }, "ping \\377; fail 1007" },
  { "not-yet-wrong", { F (0x01, "\xF4\x8F") }, "", .holds = TRUE },
  { "not-yet-wrong-in-a-frame", { F (0x81, "\xE2\x82\xAC") }, "", .cut = 1, .holds = TRUE },
  { "cut-character-at-the-end", { F (0x01, "\xE2\x82"), F (0x80, "") }, "fail 1007" },
  { "character-across-fragments", { F (0x01, "\xE2"), F (0x00, "\x82"), F (0x80, "\xAC") }, "text \\342\\202\\254" },
  { "character-across-empty-ones", { F (0x01, "\xC3"), F (0x00, ""), F (0x80, "\xA9") }, "text \\303\\251" },
  { "binary-is-not-checked", { F (0x02, "\xFF"), F (0x80, "\xC0") }, "binary \\377\\300" },
  { "checked-anew-for-each", { F (0x82, "\xE2"), F (0x81, "ok") }, "binary \\342; text ok" },
};

static const Row deflate[] = {
  { "rfc-hello", { F (0xC1, "\xF2\x48\xCD\xC9\xC9\x07\x00") }, "text Hello", .deflate = TRUE },
  { "rfc-fragmented", { F (0x41, "\xF2\x48\xCD"), F (0x80, "\xC9\xC9\x07\x00") }, "text Hello", .deflate = TRUE },
  { "rfc-stored", { F (0xC1, "\x00\x05\x00\xFA\xFFHello\x00") }, "text Hello", .deflate = TRUE },
  { "rfc-final-block", { F (0xC1, "\xF3\x48\xCD\xC9\xC9\x07\x00\x00") }, "text Hello", .deflate = TRUE },
  { "final-block-alone", { F (0xC1, "\xF3\x48\xCD\xC9\xC9\x07\x00") }, "text Hello", .deflate = TRUE },
  { "rfc-two-blocks",
    { F (0xC1, "\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00") },
    "text Hello",
    .deflate = TRUE },
  { "two-final-blocks",
    { F (0xC1, "\xF3\x48\xCD\xC9\xC9\x07\x00\xF3\x48\xCD\xC9\xC9\x07\x00\x00") },
    "text HelloHello",
    .deflate = TRUE },
  { "empty", { F (0xC1, "\x00") }, "text ", .deflate = TRUE },
  { "binary", { F (0xC2, "\xF2\x48\xCD\xC9\xC9\x07\x00") }, "binary Hello", .deflate = TRUE },
  { "plain-too", { F (0x81, "Hello") }, "text Hello", .deflate = TRUE },
  { "plain-fragments-too", { F (0x01, "Hel"), F (0x80, "lo") }, "text Hello", .deflate = TRUE },
  { "twice",
    { F (0xC1, "\xF2\x48\xCD\xC9\xC9\x07\x00"), F (0xC1, "\xF2\x48\xCD\xC9\xC9\x07\x00") },
    "text Hello; text Hello",
    .deflate = TRUE },
  { "ping-between",
    { F (0x41, "\xF2\x48\xCD"), F (0x89, "p"), F (0x80, "\xC9\xC9\x07\x00") },
    "ping p; text Hello",
    .deflate = TRUE },
  { "empty-fragments",
    { F (0x41, ""), F (0x00, "\xF2\x48\xCD\xC9\xC9"), F (0x00, ""), F (0x80, "\x07\x00") },
    "text Hello",
    .deflate = TRUE },
  { "unfinished", { F (0x41, "\xF2\x48\xCD") }, "", .holds = TRUE, .deflate = TRUE },
  { "window-is-forgotten",
    { F (0xC1, "\xF2\x48\xCD\xC9\xC9\x07\x00"), F (0xC1, "\xF2\x00\x11\x00\x00") },
    "text Hello; fail 1007",
    .deflate = TRUE },
  { "reserved-block-type", { F (0xC1, "\x07") }, "fail 1007", .deflate = TRUE },
  { "stored-length-is-wrong", { F (0xC1, "\x00\x05\x00\x00\x00Hello\x00") }, "fail 1007", .deflate = TRUE },
  { "corrupt-at-once", { F (0x41, "\x07 and much that follows") }, "fail 1007", .cut = 20, .deflate = TRUE },
  { "ends-inside-of-a-block", { F (0xC1, "\xF2\x48\xCD") }, "fail 1007", .deflate = TRUE },
  { "nothing-at-all", { F (0xC1, "") }, "fail 1007", .deflate = TRUE },
  { "not-utf-8", { F (0xC1, "\x00\x02\x00\xFD\xFF\xC3\x28\x00") }, "fail 1007", .deflate = TRUE },
  { "not-utf-8-at-once", { F (0x41, "\x00\x02\x00\xFD\xFF\xC3\x28") }, "fail 1007", .deflate = TRUE },
  { "cut-character", { F (0xC1, "\x00\x01\x00\xFE\xFF\xC3\x00") }, "fail 1007", .deflate = TRUE },
  { "inflated-at-the-bound",
    { F (0xC1, "\xF2\x48\xCD\xC9\xC9\x07\x00") },
    "text Hello",
    .deflate = TRUE,
    .max_message = 5 },
  { "inflated-over-the-bound",
    { F (0xC1, "\xF2\x48\xCD\xC9\xC9\x07\x00") },
    "fail 1009",
    .deflate = TRUE,
    .max_message = 4 },
  { "on-the-wire-over-the-bound", { FILL (0xC2, 200) }, "fail 1009", .deflate = TRUE, .max_message = 100 },
  { "fragments-over-the-bound",
    { F (0x41, ""), F (0x00, ""), F (0x80, "\x00") },
    "fail 1008",
    .deflate = TRUE,
    .max_fragments = 2 },
};

static const Row closing[] = {
  { "empty", { F (0x88, "") }, "close 1005 " },
  { "code", { F (0x88, "\x03\xE8") }, "close 1000 " },
  { "code-and-reason", { F (0x88, "\x03\xE8 bye") }, "close 1000  bye" },
  { "one-byte", { F (0x88, "\x03") }, "fail 1002" },
  { "code-of-letters", { FILL (0x88, 125) }, "fail 1002" },
  { "longest-reason",
    { F (0x88, "\x03\xE8"
               "0123456789012345678901234567890123456789012345678901234567890123456789"
               "01234567890123456789012345678901234567890123456789012") },
    "close 1000 *123" },
  { "reason-is-not-utf-8", { F (0x88, "\x03\xE8\xCE\xBA\xE1\xBD\xB9\xED\xA0\x80") }, "fail 1007" },
  { "reason-is-cut", { F (0x88, "\x03\xE8\xE2\x82") }, "fail 1007" },
  { "reason-in-utf-8", { F (0x88, "\x03\xE8\xE2\x82\xAC") }, "close 1000 \\342\\202\\254" },
  { "nothing-after-it", { F (0x88, "\x03\xE8"), F (0x81, "late"), F (0x83, "") }, "close 1000 " },
  { "messages-before-it", { F (0x81, "a"), F (0x88, "") }, "text a; close 1005 " },
  { "twice", { F (0x88, ""), F (0x88, "") }, "close 1005 " },
  { "cut", { F (0x88, "\x03\xE8") }, "", .cut = 1, .holds = TRUE },
  { "in-16-bits", { { 0x88, "\x03\xE8", 2, FORM_16 } }, "fail 1002" },
};

static const struct
{
  const char *name;
  const char *text;
  gboolean valid;
} texts[] = {
  { "ascii", "Hello-\x7F", TRUE },
  { "lowest-of-2", "\xC2\x80", TRUE },
  { "highest-of-2", "\xDF\xBF", TRUE },
  { "lowest-of-3", "\xE0\xA0\x80", TRUE },
  { "below-surrogates", "\xED\x9F\xBF", TRUE },
  { "above-surrogates", "\xEE\x80\x80", TRUE },
  { "replacement", "\xEF\xBF\xBD", TRUE },
  { "noncharacter", "\xEF\xBF\xBF", TRUE },
  { "lowest-of-4", "\xF0\x90\x80\x80", TRUE },
  { "highest-of-4", "\xF4\x8F\xBF\xBF", TRUE },
  { "greek", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5", TRUE },
  { "long-ascii-then-two", "0123456789abcdef0123456789abcde\xC3\xA9", TRUE },
  { "lone-continuation", "\x80", FALSE },
  { "lone-continuation-bf", "a\xBF", FALSE },
  { "overlong-of-2", "\xC0\xAF", FALSE },
  { "overlong-c1", "\xC1\xBF", FALSE },
  { "overlong-of-3", "\xE0\x9F\xBF", FALSE },
  { "overlong-of-4", "\xF0\x8F\xBF\xBF", FALSE },
  { "lowest-surrogate", "\xED\xA0\x80", FALSE },
  { "highest-surrogate", "\xED\xBF\xBF", FALSE },
  { "pair-of-surrogates", "\xED\xA0\x80\xED\xB0\x80", FALSE },
  { "above-10ffff", "\xF4\x90\x80\x80", FALSE },
  { "f5", "\xF5\x80\x80\x80", FALSE },
  { "five-bytes", "\xF8\x88\x80\x80\x80", FALSE },
  { "fe", "\xFE", FALSE },
  { "ff", "\xFF", FALSE },
  { "missing-last-of-2", "\xC3", FALSE },
  { "missing-last-of-3", "\xE2\x82", FALSE },
  { "missing-last-of-4", "\xF0\x9F\x98", FALSE },
  { "interrupted-by-ascii", "\xE2\x82z", FALSE },
  { "interrupted-by-lead", "\xE2\xC3\xA9", FALSE },
  { "bad-behind-long-ascii", "0123456789abcdef0123456789abcdef01234\xC3(", FALSE },
};

static void
add_texts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *escaped = g_strescape (texts[i].text, NULL);
      g_autofree char *expected = texts[i].valid ? g_strdup_printf ("text %s", escaped) : g_strdup ("fail 1007");
      Row row = { texts[i].name, { { 0x81, texts[i].text, strlen (texts[i].text) } }, expected };
      add_row ("utf-8", &row);
    }
}

static void
add_close_codes (void)
{
  static const guint valid[]
    = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999 };
  static const guint invalid[] = { 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 10000, 65535 };
  for (guint i = 0; i < G_N_ELEMENTS (valid) + G_N_ELEMENTS (invalid); i++)
    {
      gboolean good = i < G_N_ELEMENTS (valid);
      guint code = good ? valid[i] : invalid[i - G_N_ELEMENTS (valid)];
      const char payload[] = { code >> 8, code & 0xFF, 'x' };
      g_autofree char *name = g_strdup_printf ("code-%u", code);
      g_autofree char *expected = good ? g_strdup_printf ("close %u x", code) : g_strdup ("fail 1002");
      Row row = { name, { { 0x88, payload, sizeof payload } }, expected };
      add_row ("closing", &row);
    }
}

static void
add_opcodes (void)
{
  static const guint8 reserved[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };
  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    {
      g_autofree char *name = g_strdup_printf ("opcode-%u", reserved[i]);
      Row row = { name, { { 0x80 | reserved[i], "x", 1 } }, "fail 1002" };
      add_row ("bits", &row);
    }
}

#define ADD_ROWS(rows) add_rows (#rows, rows, G_N_ELEMENTS (rows))

static void
add_rows (const char *group, const Row *rows, guint n)
{
  for (guint i = 0; i < n; i++)
    add_row (group, &rows[i]);
}

static void
test_in_place (void)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();
  HarkWebSocketContext context = { 65536, 16, NULL };
  HarkWebSocketCodec codec;
  HarkWebSocketEvent event;
  gsize taken;
  g_test_summary ("A message that lies whole in what was read is reported where it lies and owns no memory.");
  append_frame (input, 0x81, NULL, 1000);
  append_frame (input, 0x89, "hello", 5);
  hark_websocket_codec_init (&codec, FALSE);
  taken = hark_websocket_codec_next (&codec, &context, input->data, input->len, &event);
  g_assert_cmpint (event.kind, ==, HARK_WEBSOCKET_EVENT_MESSAGE);
  g_assert_true (event.data == input->data + 8);
  g_assert_null (codec.part);
  hark_websocket_codec_next (&codec, &context, input->data + taken, input->len - taken, &event);
  g_assert_cmpint (event.kind, ==, HARK_WEBSOCKET_EVENT_PING);
  g_assert_true (event.data == input->data + input->len - 5);
  g_assert_null (codec.part);
}

static void
test_size (void)
{
  g_test_summary ("What each idle connection carries of the codec stays within 48 bytes.");
  g_assert_cmpuint (sizeof (HarkWebSocketCodec), <=, 48);
}

static void
test_inflater_is_kept (void)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();
  HarkWebSocketContext context = { 65536, 16, NULL };
  HarkWebSocketCodec codecs[2];
  g_autoptr (GString) transcript = g_string_new (NULL);
  HarkInflater *kept;
  g_test_summary ("Compressed messages of many connections use one inflater, one after another.");
  append_frame (input, 0xC1, "\xF2\x48\xCD\xC9\xC9\x07\x00", 7);
  hark_websocket_codec_init (&codecs[0], TRUE);
  hark_websocket_codec_init (&codecs[1], TRUE);
  feed (&codecs[0], &context, input->data, input->len, transcript);
  kept = context.inflater;
  g_assert_nonnull (kept);
  feed (&codecs[1], &context, input->data, input->len, transcript);
  g_assert_true (context.inflater == kept);
  g_assert_cmpstr (transcript->str, ==, "text Hello; text Hello");
  feed (&codecs[0], &context, input->data, input->len - 1, transcript);
  g_assert_null (context.inflater);
  feed (&codecs[1], &context, input->data, input->len, transcript);
  g_assert_nonnull (context.inflater);
  hark_websocket_codec_clear (&codecs[0], &context);
  hark_websocket_codec_clear (&codecs[1], &context);
  hark_websocket_context_clear (&context);
}

static void
assert_frame (HarkBuffer *frame, const char *header, gsize header_len, gsize len)
{
  g_assert_cmpuint (frame->len, ==, header_len + len);
  g_assert_cmpmem (frame->data, header_len, header, header_len);
  hark_buffer_unref (frame);
}

static void
test_encode (void)
{
  g_autofree char *data = g_malloc0 (70000);
  g_test_summary ("Frames are written with the shortest length and without a mask.");
  assert_frame (hark_websocket_encode (HARK_WEBSOCKET_TEXT, data, 0), "\x81\x00", 2, 0);
  assert_frame (hark_websocket_encode (HARK_WEBSOCKET_TEXT, data, 125), "\x81\x7D", 2, 125);
  assert_frame (hark_websocket_encode (HARK_WEBSOCKET_BINARY, data, 126), "\x82\x7E\x00\x7E", 4, 126);
  assert_frame (hark_websocket_encode (HARK_WEBSOCKET_BINARY, data, 65535), "\x82\x7E\xFF\xFF", 4, 65535);
  assert_frame (hark_websocket_encode (HARK_WEBSOCKET_TEXT, data, 65536), "\x81\x7F\0\0\0\0\0\1\0\0", 10, 65536);
  assert_frame (hark_websocket_encode (HARK_WEBSOCKET_PONG, data, 3), "\x8A\x03", 2, 3);
}

static void
test_encode_rsv1 (void)
{
  guint8 header[HARK_WEBSOCKET_MAX_OUT_HEADER];
  g_test_summary ("A compressed frame's header has the first reserved bit set.");
  g_assert_cmpuint (hark_websocket_header (header, HARK_WEBSOCKET_TEXT, TRUE, 7), ==, 2);
  g_assert_cmpmem (header, 2, "\xC1\x07", 2);
}

static void
test_encode_close (void)
{
  g_autoptr (HarkBuffer) empty = hark_websocket_encode_close (HARK_CLOSE_NO_STATUS, "never sent");
  g_autoptr (HarkBuffer) plain = hark_websocket_encode_close (HARK_CLOSE_NORMAL, NULL);
  g_autoptr (HarkBuffer) slow = hark_websocket_encode_close (HARK_CLOSE_SLOW, "slow");
  g_test_summary ("A close frame holds code and reason, and nothing when there is no code.");
  g_assert_cmpmem (empty->data, empty->len, "\x88\x00", 2);
  g_assert_cmpmem (plain->data, plain->len, "\x88\x02\x03\xE8", 4);
  g_assert_cmpmem (slow->data, slow->len, "\x88\x06\x0F\xA8slow", 8);
}

static void
test_encode_long_reason (void)
{
  g_autoptr (GString) reason = g_string_new (NULL);
  g_autoptr (HarkBuffer) frame = NULL;
  g_test_summary ("A reason that is too long is cut between two characters.");
  for (guint i = 0; i < 80; i++)
    g_string_append (reason, "\xC3\xA9");
  frame = hark_websocket_encode_close (HARK_CLOSE_POLICY, reason->str);
  g_assert_cmpuint (frame->len, ==, 2 + 2 + 122);
  g_assert_true (g_utf8_validate_len ((const char *)frame->data + 4, 122, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS (framing);
  ADD_ROWS (bits);
  ADD_ROWS (control);
  ADD_ROWS (fragments);
  ADD_ROWS (sizes);
  ADD_ROWS (early);
  ADD_ROWS (deflate);
  ADD_ROWS (closing);
  add_texts ();
  add_close_codes ();
  add_opcodes ();
  g_test_add_func ("/websocket-codec/in-place", test_in_place);
  g_test_add_func ("/websocket-codec/size", test_size);
  g_test_add_func ("/websocket-codec/inflater-is-kept", test_inflater_is_kept);
  g_test_add_func ("/websocket-codec/encode/lengths", test_encode);
  g_test_add_func ("/websocket-codec/encode/rsv1", test_encode_rsv1);
  g_test_add_func ("/websocket-codec/encode/close", test_encode_close);
  g_test_add_func ("/websocket-codec/encode/long-reason", test_encode_long_reason);
  return g_test_run ();
}
