/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base64url.h"

#include <string.h>

static void
assert_decodes (const char *text, const char *bytes, gsize len)
{
  guint8 out[64];
  gsize n;
  g_assert_true (hark_base64url_decode (text, strlen (text), out, &n));
  g_assert_cmpuint (n, <=, HARK_BASE64URL_MAX_BYTES (strlen (text)));
  g_assert_cmpmem (out, n, bytes, len);
}

static void
test_decode (void)
{
  g_test_summary ("The vectors of RFC 4648, without their padding, and the two characters that differ.");
  assert_decodes ("", "", 0);
  assert_decodes ("Zg", "f", 1);
  assert_decodes ("Zm8", "fo", 2);
  assert_decodes ("Zm9v", "foo", 3);
  assert_decodes ("Zm9vYg", "foob", 4);
  assert_decodes ("Zm9vYmE", "fooba", 5);
  assert_decodes ("Zm9vYmFy", "foobar", 6);
  assert_decodes ("-_8", "\xfb\xff", 2);
  assert_decodes ("AAAA", "\0\0\0", 3);
}

static void
test_round_trip (void)
{
  guint8 bytes[48];
  g_test_summary ("Bytes of every length and value come back from what GLib's encoder makes of them.");
  for (guint i = 0; i < 256 * 48; i++)
    {
      gsize len = i % 48;
      g_autofree char *text = NULL;
      guint8 out[HARK_BASE64URL_MAX_BYTES (64)];
      gsize n;
      for (gsize j = 0; j < len; j++)
        bytes[j] = i / 48 + j * 7;
      text = g_base64_encode (bytes, len);
      g_strdelimit (text, "+", '-');
      g_strdelimit (text, "/", '_');
      text[strcspn (text, "=")] = '\0';
      g_assert_true (hark_base64url_decode (text, strlen (text), out, &n));
      g_assert_cmpmem (out, n, bytes, len);
    }
}

static void
test_refused (void)
{
  static const char *const texts[] = {
    "Z",       /* a character alone is less than a byte */
    "Zg==",    /* padding */
    "Zm8=",    /* the same */
    "Zm9vYg=", /* the same */
    "+/8",     /* the other alphabet */
    "Zm 8",    /* a blank */
    "Zm9v\n",  /* a line's end */
    "Zm9v.",   /* a dot */
    "Zh",      /* bits at the end that stand for nothing */
    "Zm9",     /* the same */
    "Zm9vYmF\xc3\xa9",
  };
  guint8 out[64];
  gsize n;
  g_test_summary ("What is not the one spelling of some bytes is refused.");
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (hark_base64url_decode (texts[i], strlen (texts[i]), out, &n))
      g_error ("\"%s\" was taken", texts[i]);
  g_assert_false (hark_base64url_decode ("Zm\0v", 4, out, &n));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base64url/decode", test_decode);
  g_test_add_func ("/base64url/round-trip", test_round_trip);
  g_test_add_func ("/base64url/refused", test_refused);
  return g_test_run ();
}
