/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/utf8.h"

typedef struct
{
  const char *bytes;
  gsize len;
  int bad; /* index of the byte that no continuation makes right; -1: none, and complete; -2: none, but cut */
} Row;

#define WHOLE (-1)
#define CUT (-2)
#define ROW(bytes, bad)                                                                                                \
  {                                                                                                                    \
    bytes, sizeof bytes - 1, bad                                                                                       \
  }

static const Row rows[] = {
  ROW ("", WHOLE),
  ROW ("\0", WHOLE),
  ROW ("abc\x7F", WHOLE),
  ROW ("\xC2\x80\xDF\xBF", WHOLE),
  ROW ("\xE0\xA0\x80\xE1\x80\x80\xEC\xBF\xBF\xEF\xBF\xBF", WHOLE),
  ROW ("\xED\x80\x80\xED\x9F\xBF\xEE\x80\x80", WHOLE),
  ROW ("\xF0\x90\x80\x80\xF1\x80\x80\x80\xF3\xBF\xBF\xBF\xF4\x8F\xBF\xBF", WHOLE),
  ROW ("0123456789abcdef\xC3\xA9"
       "0123456789abcde\xE2\x82\xAC"
       "0123456789abcdef0",
       WHOLE),
  ROW ("\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5", WHOLE),
  ROW ("\xC3", CUT),
  ROW ("\xE2", CUT),
  ROW ("\xE2\x82", CUT),
  ROW ("\xF0", CUT),
  ROW ("\xF0\x9F", CUT),
  ROW ("\xF0\x9F\x98", CUT),
  ROW ("\xF4\x8F\xBF", CUT),
  ROW ("\xED\x9F", CUT),
  ROW ("a\xC3\xA9\xC3", CUT),
  ROW ("\x80", 0),
  ROW ("\xBF", 0),
  ROW ("\xC0\x80", 0),
  ROW ("\xC0", 0),
  ROW ("\xC1\xBF", 0),
  ROW ("\xF5\x80\x80\x80", 0),
  ROW ("\xF8\x88\x80\x80\x80", 0),
  ROW ("\xFC\x84\x80\x80\x80\x80", 0),
  ROW ("\xFE", 0),
  ROW ("\xFF", 0),
  ROW ("\xC3\x28", 1),
  ROW ("\xC3\xC3\xA9", 1),
  ROW ("\xC3\xA9\xA9", 2),
  ROW ("\xE0\x80\x80", 1),
  ROW ("\xE0\x9F\xBF", 1),
  ROW ("\xE2\x28\xA1", 1),
  ROW ("\xE2\x82\x28", 2),
  ROW ("\xED\xA0\x80", 1),
  ROW ("\xED\xBF\xBF", 1),
  ROW ("\xED\x9F\xC0", 2),
  ROW ("\xF0\x80\x80\x80", 1),
  ROW ("\xF0\x8F\xBF\xBF", 1),
  ROW ("\xF0\x9F\x28\x80", 2),
  ROW ("\xF0\x9F\x98\x28", 3),
  ROW ("\xF4\x90\x80\x80", 1),
  ROW ("\xF4\x8F\xC0\x80", 2),
  ROW ("abc\xFF", 3),
  ROW ("0123456789abcdef0123456789abcdef\xED\xA0\x80", 33),
  ROW ("0123456789abcde\xF4\x90", 16),
  ROW ("\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xF4\x90\x80\x80"
       "edited",
       12),
};

static const guint8 *
bytes_of (const Row *row)
{
  return (const guint8 *)row->bytes;
}

static void
test_first_bad_byte (void)
{
  g_test_summary ("fed byte by byte, the text fails at the first byte that no continuation makes right");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      HarkUtf8 utf8;
      gsize fed = 0;
      hark_utf8_init (&utf8);
      while (fed < rows[i].len && hark_utf8_feed (&utf8, bytes_of (&rows[i]) + fed, 1))
        fed++;
      g_assert_cmpint (fed, ==, rows[i].bad >= 0 ? rows[i].bad : (int)rows[i].len);
      g_assert_cmpint (hark_utf8_is_complete (&utf8), ==, rows[i].bad == WHOLE);
    }
}

static void
test_every_prefix (void)
{
  g_test_summary ("a piece fails exactly when it holds the bad byte");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      for (gsize len = 0; len <= rows[i].len; len++)
        {
          g_autofree guint8 *copy = g_memdup2 (rows[i].bytes, MAX (len, 1));
          HarkUtf8 utf8;
          hark_utf8_init (&utf8);
          g_assert_cmpint (hark_utf8_feed (&utf8, copy, len), ==, rows[i].bad < 0 || len <= (gsize)rows[i].bad);
        }
    }
}

static void
test_every_split (void)
{
  g_test_summary ("a text cut in two anywhere is judged as the whole is");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gboolean valid = rows[i].bad == WHOLE;
      g_assert_cmpint (hark_utf8_validate (bytes_of (&rows[i]), rows[i].len), ==, valid);
      for (gsize cut = 0; cut <= rows[i].len; cut++)
        {
          HarkUtf8 utf8;
          gboolean first;
          gboolean second;
          hark_utf8_init (&utf8);
          first = hark_utf8_feed (&utf8, bytes_of (&rows[i]), cut);
          second = hark_utf8_feed (&utf8, bytes_of (&rows[i]) + cut, rows[i].len - cut);
          g_assert_cmpint (first, ==, rows[i].bad < 0 || cut <= (gsize)rows[i].bad);
          g_assert_cmpint (second, ==, rows[i].bad < 0);
          g_assert_cmpint (hark_utf8_is_complete (&utf8), ==, valid);
        }
    }
}

static void
test_stays_bad (void)
{
  HarkUtf8 utf8;
  g_test_summary ("what failed once stays failed, and is not complete");
  hark_utf8_init (&utf8);
  g_assert_false (hark_utf8_feed (&utf8, (const guint8 *)"\xFF", 1));
  g_assert_false (hark_utf8_feed (&utf8, (const guint8 *)"a", 1));
  g_assert_false (hark_utf8_feed (&utf8, NULL, 0));
  g_assert_false (hark_utf8_is_complete (&utf8));
}

static void
test_nothing (void)
{
  HarkUtf8 utf8;
  g_test_summary ("nothing at all is valid, and changes nothing in the middle of a character");
  g_assert_true (hark_utf8_validate (NULL, 0));
  hark_utf8_init (&utf8);
  g_assert_true (hark_utf8_feed (&utf8, (const guint8 *)"\xC3", 1));
  g_assert_true (hark_utf8_feed (&utf8, NULL, 0));
  g_assert_false (hark_utf8_is_complete (&utf8));
  g_assert_true (hark_utf8_feed (&utf8, (const guint8 *)"\xA9", 1));
  g_assert_true (hark_utf8_is_complete (&utf8));
}

static void
test_all_of_unicode (void)
{
  g_test_summary ("every character of Unicode is valid, and no surrogate is");
  for (guint32 c = 0; c <= 0x10FFFF; c++)
    {
      guint8 bytes[6];
      int n = g_unichar_to_utf8 (c, (char *)bytes);
      gboolean surrogate = c >= 0xD800 && c <= 0xDFFF;
      if (hark_utf8_validate (bytes, n) != !surrogate)
        g_error ("wrong about U+%04X", c);
      if (hark_utf8_char_len (bytes, n) != (surrogate ? 0 : (guint)n))
        g_error ("wrong about the length of U+%04X", c);
    }
}

static void
test_all_short_sequences (void)
{
  g_test_summary ("GLib agrees on every sequence of three bytes behind some ASCII");
  for (guint32 c = 0; c < 1 << 24; c += c < 0x800000 ? 251 : 7)
    {
      guint8 bytes[20] = "0123456789abcdef";
      bytes[16] = c >> 16;
      bytes[17] = c >> 8 & 0xFF;
      bytes[18] = c & 0xFF;
      if (memchr (bytes, 0, 19) != NULL) /* which g_utf8_validate () refuses */
        continue;
      if (hark_utf8_validate (bytes, 19) != g_utf8_validate ((const char *)bytes, 19, NULL))
        g_error ("disagreement about %02X %02X %02X", bytes[16], bytes[17], bytes[18]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/utf8/first-bad-byte", test_first_bad_byte);
  g_test_add_func ("/base/utf8/every-prefix", test_every_prefix);
  g_test_add_func ("/base/utf8/every-split", test_every_split);
  g_test_add_func ("/base/utf8/stays-bad", test_stays_bad);
  g_test_add_func ("/base/utf8/nothing", test_nothing);
  g_test_add_func ("/base/utf8/all-of-unicode", test_all_of_unicode);
  g_test_add_func ("/base/utf8/all-short-sequences", test_all_short_sequences);
  return g_test_run ();
}
